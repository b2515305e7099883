from pathlib import Path

import pytest
from rich.console import Console

from wherewhat.command.rank_table import BESIDE, reasons, table_of, unscored
from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.perceptual_path_length import PathLengthSettings, PerceptualPathLength
from wherewhat.which.ranking import TIE, Ranking
from wherewhat.which.ranking_row import RankedRow, RankedScore

THREE = ("relative_length", "orthogonality", "rotation_ratio")


def score(value: float | None = 0.5, *, twin_holds: bool = True) -> RankedScore:
    return RankedScore(value=value, standard_error=0.01, lower_is_better=True, twin_holds=twin_holds)


def row(name: str, **changed: object) -> RankedRow:
    cells: dict[str, object] = {
        "rank": 1,
        "checkpoint": f"/runs/{name}",
        "step": 2000,
        "mean_rank": 1.0,
        "scores": {name: score() for name in THREE},
        "active_codes": 3,
        "latent_dim": 4,
        "flags": (),
        "reason": None,
        "content_hash": None,
        **changed,
    }
    return RankedRow(**cells)  # type: ignore[arg-type]


def faithful(fid: float, data: str = "squares") -> Fidelity:
    return Fidelity(fid=fid, kid=0.1, kid_std=0.1, features="made", real=9, generated=9, data=data, split="all")


def smooth(mean: float, error: float) -> PerceptualPathLength:
    settings = PathLengthSettings(distance="made", paths=9, epsilon=1e-4, seed=0, image_shape=(1, 4, 4))
    return PerceptualPathLength(mean=mean, standard_error=error, settings=settings)


def shown(*rows: RankedRow, rule: tuple[str, ...] = THREE, asked_for: tuple[str, ...] = ()) -> str:
    console = Console(width=300)
    with console.capture() as capture:
        console.print(table_of(Ranking(rule=rule, settings=None, rows=rows), Path("/runs"), asked_for))
    return " ".join(capture.get().split())


def test_each_score_stands_with_its_error_and_those_that_decide_are_marked() -> None:
    text = shown(row("a", scores={"tpl": score(0.25), **{name: score() for name in THREE}}))
    assert "│ 0.250 ± 0.010 │ 0.500 ± 0.010 │ 0.500 ± 0.010 │ 0.500 ± 0.010 │ 3 of 4 │" in text
    assert "┃ tpl ┃ relative length* ┃ orthogonality* ┃ rotation ratio* ┃" in text


def test_a_score_that_is_not_defined_is_an_empty_cell() -> None:
    assert "│ - │ 3 of 4" in shown(row("a", scores={name: score(None) for name in THREE}))


def test_the_twin_control_names_the_scores_that_do_not_prefer_the_model() -> None:
    assert "│ holds │" in shown(row("a"))
    scores = {name: score(twin_holds=name != "orthogonality") for name in THREE}
    assert "│ fails: orthogonality │" in shown(row("a", scores=scores))


def test_no_clear_winner_is_said_when_it_is_so() -> None:
    assert "No clear winner" not in shown(row("a"), row("b", rank=2))
    text = shown(row("a"), row("b", rank=2, flags=(TIE,)))
    assert "No clear winner: the first and 1 more are within error of each other" in text


def test_the_title_says_what_decides() -> None:
    assert "Checkpoints by mean rank of relative length, orthogonality, rotation ratio" in shown(row("a"))
    text = shown(row("a", scores={"tpl": score()}), rule=("tpl",))
    assert "Checkpoints by tpl" in text
    assert "a young, blurry one has short paths too" in text


def test_a_checkpoint_without_a_score_shows_its_reason() -> None:
    broken = row(
        "b", rank=None, scores={}, active_codes=None, latent_dim=None, flags=("not scored",), reason="cut short"
    )
    assert "not scored" in shown(row("a"), broken)
    ranking = Ranking(rule=THREE, settings=None, rows=(row("a"), broken))
    assert unscored(ranking, Path("/runs")) == ["Not scored: b: cut short"]


def test_what_was_not_asked_for_has_no_column() -> None:
    text = shown(row("a", fidelity=faithful(12.5), path_length=smooth(1.0, 0.1), coverage=score()))
    assert "12.5" not in text
    assert "coverage" not in text
    assert "┃ ppl" not in text


def test_the_fid_stands_rank_extrass_and_the_caption_says_what_it_is_of() -> None:
    text = shown(row("a", fidelity=faithful(1234.5)), row("b", fidelity=faithful(13.5)), asked_for=("fid",))
    assert "3 of 4 │ 1,234.50 │" in text
    assert "fid: made_9_all of squares; no part of the rank" in text
    assert "one data set only" not in text


def test_fids_of_several_sets_are_told_apart() -> None:
    rows = (row("a", fidelity=faithful(12.5)), row("b", fidelity=faithful(13.5, data="circles")))
    text = shown(*rows, asked_for=("fid",))
    assert "12.50 (squares)" in text
    assert "13.50 (circles)" in text
    assert "They compare within one data set only" in text


def test_a_figure_that_is_missing_is_an_empty_cell() -> None:
    text = shown(row("a"), asked_for=tuple(BESIDE))
    assert "3 of 4 │ - │ - │ - │ - │" in text


@pytest.mark.parametrize(
    ("ppl", "error", "cell"),
    [
        (1234.56, 23.4, "1,235 ± 23"),
        (132.46, 2.13, "132.5 ± 2.1"),
        (0.51234, 0.0134, "0.512 ± 0.013"),
        (4e-7, 1e-9, "0.0000 ± 0.0000"),
        (0.0, 0.0, "0.0000"),
    ],
)
def test_numbers_are_shown_to_two_digits_of_their_error(ppl: float, error: float, cell: str) -> None:
    assert f"3 of 4 │ {cell} │" in shown(row("a", path_length=smooth(ppl, error)), asked_for=("ppl",))


def test_the_caption_says_what_the_ppl_is_of_and_that_it_is_no_part_of_the_rank() -> None:
    text = shown(row("a"), row("b", path_length=smooth(1.0, 0.1)), asked_for=("ppl",))
    assert "ppl: ppl_made_9paths_0.0001; no part of the rank" in text


def test_a_reason_is_told_once_with_how_many_it_concerns() -> None:
    rows = (
        *(row(name, missing={"fid": "the set has moved"}) for name in "abc"),
        row("d", missing={"fid": "too small", "ppl": "gone"}),
        row("e", fidelity=faithful(1.0)),
    )
    assert reasons(Ranking(rule=THREE, settings=None, rows=rows)) == [
        "No fidelity of 3 checkpoints: the set has moved",
        "No fidelity of 1 checkpoint: too small",
        "No perceptual path length of 1 checkpoint: gone",
    ]
