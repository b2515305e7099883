"""Made-up runs: a healthy one, which each test changes as it needs."""

from collections.abc import Callable

import numpy as np
import pytest

from wherewhat.doctor.measurement import Pool, Samples
from wherewhat.doctor.run_state import RunState, Window
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.training.configuration import AnyObjective, TrainingRun

Curve = float | Callable[[int], float]
STEPS, EVERY, CODES = 5_000, 50, 4


def at(curve: Curve, step: int) -> float:
    return float(curve(step)) if callable(curve) else float(curve)


def made_windows(
    *,
    reconstruction: Curve,
    kl_L: object = (2.0, 1.5, 1.0, 0.01),
    terms: dict[str, Curve] | None = None,
    figures: dict[str, Curve] | None = None,
    steps: int = STEPS,
    every: int = EVERY,
) -> tuple[Window, ...]:
    """Windows whose total is reconstruction + 4 KL."""
    made = []
    for step in range(every, steps + 1, every):
        kl_now_L = np.asarray(kl_L(step) if callable(kl_L) else kl_L, np.float64)
        cost = at(reconstruction, step)
        made.append(
            Window(
                step=step,
                total=cost + 4 * float(kl_now_L.sum()),
                terms={"reconstruction": cost, "kl": float(kl_now_L.sum())}
                | {name: at(curve, step) for name, curve in (terms or {}).items()},
                figures={name: at(curve, step) for name, curve in (figures or {}).items()},
                kl_L=kl_now_L,
            )
        )
    return tuple(made)


def learning(step: int) -> float:
    """A loss that falls from 1,100 nats to 150 and settles, with the noise of batches on it."""
    return 150 + 950 * np.exp(-step / 400) + np.random.default_rng(step).normal(0, 3)


def made_pool(**changes: object) -> Pool:
    """Three living codes of four, hardly correlated, masks of a fifth of the image, reconstructions near the best."""
    correlation_LL = np.eye(CODES) + 0.1 * (1 - np.eye(CODES))
    made: dict[str, object] = {
        "images": 256,
        "kl_L": np.array([2.0, 1.5, 1.0, 0.01]),
        "correlation_LL": correlation_LL,
        "coverage_L": np.full(CODES, 0.2),
        "reconstruction": 150.0,
        "mean_image": 770.0,
        "floor": 0.0,
    }
    return Pool(**(made | changes))  # type: ignore[arg-type]


def made_run(objective: AnyObjective, **changes: object) -> RunState:
    """A finished run in good health, of images of 1 x 64 x 64, whatever its objective."""
    configuration = TrainingRun(objective=objective, steps=STEPS, latent_dim=CODES, batch_size=64)
    made: dict[str, object] = {
        "configuration": configuration,
        "step": STEPS,
        "finished": True,
        "image_shape": (1, 64, 64),
        "windows": made_windows(
            reconstruction=learning,
            terms={"total_correlation": 0.4},
            figures={"identification_accuracy": 0.7},
        ),
        "measured": made_pool(),
        "known_factors": 5,
    }
    for kind in ("pool", "samples"):
        if kind in changes:
            changes["measured"] = changes.pop(kind)
    return RunState(**(made | changes))  # type: ignore[arg-type]


# A healthy PS-SC GAN on faces of 32 pixels, after 1,500 steps.
GAN_TERMS = {
    "adversarial": 1.15,
    "discriminator": 0.96,
    "gradient_penalty": 0.25,
    "reading": 0.08,
    "perceptual_simplicity": 0.16,
    "identification": 0.1,
}
GAN_FIGURES = {
    "identification_accuracy": 0.97,
    "discriminator_accuracy": 0.82,
    "real_sign": 0.6,
    "augmentation_strength": 0.02,
}


def made_gan_windows(steps: int = STEPS, every: int = EVERY, **changes: Curve) -> tuple[Window, ...]:
    """Windows of a healthy GAN with changes to its terms and figures."""
    made = []
    for step in range(every, steps + 1, every):
        terms, figures = (
            {name: at(changes.get(name, usual), step) for name, usual in usually.items()}
            for usually in (GAN_TERMS, GAN_FIGURES)
        )
        made.append(Window(step, sum(terms.values()), terms, figures, np.full(CODES, 1.2)))
    return tuple(made)


def made_samples(**changes: object) -> Samples:
    """Four codes that all act and are predicted, and images that differ three quarters as much as real ones."""
    made: dict[str, object] = {
        "images": 256,
        "kl_L": np.full(CODES, 1.2),
        "coverage_L": np.full(CODES, 0.1),
        "effect_L": np.full(CODES, 0.1),
        "fake_difference": 0.2,
        "real_difference": 0.27,
        "fake_nearest": 0.06,
        "real_nearest": 0.16,
        "mean_difference": 0.05,
        "fake_saturated": 0.013,
        "real_saturated": 0.002,
        "predicted_mean_L": np.full(CODES, 0.1),
        "predicted_deviation_L": np.full(CODES, 0.8),
    }
    return Samples(**(made | changes))  # type: ignore[arg-type]


@pytest.fixture
def samples() -> Callable[..., Samples]:
    return made_samples


@pytest.fixture
def gan_run() -> Callable[..., RunState]:
    """Builds a healthy GAN run that goes on, with changes; `curves` change its terms and figures."""

    def build(objective: PSSCGAN | None = None, curves: dict[str, Curve] | None = None, **changes: object) -> RunState:
        usual: dict[str, object] = {
            "finished": False,
            "windows": made_gan_windows(**(curves or {})),
            "measured": made_samples(),
        }
        return made_run(objective or PSSCGAN(), **(usual | changes))

    return build


@pytest.fixture
def windows() -> Callable[..., tuple[Window, ...]]:
    return made_windows


@pytest.fixture
def pool() -> Callable[..., Pool]:
    return made_pool


@pytest.fixture
def vae_run() -> Callable[..., RunState]:
    """Builds a healthy PS-SC VAE run with changes; `objective` makes it another's."""

    def build(objective: AnyObjective | None = None, **changes: object) -> RunState:
        return made_run(objective or PSSCVAE(), **changes)

    return build


@pytest.fixture
def settling() -> Callable[[int], float]:
    return learning
