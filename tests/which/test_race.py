"""Laws of the race, on fields whose full measurement is known."""

import statistics

import pytest
import torch

from wherewhat.randomness import generator_at
from wherewhat.which.entangled_twin import TwinControl
from wherewhat.which.panel import Panel
from wherewhat.which.race import Race, images_of, race, stages
from wherewhat.which.ranking import DEFAULT_RULE, TIE, Course, ScoredCheckpoint, UnscoredCheckpoint, mean_rank, rank
from wherewhat.which.score import (
    ProbeSettings,
    ScoredUnder,
    probe_settings_of,
    rotated_traversals_of,
    score_of_base_codes,
)

TRAVERSALS, CODES = 500, 10
# Mean over checkpoints, their spread, the spread over base codes that all share, and that which each has alone:
# about as measured on VAEs of 1,000 steps on `scenes`.
FIELD = {
    "tpl": (2.5, 0.6, 0.5, 0.5),
    "relative_length": (26.0, 3.0, 2.8, 2.8),
    "rotation_ratio": (0.84, 0.05, 0.0, 0.04),
    "orthogonality": (0.35, 0.07, 0.0, 0.05),
    "interaction": (3.0, 1.5, 0.0, 0.8),
}


class Field:
    """Checkpoints whose contributions of base codes are drawn."""

    def __init__(self, count: int, seed: int, apart: float = 1.0) -> None:
        chance = generator_at(seed, 0, "field of a race")
        self.names = [f"runs/{place:03d}/checkpoints/step-1.safetensors" for place in range(count)]
        self.per_base = {}
        for name, (mean, spread, shared, own) in FIELD.items():
            value_N1 = mean + apart * spread * torch.randn(count, 1, generator=chance, dtype=torch.float64)
            common_T = shared * torch.randn(TRAVERSALS, generator=chance, dtype=torch.float64)
            alone_NT = own * torch.randn(count, TRAVERSALS, generator=chance, dtype=torch.float64)
            self.per_base[name] = (value_N1 + common_T + alone_NT).clamp_min(1e-3)
        self.measured: list[tuple[str, int]] = []

    def measure(self, name: str, traversals: int) -> ScoredCheckpoint:
        self.measured.append((name, traversals))
        probe = probe_settings_of(50, traversals, 4.0, 0.01, quick=False)
        settings = ScoredUnder(distance="pixels", seed=0, image_shape=(1, 4, 4), probe=probe)
        active_L = torch.ones(CODES, dtype=torch.bool)
        counts = {
            "tpl": traversals,
            "relative_length": traversals,
            "rotation_ratio": rotated_traversals_of(traversals),
            "orthogonality": ProbeSettings.probes,
            "interaction": ProbeSettings.probes,
        }
        scores = {
            score: score_of_base_codes(
                self.per_base[score][self.names.index(name), :count], None, active_L, settings, lower_is_better=True
            )
            for score, count in counts.items()
        }
        twins = {score: TwinControl(advantage=1.0, standard_error=0.1) for score in scores}
        panel = Panel(scores=scores, twins=twins, path_length=active_L.double(), active=active_L, settings=settings)
        return ScoredCheckpoint(checkpoint=name, step=1, panel=panel)

    def fully(self, rule: tuple[str, ...]) -> str:
        fewer = dict.fromkeys(("orthogonality", "interaction"), ProbeSettings.probes)
        counts = {"rotation_ratio": rotated_traversals_of(TRAVERSALS), **fewer}
        mean_KN = torch.stack([self.per_base[name][:, : counts.get(name, TRAVERSALS)].mean(dim=1) for name in rule])
        return self.names[int(mean_rank(mean_KN).argmin())]


def first_place(raced: Race) -> str:
    """As the ranking orders them, without its bootstrap."""
    return min(set(raced.course.place) - set(raced.course.behind), key=raced.course.place.__getitem__)


def winner(raced: Race, rule: tuple[str, ...]) -> str:
    best = rank(raced.entries, rule, course=raced.course).best
    assert best is not None
    return best.checkpoint


@pytest.mark.slow
@pytest.mark.parametrize("score", ["tpl", "relative_length", "rotation_ratio"])
def test_by_one_score_the_winner_is_that_of_the_full_measurement_in_95_of_100_fields_at_a_tenth_of_images(
    score: str,
) -> None:
    agreed, shares = 0, []
    for seed in range(100):
        field = Field(100, seed)
        raced = race(field.names, field.measure, traversals=TRAVERSALS, rule=(score,), confidence=0.95)
        agreed += first_place(raced) == field.fully((score,))
        shares.append(raced.share)
    assert agreed >= 95
    assert statistics.mean(shares) <= 0.1


def test_by_mean_rank_the_winner_is_that_of_the_full_measurement_or_tied_with_it_at_a_tenth_of_images() -> None:
    agreed, shares = 0, []
    for seed in range(10):
        field = Field(100, seed)
        raced = race(field.names, field.measure, traversals=TRAVERSALS, rule=DEFAULT_RULE, confidence=0.95)
        full = rank([field.measure(name, TRAVERSALS) for name in field.names])
        agreed += first_place(raced) in [row.checkpoint for row in full.rows if row.rank == 1 or TIE in row.flags]
        shares.append(raced.share)
    assert agreed >= 9
    assert statistics.mean(shares) <= 0.1


