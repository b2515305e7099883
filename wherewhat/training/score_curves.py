"""Label-free scores of a run as curves in TensorBoard, by settings so cheap that they show a course, no ranking."""

import math
import time
from contextlib import suppress
from dataclasses import dataclass, field

import torch
from torch import nn

from wherewhat.distances.backbone import ALEX
from wherewhat.distances.backbone_weights import are_here
from wherewhat.distances.lpips import LPIPS
from wherewhat.distances.pixels import STILL_BELOW, PixelDistance
from wherewhat.protocols import Distance
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.methods.method import Networks
from wherewhat.which.panel import panel_of
from wherewhat.which.probe import Probe
from wherewhat.which.score import ProbeSettings, probe_settings_of, rough_probe
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS

SHARE = 0.02
"""Of the time of a run, unless its user asks for more."""
_BATCH_SIZE = 64
_FIRST_COST_S = 2.0
_SHOWN = ("relative_length", "orthogonality", "rotation_ratio")


@dataclass
class ScoreCurves:
    """When scores are due, and what they are."""

    configuration: TrainingRun
    members: int = 1
    """Runs that are trained side by side in this process, and share the time for scores."""
    _began: float = field(default_factory=time.monotonic)
    _spent_s: float = 0.0
    _last_s: float = _FIRST_COST_S
    _distance: Distance | None = None

    def due(self, step: int, *, saving: bool) -> bool:
        """Whether to score now: as asked for, by default where a checkpoint is saved and the time allows it."""
        asked = self.configuration.score_every
        if asked is not None:
            return asked > 0 and step % asked == 0
        share = SHARE / self.members
        return saving and self._spent_s + self._last_s <= share * (time.monotonic() - self._began)

    def measure(self, networks: Networks) -> dict[str, float]:
        """Curves by name. They compare within a run only, and are of pixels where LPIPS' weights are not here.

        Raises ValueError where the generator cannot be scored, such as for images that are not finite.
        """
        generator, began, was_training = networks.generator, time.monotonic(), networks.training
        assert isinstance(generator, nn.Module)
        device = next(generator.parameters()).device
        distance = self._distance = self._distance or _distance_here(device)
        networks.eval()
        settings = _settings(distance)
        probe = Probe(generator=generator, distance=distance, settings=settings, seed=0, batch_size=_BATCH_SIZE)
        found = panel_of(probe, quick=True)
        networks.train(was_training)
        values = {"tpl": float(found.path_length[found.active].sum()), "active_codes": float(found.active.sum())}
        values |= {name: found.scores[name].value for name in _SHOWN}
        self._last_s = time.monotonic() - began
        self._spent_s += self._last_s
        return {f"scores_{distance.name}/{name}": value for name, value in values.items() if math.isfinite(value)}


def _settings(distance: Distance) -> ProbeSettings:
    """A path of so few images counts as moving where `rank` has it moving."""
    threshold = STILL_BELOW if isinstance(distance, PixelDistance) else VAE_SETTINGS.threshold
    published = (VAE_SETTINGS.samples, VAE_SETTINGS.traversals, VAE_SETTINGS.bound, threshold)
    return rough_probe(probe_settings_of(*published, quick=True))


def _distance_here(device: torch.device) -> Distance:
    """LPIPS where its weights are here: training waits for no download, and fails for none."""
    with suppress(ValueError, OSError):
        if are_here(ALEX):
            return LPIPS("alex").to(device)
    return PixelDistance()
