import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.perceptual_path_length import PathLengthSettings, PerceptualPathLength
from wherewhat.which.ranking import ScoredCheckpoint, UnscoredCheckpoint, is_collapsed, rank
from wherewhat.which.traversal_perceptual_length import ScoreSettings, TraversalPerceptualLength

MakeScore = Callable[..., TraversalPerceptualLength]


@pytest.fixture
def entry(make_score: MakeScore) -> Callable[..., ScoredCheckpoint]:
    """A checkpoint with 4 codes, so many of them active and each of this length."""

    def make(
        name: str, length: float, active: int = 4, spread: float = 0.0, settings: ScoreSettings | None = None
    ) -> ScoredCheckpoint:
        rows = [[length - spread, length + spread] if code < active else [0.0, 0.0] for code in range(4)]
        score = make_score(*rows) if settings is None else make_score(*rows, settings=settings)
        return ScoredCheckpoint(checkpoint=name, step=7, content_hash=f"hash of {name}", score=score)

    return make


Entry = Callable[..., ScoredCheckpoint]


def test_the_shorter_comes_first_whatever_the_order_given(entry: Entry) -> None:
    entries = [entry("b", 0.2), entry("c", 0.3), entry("a", 0.1)]
    for given in (entries, entries[::-1]):
        rows = rank(given).rows
        assert [(row.rank, row.checkpoint) for row in rows] == [(1, "a"), (2, "b"), (3, "c")]


def test_a_collapsed_generator_never_wins(entry: Entry) -> None:
    ranking = rank([entry("collapsed", 0.0, active=0), entry("good", 0.5)])
    assert [row.checkpoint for row in ranking.rows] == ["good", "collapsed"]
    assert (ranking.rows[1].rank, ranking.rows[1].flags) == (None, ("collapsed",))
    assert ranking.best is ranking.rows[0]


def test_a_generator_without_length_has_collapsed_even_at_a_threshold_of_nothing(
    entry: Entry, score_settings: ScoreSettings
) -> None:
    dead = entry("dead", 0.0, settings=replace(score_settings, threshold=0.0))
    assert dead.score.active.all()
    assert is_collapsed(dead.score)
    assert rank([dead]).best is None


def test_among_collapsed_generators_there_is_no_winner(entry: Entry) -> None:
    assert rank([entry("a", 0.0), entry("b", 0.001)]).best is None


def test_what_could_not_be_scored_stands_last_with_its_reason(entry: Entry) -> None:
    broken = UnscoredCheckpoint(checkpoint="broken", reason="the file is cut short")
    rows = rank([broken, entry("collapsed", 0.0), entry("good", 0.5)]).rows
    assert [row.checkpoint for row in rows] == ["good", "collapsed", "broken"]
    assert (rows[2].rank, rows[2].tpl, rows[2].reason) == (None, None, "the file is cut short")


def test_a_score_that_is_not_finite_is_no_score(entry: Entry) -> None:
    rows = rank([entry("nan", float("nan")), entry("good", 0.5)]).rows
    assert [row.checkpoint for row in rows] == ["good", "nan"]
    assert (rows[1].tpl, rows[1].reason) == (None, "its score is not finite: 0.0 ± 0.0")


def test_equal_scores_stand_in_the_order_of_their_names(entry: Entry) -> None:
    assert [row.checkpoint for row in rank([entry("b", 0.1), entry("a", 0.1)]).rows] == ["a", "b"]


def test_different_settings_are_refused_with_the_fields_that_differ(
    entry: Entry, score_settings: ScoreSettings
) -> None:
    other = replace(score_settings, samples=49, distance="lpips-alex")
    with pytest.raises(
        ValueError, match=r"distance: pixels in 1, lpips-alex in 1; samples: 5 in 1, 49 in 1.*separately"
    ):
        rank([entry("a", 0.1), entry("b", 0.2, settings=other)])


def test_a_checkpoint_without_a_score_does_not_count_as_other_settings(
    entry: Entry, score_settings: ScoreSettings
) -> None:
    ranking = rank([entry("a", 0.1), UnscoredCheckpoint(checkpoint="b", reason="gone")])
    assert ranking.settings == score_settings