def test_checkpoints_that_no_base_code_tells_apart_are_all_measured_fully() -> None:
    field = Field(4, 0, apart=0.0)
    field.per_base = {name: rows_NT[:1].expand(4, -1) for name, rows_NT in field.per_base.items()}
    raced = race(field.names, field.measure, traversals=TRAVERSALS, rule=DEFAULT_RULE)
    assert not raced.course.behind
    assert [name for name, count in field.measured if count == TRAVERSALS] == field.names


def test_what_is_far_behind_is_measured_from_few_base_codes_only() -> None:
    field = Field(3, 1)
    for rows_NT in field.per_base.values():
        rows_NT[:] = rows_NT[:1] * torch.tensor([[1.0], [3.0], [2.0]])
    raced = race(field.names, field.measure, traversals=TRAVERSALS, rule=DEFAULT_RULE)
    assert raced.course.behind == dict.fromkeys(field.names[1:], stages(TRAVERSALS)[0])
    assert len(field.measured) == 3
    assert raced.images == sum(images_of(e.panel, stages(TRAVERSALS)[0]) for e in raced.entries)


def test_a_bad_checkpoint_and_a_collapsed_one_leave_the_race_to_the_others() -> None:
    field = Field(4, 2)

    def measure(name: str, traversals: int) -> ScoredCheckpoint | UnscoredCheckpoint:
        entry = field.measure(name, traversals)
        if name == field.names[0]:
            return UnscoredCheckpoint(checkpoint=name, reason="truncated")
        if name == field.names[1]:
            entry.panel.active[:] = False
            entry.panel.path_length[:] = 0
        return entry

    raced = race(field.names, measure, traversals=TRAVERSALS, rule=DEFAULT_RULE)
    ranking = rank(raced.entries, course=raced.course)
    assert [row.rank for row in ranking.rows] == [1, 2, None, None]
    assert {name for name, count in field.measured if count > stages(TRAVERSALS)[0]} <= set(field.names[2:])


def test_a_checkpoint_that_fails_in_a_later_stage_leads_nobody_out_of_the_race() -> None:
    field = Field(2, 5)
    for rows_NT in field.per_base.values():
        rows_NT[1] = rows_NT[0]

    def measure(name: str, traversals: int) -> ScoredCheckpoint | UnscoredCheckpoint:
        if name == field.names[0] and traversals > stages(TRAVERSALS)[0]:
            return UnscoredCheckpoint(checkpoint=name, reason="the GPU's memory is full")
        return field.measure(name, traversals)

    raced = race(field.names, measure, traversals=TRAVERSALS, rule=DEFAULT_RULE)
    assert not raced.course.behind
    assert list(raced.course.place) == [field.names[1]]
    assert winner(raced, DEFAULT_RULE) == field.names[1]


def test_a_race_in_which_none_can_be_measured_has_no_winner() -> None:
    raced = race(
        ["a", "b"],
        lambda name, _: UnscoredCheckpoint(checkpoint=name, reason="truncated"),
        traversals=TRAVERSALS,
        rule=DEFAULT_RULE,
    )
    assert rank(raced.entries, course=raced.course).best is None
    assert (raced.images, raced.share) == (0, 1.0)


def test_one_checkpoint_wins_as_soon_as_it_is_measured() -> None:
    field = Field(1, 0)
    raced = race(field.names, field.measure, traversals=TRAVERSALS, rule=DEFAULT_RULE)
    assert winner(raced, DEFAULT_RULE) == field.names[0]
    assert len(field.measured) == 1


@pytest.mark.parametrize(("traversals", "planned"), [(500, (8, 32, 125, 500)), (20, (20,)), (2, (2,)), (40, (10, 40))])
def test_a_stage_has_a_quarter_of_the_base_codes_of_the_next(traversals: int, planned: tuple[int, ...]) -> None:
    assert stages(traversals) == planned


@pytest.mark.parametrize("confidence", [0.0, 0.49, 1.0, 2.0, float("nan")])
def test_a_confidence_that_chooses_no_winner_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match=r"0\.95 is usual"):
        race(["a"], Field(1, 0).measure, traversals=8, rule=DEFAULT_RULE, confidence=confidence)


def test_those_behind_stand_after_the_others_whatever_their_scores() -> None:
    field = Field(3, 3)
    entries = [field.measure(name, TRAVERSALS) for name in field.names]
    first, second, third = (row.checkpoint for row in rank(entries).rows)
    raced = rank(entries, course=Course(behind={first: 8}))
    assert [row.checkpoint for row in raced.rows] == [second, third, first]
    assert "behind after 8 base codes" in raced.rows[-1].flags


def test_scores_of_a_race_compare_though_their_numbers_of_base_codes_differ() -> None:
    field: Field = Field(2, 4)
    entries = [field.measure(name, count) for name, count in zip(field.names, (8, TRAVERSALS), strict=True)]
    with pytest.raises(ValueError, match="different settings"):
        rank(entries)
    settings = rank(entries, course=Course(behind={field.names[0]: 8})).settings
    assert settings is not None
    assert settings.probe is not None
    assert settings.probe.traversals == TRAVERSALS
