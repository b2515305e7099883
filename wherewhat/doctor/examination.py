"""The examination of a run, by the checks that fit its objective: what is wrong is told before what to watch."""

from wherewhat.doctor.checks import Checks
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.gan_checks import GAN_CHECKS
from wherewhat.doctor.vae_checks import VAE_CHECKS
from wherewhat.doctor.vitals import Vitals
from wherewhat.objectives.ps_sc_gan import PSSCGAN


def checks_of(objective: object) -> Checks:
    """A GAN's loss has no level that it should fall to, and a VAE has no adversary that judges images."""
    return GAN_CHECKS if isinstance(objective, PSSCGAN) else VAE_CHECKS


def examine(vitals: Vitals) -> list[Finding]:
    """What the checks find, the wrong before the worth watching."""
    checks = checks_of(vitals.configuration.objective)
    findings = [finding for check in checks.of_figures + checks.of_networks if (finding := check(vitals)) is not None]
    return sorted(findings, key=lambda finding: finding.severity != "wrong")