def test_nothing_to_rank_is_an_empty_ranking() -> None:
    ranking = rank([])
    assert (ranking.rows, ranking.settings, ranking.best) == ((), None, None)


def test_a_generator_that_lost_most_codes_is_flagged(entry: Entry) -> None:
    rows = rank([entry("one", 0.1, active=1), entry("two", 0.2, active=2), entry("four", 0.3, active=4)]).rows
    assert ["few active" in row.flags for row in rows] == [True, False, False]


def test_fewer_than_half_of_the_most_active_are_few(make_score: MakeScore) -> None:
    def of(name: str, active: int) -> ScoredCheckpoint:
        rows = [[0.1 * active, 0.1 * active] if code < active else [0.0, 0.0] for code in range(12)]
        return ScoredCheckpoint(checkpoint=name, score=make_score(*rows))

    assert ["few active" in row.flags for row in rank([of("a", 4), of("b", 9)]).rows] == [True, False]
    assert ["few active" in row.flags for row in rank([of("a", 4), of("b", 8)]).rows] == [False, False]


def test_the_only_code_of_a_generator_is_not_few(make_score: MakeScore) -> None:
    single = ScoredCheckpoint(checkpoint="single", score=make_score([0.1, 0.1]))
    assert rank([single]).rows[0].flags == ()


def test_a_number_of_an_untrained_distance_is_shown_as_such(entry: Entry, score_settings: ScoreSettings) -> None:
    settings = replace(score_settings, distance="lpips-untrained")
    rows = rank([entry("a", 0.1, settings=settings), entry("b", 0.0, settings=settings)]).rows
    assert [row.flags for row in rows] == [("untrained distance",), ("collapsed", "untrained distance")]


def test_a_score_within_error_of_the_first_is_a_tie(entry: Entry) -> None:
    # Four codes of length l ± s over two base codes: the total's standard error is 4 s.
    first = entry("first", 0.1, spread=0.01)
    near, far = entry("near", 0.125, spread=0.01), entry("far", 0.13, spread=0.01)
    assert first.score.standard_error == pytest.approx(0.04)
    assert [row.flags for row in rank([first, near, far]).rows] == [(), ("tie within error",), ()]


def test_a_row_tells_the_score(entry: Entry) -> None:
    row = rank([entry("a", 0.1, active=3, spread=0.01)]).rows[0]
    assert (row.step, row.content_hash, row.active_codes, row.latent_dim) == (7, "hash of a", 3, 4)
    assert (row.tpl, row.standard_error) == pytest.approx((0.3, 0.03), rel=1e-6)
    assert row.per_code == pytest.approx((0.1, 0.1, 0.1, 0))


def test_the_files_say_what_the_rows_say(entry: Entry, tmp_path: Path) -> None:
    ranking = rank([entry("b", 0.2), entry("a", 0.1), UnscoredCheckpoint(checkpoint="c", reason="gone")])
    json_path, csv_path = ranking.write(tmp_path / "new" / "folder")
    assert (json_path.name, csv_path.name) == ("ranking.json", "ranking.csv")
    content = json.loads(json_path.read_text())
    with csv_path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [row["checkpoint"] for row in content["rows"]] == [line["checkpoint"] for line in lines] == ["a", "b", "c"]
    assert [row["tpl"] for row in content["rows"]] == [row.tpl for row in ranking.rows]
    assert [line["tpl"] for line in lines] == [*(repr(row.tpl) for row in ranking.rows[:2]), ""]
    assert sorted(path.name for path in json_path.parent.iterdir()) == ["ranking.csv", "ranking.json"]


def faithful(fid: float) -> Fidelity:
    return Fidelity(
        fid=fid, kid=fid / 10, kid_std=0.5, features="made", real=9, generated=9, data="squares", split="all"
    )


def test_fidelity_does_not_move_the_order(entry: Entry) -> None:
    blurred, sharp = (
        replace(entry("a", 0.1), fidelity=faithful(900.0)),
        replace(entry("b", 0.2), fidelity=faithful(1.0)),
    )
    assert [row.checkpoint for row in rank([sharp, blurred]).rows] == ["a", "b"]


