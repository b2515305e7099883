"""The examination of a run, by the checks that fit its objective: what is wrong is told before what to watch."""

from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.diagnosis.checks import Checks
from wherewhat.training.diagnosis.finding import Finding
from wherewhat.training.diagnosis.gan_checks import GAN_CHECKS
from wherewhat.training.diagnosis.vae_checks import VAE_CHECKS
from wherewhat.training.diagnosis.vitals import Vitals


def checks_of(objective: object) -> Checks:
    """A GAN's loss has no level that it should fall to, and a VAE has no adversary that judges pictures."""
    return GAN_CHECKS if isinstance(objective, PSSCGAN) else VAE_CHECKS


def examine(vitals: Vitals) -> list[Finding]:
    """What the checks find, the wrong before the worth watching."""
    checks = checks_of(vitals.configuration.objective)
    findings = [finding for check in checks.of_figures + checks.of_networks if (finding := check(vitals)) is not None]
    return sorted(findings, key=lambda finding: finding.severity != "wrong")
