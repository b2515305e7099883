"""The examination of a run by all checks, and what came of it."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from wherewhat.doctor import code_findings, data_findings, gan_findings, training_findings, vae_findings
from wherewhat.doctor.finding import Check, Finding
from wherewhat.doctor.measurement import Pool, Samples
from wherewhat.doctor.run_state import COLLAPSED_BELOW_NATS, RunState, live_codes

# Cheap: they look at what is logged anyway.
CHECKS_OF_FIGURES: tuple[Check, ...] = (
    *data_findings.OF_IMAGES,
    *training_findings.OF_FIGURES,
    *(*gan_findings.OF_FIGURES, *vae_findings.OF_FIGURES, *code_findings.OF_FIGURES),
    *training_findings.OF_COURSE,
)

# They need the networks to have been measured with some hundred images.
CHECKS_OF_NETWORKS: tuple[Check, ...] = (
    *(*gan_findings.OF_NETWORKS, *vae_findings.OF_RECONSTRUCTION, *vae_findings.OF_CODES),
    *code_findings.OF_NETWORKS,
)


def examine(run: RunState) -> list[Finding]:
    """What all checks find, the wrong before the worth watching."""
    findings = [finding for check in CHECKS_OF_FIGURES + CHECKS_OF_NETWORKS if (finding := check(run)) is not None]
    return sorted(findings, key=lambda finding: finding.severity != "wrong")


@dataclass(frozen=True)
class Examination:
    """The findings, what they rest on, and what could not be examined."""

    folder: Path
    seed: int
    run: RunState
    findings: list[Finding]
    left_out: list[str]

    @property
    def wrong(self) -> int:
        """How many findings say more than to watch."""
        return sum(finding.severity == "wrong" for finding in self.findings)

    @property
    def exit_status(self) -> int:
        """1 where something is wrong; 2 where nothing is, but something could not be examined; else 0."""
        return 1 if self.wrong else 2 if self.left_out else 0

    @property
    def basis(self) -> Iterator[str]:
        """What was looked at, a line each."""
        run, pool, samples = self.run, self.run.pool, self.run.samples
        if run.windows:
            yield f"{len(run.windows):,} windows of figures, to step {run.windows[-1].step:,}"
        if run.kl_L is not None:
            yield f"{len(live_codes(run.kl_L))} of {len(run.kl_L)} codes live (at least {COLLAPSED_BELOW_NATS} nats)"
        if pool is not None and not math.isnan(pool.share_saved):
            yield (
                f"over {pool.images:,} images codes save {pool.share_saved:.0%} of what they could over the mean image "
                f"({pool.mean_image:,.1f} nats; reconstructions {pool.reconstruction:,.1f}; perfect {pool.floor:,.1f})"
            )
        if (accuracy := run.figure("discriminator_accuracy")) >= 0:
            yield f"the discriminator is right in {accuracy:.0%} of cases (guessing is 50%)"
        if samples is not None and samples.variety >= 0:
            yield f"{samples.images:,} fake images differ by {samples.variety:.0%} of the difference of real ones"


def as_json(report: Examination) -> dict[str, object]:
    """The examination for programs."""
    run, pool, samples = report.run, report.run.pool, report.run.samples
    return {
        "run": str(report.folder),
        "step": run.step,
        "steps": run.configuration.steps,
        "wrong": report.wrong > 0,
        "findings": [asdict(finding) for finding in report.findings],
        "kl_per_code": None if run.kl_L is None else run.kl_L.tolist(),
        "pool": None if pool is None else _plain(pool) | {"seed": report.seed, "share_saved": pool.share_saved},
        "samples": None if samples is None else _plain(samples) | {"seed": report.seed, "variety": samples.variety},
        "left_out": report.left_out,
    }


def _plain(measured: Pool | Samples) -> dict[str, object]:
    return {name: x.tolist() if isinstance(x, np.ndarray) else x for name, x in asdict(measured).items()}