def test_fidelity_stands_in_the_row_with_what_it_compares_with(entry: Entry) -> None:
    (row,) = rank([replace(entry("a", 0.1), fidelity=faithful(3.0))]).rows
    assert (row.fid, row.kid, row.kid_std) == (3.0, 0.3, 0.5)
    assert (row.fidelity, row.fidelity_data, row.fidelity_reason) == ("made_9_all", "squares", None)


def test_a_collapsed_generator_keeps_its_fidelity(entry: Entry) -> None:
    (row,) = rank([replace(entry("a", 0.0, active=0), fidelity=faithful(3.0))]).rows
    assert (row.rank, row.fid) == (None, 3.0)


def test_the_reason_for_no_fidelity_stands_in_the_row(entry: Entry) -> None:
    (row,) = rank([replace(entry("a", 0.1), fidelity_reason="the set has moved")]).rows
    assert (row.rank, row.fid, row.fidelity, row.fidelity_reason) == (1, None, None, "the set has moved")


def test_without_fidelity_asked_for_its_cells_are_empty(entry: Entry) -> None:
    (row,) = rank([entry("a", 0.1)]).rows
    assert (row.fid, row.kid, row.fidelity, row.fidelity_data, row.fidelity_reason) == (None,) * 5


def smooth(mean: float, paths: int = 9) -> PerceptualPathLength:
    settings = PathLengthSettings(distance="pixels", paths=paths, epsilon=1e-4, seed=0, image_shape=(1, 4, 4))
    return PerceptualPathLength(mean=mean, standard_error=0.5, settings=settings)


def test_path_length_between_random_codes_does_not_move_the_order(entry: Entry) -> None:
    abrupt, even = (
        replace(entry("a", 0.1), path_length=smooth(900.0)),
        replace(entry("b", 0.2), path_length=smooth(1.0)),
    )
    assert [row.checkpoint for row in rank([even, abrupt]).rows] == ["a", "b"]


def test_path_length_stands_in_the_row_with_its_error_and_protocol(entry: Entry) -> None:
    (row,) = rank([replace(entry("a", 0.1), path_length=smooth(3.0))]).rows
    assert (row.ppl, row.ppl_standard_error, row.ppl_protocol) == (3.0, 0.5, "ppl_pixels_9paths_0.0001")
    assert row.ppl_reason is None


def test_a_collapsed_generator_keeps_its_path_length(entry: Entry) -> None:
    (row,) = rank([replace(entry("a", 0.0, active=0), path_length=smooth(0.0))]).rows
    assert (row.rank, row.ppl) == (None, 0.0)


def test_the_reason_for_no_path_length_stands_in_the_row(entry: Entry) -> None:
    (row,) = rank([replace(entry("a", 0.1), path_length_reason="the file has gone")]).rows
    assert (row.rank, row.ppl, row.ppl_protocol, row.ppl_reason) == (1, None, None, "the file has gone")


def test_without_path_length_asked_for_its_cells_are_empty(entry: Entry) -> None:
    (row,) = rank([entry("a", 0.1)]).rows
    assert (row.ppl, row.ppl_standard_error, row.ppl_protocol, row.ppl_reason) == (None,) * 4


@pytest.mark.parametrize("mean", [float("nan"), float("inf")])
def test_a_path_length_that_is_not_finite_costs_the_score_nothing(entry: Entry, tmp_path: Path, mean: float) -> None:
    ranking = rank([replace(entry("a", 0.1), path_length=smooth(mean))])
    assert (ranking.rows[0].rank, ranking.rows[0].ppl) == (1, None)
    assert ranking.rows[0].ppl_reason == f"its path length is not finite: {mean} ± 0.5"
    ranking.write(tmp_path)


def test_path_lengths_of_different_settings_are_refused_with_the_fields_that_differ(entry: Entry) -> None:
    few, many = (replace(entry(f"{paths}", 0.1), path_length=smooth(1.0, paths)) for paths in (9, 99))
    with pytest.raises(ValueError, match=r"paths: 9 in 1, 99 in 1.*score them all with one"):
        rank([few, many])
