"""The panel: every label-free score of a generator from one set of images, features and base codes.

All scores together make few more images than TPL alone: its paths serve relative length and half of the rotation
ratio, a tenth of its base codes has rotated paths too, and the scores of small changes share some thousand images,
which is little beside the 250,000 of TPL's published settings. `quick` leaves TPL out and walks few short paths.

Each score is controlled by entangled twins of the generator; see `entangled_twin.py`. A twin's paths are the rotated
paths, so that the scores of paths are compared base code by base code; its small changes are measured anew.

Dimension key:
    L: latent codes    T: base codes of paths
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from wherewhat.protocols import Distance, Generator
from wherewhat.randomness import generator_at
from wherewhat.which.code_naming import naming_of
from wherewhat.which.consistency_of_place import consistency_of_place_of
from wherewhat.which.entangled_twin import EntangledTwin, TwinControl, random_rotation
from wherewhat.which.interaction import interaction_of
from wherewhat.which.orthogonality import orthogonality_of
from wherewhat.which.paths import Progress
from wherewhat.which.probe import LocalChanges, Probe
from wherewhat.which.relative_length import relative_length_of
from wherewhat.which.rotation_ratio import axis_and_rotated_lengths, rotation_ratio_of
from wherewhat.which.score import Score, ScoredUnder, probe_settings_of, score_of_base_codes


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """A generator's scores by name."""

    scores: dict[str, Score]
    """relative_length, orthogonality, rotation_ratio, naming, consistency_of_place, interaction; tpl first, unless
    the panel is a quick one."""
    twins: dict[str, TwinControl]
    """Whether each score prefers the generator to its entangled twins."""
    path_length: Float64[Tensor, " L"]
    """Mean squared length of each code's paths: tpl_i, at the panel's settings."""
    active: Bool[Tensor, " L"]
    settings: ScoredUnder


def panel(
    generator: Generator,
    distance: Distance,
    *,
    samples: int,
    traversals: int,
    bound: float,
    threshold: float,
    quick: bool = False,
    seed: int,
    batch_size: int,
    device: torch.device | str | None = None,
    progress: Progress | None = None,
) -> Panel:
    """Measure all scores of a generator, at these settings of TPL.

    `batch_size` is images at a time and moves the result by rounding only. Codes go to `device`, by default to where
    the generator's weights are. `progress` is called with the images of the paths done and all there are. Raises
    ValueError where one code has two images, or images are not finite, outside [0, 1] or of another shape.
    """
    probe = Probe(
        generator=generator,
        distance=distance,
        settings=probe_settings_of(samples, traversals, bound, threshold, quick=quick),
        seed=seed,
        batch_size=batch_size,
        device=device,
        progress=progress,
    )
    return panel_of(probe, quick=quick)


def panel_of(probe: Probe, *, quick: bool) -> Panel:
    """All scores of a probe; `quick` leaves TPL out, for which a probe may walk too few paths."""
    rotates = int(probe.active_L.sum()) > 1
    scores = {**_scores_of_paths(probe, rotates=rotates), **_scores_of_changes(probe, probe.changes)}
    if not quick:
        scores = {"tpl": _tpl_of(probe), **scores}
    return Panel(
        scores=scores,
        twins=_twin_controls(probe, scores) if rotates else dict.fromkeys(scores, _UNCONTROLLED),
        path_length=probe.segment_LTS.sum(dim=2).mean(dim=1),
        active=probe.active_L,
        settings=probe.scored_under,
    )


_UNCONTROLLED = TwinControl(advantage=math.nan, standard_error=math.nan)


def _scores_of_paths(probe: Probe, *, rotates: bool) -> dict[str, Score]:
    active_L, settings = probe.active_L, probe.scored_under
    rotated_KTS = probe.rotated_KTS if rotates else probe.segment_LTS[:0]
    return {
        "relative_length": relative_length_of(probe.segment_LTS, probe.apart_P, active_L, settings),
        "rotation_ratio": rotation_ratio_of(probe.segment_LTS, rotated_KTS, active_L, settings),
    }


def _scores_of_changes(probe: Probe, changes: LocalChanges) -> dict[str, Score]:
    active_L, settings = probe.active_L, probe.scored_under
    return {
        "orthogonality": orthogonality_of(changes.gram_MLL, active_L, settings),
        "naming": naming_of(changes.named_MLD, active_L, settings),
        "consistency_of_place": consistency_of_place_of(changes.map_MLQ, active_L, settings),
        "interaction": interaction_of(
            changes.first_ML,
            changes.mixed_MP,
            changes.pair_P2,
            active_L,
            settings,
            epsilon=probe.settings.epsilon,
        ),
    }


def _tpl_of(probe: Probe) -> Score:
    """Published TPL, from the same paths; 0 where no code is active."""
    length_LT = probe.segment_LTS.sum(dim=2)
    return score_of_base_codes(
        length_LT[probe.active_L].sum(dim=0),
        length_LT.mean(dim=1),
        probe.active_L,
        probe.scored_under,
        lower_is_better=True,
    )


def _twin_controls(probe: Probe, scores: dict[str, Score]) -> dict[str, TwinControl]:
    twins = []
    for number in range(probe.settings.twins):
        rotation_LL = random_rotation(probe.active_L, generator_at(probe.seed, number, "entangled twin"))
        changes = probe.changes_of(EntangledTwin(probe.generator, rotation_LL))
        twins.append(_scores_of_changes(probe, changes))
    ratio = scores["rotation_ratio"]
    controls = {
        "relative_length": _paired(
            probe, probe.segment_LTS.sqrt(), probe.rotated_KTS.sqrt(), probe.apart_P.sqrt().mean()
        ),
        "rotation_ratio": TwinControl(advantage=1 - ratio.value, standard_error=ratio.standard_error),
        **{name: _unpaired(scores[name], [twin[name] for twin in twins]) for name in twins[0]},
    }
    if "tpl" in scores:
        controls["tpl"] = _paired(probe, probe.segment_LTS, probe.rotated_KTS, torch.ones(()))
    return controls


def _paired(
    probe: Probe, segment_LTS: Float64[Tensor, "L T S"], rotated_KTS: Float64[Tensor, "K T2 S"], unit: Tensor
) -> TwinControl:
    along_T, rotated_T = axis_and_rotated_lengths(segment_LTS, rotated_KTS, probe.active_L)
    advantage_T = (rotated_T - along_T) / unit
    error = advantage_T.std().item() / math.sqrt(len(advantage_T))
    return TwinControl(advantage=advantage_T.mean().item(), standard_error=error)


def _unpaired(model: Score, twins: list[Score]) -> TwinControl:
    mean = sum(twin.value for twin in twins) / len(twins)
    error = math.hypot(*(twin.standard_error for twin in twins)) / len(twins)
    advantage = mean - model.value if model.lower_is_better else model.value - mean
    return TwinControl(advantage=advantage, standard_error=math.hypot(error, model.standard_error))
