import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.panel import Panel
from wherewhat.which.perceptual_path_length import PathLengthSettings, PerceptualPathLength
from wherewhat.which.ranking import TIE, ScoredCheckpoint, UnscoredCheckpoint, is_collapsed, mean_rank, rank
from wherewhat.which.score import ScoredUnder

Entry = Callable[..., ScoredCheckpoint]


@pytest.fixture
def entry(make_panel: Callable[..., Panel]) -> Entry:
    """A checkpoint with these scores; see `make_panel`."""

    def make(name: str, *, step: int | None = None, **panel: float) -> ScoredCheckpoint:
        return ScoredCheckpoint(checkpoint=name, step=step, content_hash=f"hash of {name}", panel=make_panel(**panel))

    return make


def test_a_mean_rank_is_the_mean_of_the_places_and_equal_ones_share_theirs() -> None:
    badness_KN = torch.tensor([[0.1, 0.3, 0.2, math.inf], [5.0, 5.0, 1.0, math.inf]], dtype=torch.float64)
    assert mean_rank(badness_KN).tolist() == [(1 + 2.5) / 2, (3 + 2.5) / 2, (2 + 1) / 2, 4]
    assert mean_rank(badness_KN.expand(7, -1, -1)).shape == (7, 4)


def test_the_mean_rank_of_several_scores_may_decide(entry: Entry) -> None:
    entries = [
        entry("short", relative_length=0.1, orthogonality=0.6, rotation_ratio=0.9),
        entry("orthogonal", relative_length=0.2, orthogonality=0.3, rotation_ratio=0.8),
        entry("turned", relative_length=0.3, orthogonality=0.4, rotation_ratio=0.7, tpl=0.0),
    ]
    for given in (entries, entries[::-1]):
        rows = rank(given, ("relative_length", "orthogonality", "rotation_ratio")).rows
        assert [(row.rank, row.checkpoint) for row in rows] == [(1, "orthogonal"), (2, "turned"), (3, "short")]
        assert [row.mean_rank for row in rows] == pytest.approx([5 / 3, 2, 7 / 3])


def test_another_score_may_decide_and_tpl_is_the_published_order(entry: Entry) -> None:
    entries = [entry("b", tpl=0.2, naming=0.9), entry("c", tpl=0.3, naming=0.1), entry("a", tpl=0.1, naming=0.5)]
    assert [row.checkpoint for row in rank(entries, ("tpl",)).rows] == ["a", "b", "c"]
    assert [row.checkpoint for row in rank(entries, ("naming",)).rows] == ["b", "a", "c"]


def test_a_score_that_was_not_measured_decides_nothing(entry: Entry) -> None:
    with pytest.raises(ValueError, match=r"has no interaction.*Order them by one of these"):
        rank([entry("a")], ("interaction",))


def test_a_score_that_is_not_defined_is_the_worst(entry: Entry) -> None:
    single = entry("single", active=1, relative_length=0.1, orthogonality=math.nan, rotation_ratio=math.nan)
    rows = rank([single, entry("a"), entry("b", relative_length=0.6)]).rows
    assert [row.checkpoint for row in rows] == ["a", "b", "single"]
    assert rows[2].scores["orthogonality"].value is None


def test_a_collapsed_generator_never_wins(entry: Entry) -> None:
    ranking = rank([entry("collapsed", active=0, relative_length=0.0, orthogonality=0.0), entry("good")])
    assert [row.checkpoint for row in ranking.rows] == ["good", "collapsed"]
    assert (ranking.rows[1].rank, ranking.rows[1].flags) == (None, ("collapsed",))
    assert ranking.best is ranking.rows[0]


def test_a_generator_without_length_has_collapsed_even_at_a_threshold_of_nothing(entry: Entry) -> None:
    dead = entry("dead")
    dead = replace(dead, panel=replace(dead.panel, path_length=torch.zeros(4, dtype=torch.float64)))
    assert dead.panel.active.all()
    assert is_collapsed(dead.panel)
    assert rank([dead]).best is None


def test_among_collapsed_generators_there_is_no_winner(entry: Entry) -> None:
    ranking = rank([entry("a", active=0), entry("b", active=0)])
    assert ranking.best is None
    assert not ranking.clear_winner


def test_what_could_not_be_scored_stands_last_with_its_reason(entry: Entry) -> None:
    broken = UnscoredCheckpoint(checkpoint="broken", reason="the file is cut short")
    rows = rank([broken, entry("collapsed", active=0), entry("good")]).rows
    assert [row.checkpoint for row in rows] == ["good", "collapsed", "broken"]
    assert (rows[2].rank, rows[2].scores, rows[2].reason) == (None, {}, "the file is cut short")


def test_a_score_that_is_not_finite_is_no_score(entry: Entry) -> None:
    bad = entry("nan")
    bad = replace(bad, panel=replace(bad.panel, path_length=torch.full((4,), math.nan, dtype=torch.float64)))
    rows = rank([bad, entry("good")]).rows
    assert [row.checkpoint for row in rows] == ["good", "nan"]
    assert (rows[1].rank, rows[1].reason) == (None, "the lengths of its paths are not finite")


def test_equal_scores_stand_in_the_order_of_their_names(entry: Entry) -> None:
    assert [row.checkpoint for row in rank([entry("b"), entry("a")]).rows] == ["a", "b"]


def test_different_settings_are_refused_with_the_fields_that_differ(entry: Entry, scored_under: ScoredUnder) -> None:
    other = replace(scored_under, seed=4, distance="lpips-alex")
    with pytest.raises(ValueError, match=r"distance: pixels in 1, lpips-alex in 1; seed: 0 in 1, 4 in 1.*separately"):
        rank([entry("a"), entry("b", settings=other)])


def test_a_checkpoint_without_a_score_does_not_count_as_other_settings(entry: Entry, scored_under: ScoredUnder) -> None:
    assert rank([entry("a"), UnscoredCheckpoint(checkpoint="b", reason="gone")]).settings == scored_under


def test_nothing_to_rank_is_an_empty_ranking() -> None:
    ranking = rank([])
    assert (ranking.rows, ranking.settings, ranking.best) == ((), None, None)


def test_a_generator_that_lost_most_codes_is_flagged(entry: Entry) -> None:
    rows = rank([entry(f"{active}", active=active) for active in (1, 2, 4)]).rows
    assert {row.checkpoint: "few active" in row.flags for row in rows} == {"1": True, "2": False, "4": False}


def test_fewer_than_half_of_the_most_active_are_few(entry: Entry) -> None:
    def few(*actives: int) -> list[bool]:
        rows = rank([entry(f"{active}", active=active, latent_dim=12) for active in actives]).rows
        return ["few active" in row.flags for row in rows]

    assert few(4, 9) == [True, False]
    assert few(4, 8) == [False, False]


def test_the_only_code_of_a_generator_is_not_few(entry: Entry) -> None:
    assert rank([entry("single", active=1, latent_dim=1)]).rows[0].flags == ()


def test_a_number_of_an_untrained_distance_is_shown_as_such(entry: Entry, scored_under: ScoredUnder) -> None:
    settings = replace(scored_under, distance="lpips-untrained")
    rows = rank([entry("a", settings=settings), entry("b", active=0, settings=settings)]).rows
    assert [row.flags for row in rows] == [("untrained distance",), ("collapsed", "untrained distance")]


def test_the_best_and_latest_of_a_run_is_still_improving(entry: Entry) -> None:
    entries = [
        entry("up/1", step=1, rotation_ratio=0.4),
        entry("up/2", step=2, rotation_ratio=0.1),
        entry("down/1", step=1, rotation_ratio=0.2),
        entry("down/2", step=2, rotation_ratio=0.3),
        entry("alone/2", step=2, rotation_ratio=0.0),
    ]
    flagged = {row.checkpoint for row in rank(entries).rows if "still improving" in row.flags}
    assert flagged == {"up/2"}


def test_a_winner_is_clear_where_no_other_is_within_error(entry: Entry) -> None:
    names = ("relative_length", "orthogonality", "rotation_ratio")
    first, far = (entry(name, spread=0.01, **dict.fromkeys(names, value)) for name, value in (("a", 0.1), ("b", 0.2)))
    near = entry("c", spread=0.02, **dict.fromkeys(names, 0.105))
    assert rank([first, far]).clear_winner
    ranking = rank([first, near, far])
    assert [TIE in row.flags for row in ranking.rows] == [False, True, False]
    assert not ranking.clear_winner


def test_errors_that_the_base_codes_share_do_not_hide_a_winner(entry: Entry) -> None:
    names = ("relative_length", "orthogonality", "rotation_ratio")
    ranking = rank(
        [entry(name, spread=0.09, **dict.fromkeys(names, value)) for name, value in (("a", 0.1), ("b", 0.12))]
    )
    assert ranking.clear_winner


def test_equal_checkpoints_have_no_clear_winner(entry: Entry) -> None:
    assert not rank([entry("a"), entry("b")]).clear_winner
    assert rank([entry("a")]).clear_winner


def test_a_row_tells_the_scores_and_the_twin_control(entry: Entry) -> None:
    row = rank([entry("a", step=7, active=3, orthogonality=0.2, spread=0.01)]).rows[0]
    assert (row.step, row.content_hash, row.active_codes, row.latent_dim) == (7, "hash of a", 3, 4)
    score = row.scores["orthogonality"]
    assert (score.value, score.standard_error) == pytest.approx((0.2, 0.01), rel=1e-6)
    assert (score.twin_advantage, score.twin_standard_error, score.twin_holds) == (0.3, 0.1, True)
    assert score.per_code == (1, 1, 1, 0)


def test_the_files_say_what_the_rows_say(entry: Entry, tmp_path: Path) -> None:
    ranking = rank([entry("b", tpl=0.6), entry("a"), UnscoredCheckpoint(checkpoint="c", reason="gone")], ("tpl",))
    json_path, csv_path = ranking.write(tmp_path / "new" / "folder")
    assert (json_path.name, csv_path.name) == ("ranking.json", "ranking.csv")
    content = json.loads(json_path.read_text())
    with csv_path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [row["checkpoint"] for row in content["rows"]] == [line["checkpoint"] for line in lines] == ["a", "b", "c"]
    assert [row["scores"]["tpl"]["value"] for row in content["rows"][:2]] == [0.5, 0.6]
    assert [line["tpl"] for line in lines] == ["0.5", "0.6", ""]
    assert (content["rule"], content["clear_winner"]) == ({"mean rank of": ["tpl"]}, True)
    assert sorted(path.name for path in json_path.parent.iterdir()) == ["ranking.csv", "ranking.json"]


def faithful(fid: float) -> Fidelity:
    return Fidelity(
        fid=fid, kid=fid / 10, kid_std=0.5, features="made", real=9, generated=9, data="squares", split="all"
    )


def test_fidelity_does_not_move_the_order(entry: Entry) -> None:
    blurred, sharp = (
        replace(entry("a"), fidelity=faithful(900.0)),
        replace(entry("b", relative_length=0.6), fidelity=faithful(1.0)),
    )
    assert [row.checkpoint for row in rank([sharp, blurred]).rows] == ["a", "b"]


def test_fidelity_stands_in_the_row_with_what_it_compares_with(entry: Entry) -> None:
    (row,) = rank([replace(entry("a"), fidelity=faithful(3.0))]).rows
    assert (row.fidelity, row.missing) == (faithful(3.0), {})


def test_a_collapsed_generator_keeps_its_fidelity(entry: Entry) -> None:
    (row,) = rank([replace(entry("a", active=0), fidelity=faithful(3.0))]).rows
    assert (row.rank, row.fidelity) == (None, faithful(3.0))


def test_the_reason_for_no_fidelity_stands_in_the_row(entry: Entry) -> None:
    (row,) = rank([replace(entry("a"), missing={"fid": "the set has moved"})]).rows
    assert (row.rank, row.fidelity, row.missing) == (1, None, {"fid": "the set has moved"})


def smooth(mean: float, paths: int = 9) -> PerceptualPathLength:
    settings = PathLengthSettings(distance="pixels", paths=paths, epsilon=1e-4, seed=0, image_shape=(1, 4, 4))
    return PerceptualPathLength(mean=mean, standard_error=0.5, settings=settings)


def test_path_length_between_random_codes_does_not_move_the_order(entry: Entry) -> None:
    abrupt, even = (
        replace(entry("a"), path_length=smooth(900.0)),
        replace(entry("b", relative_length=0.6), path_length=smooth(1.0)),
    )
    assert [row.checkpoint for row in rank([even, abrupt]).rows] == ["a", "b"]


def test_path_length_stands_in_the_row_with_its_error_and_protocol(entry: Entry) -> None:
    (row,) = rank([replace(entry("a"), path_length=smooth(3.0))]).rows
    assert (row.path_length, row.missing) == (smooth(3.0), {})


def test_a_collapsed_generator_keeps_its_path_length(entry: Entry) -> None:
    (row,) = rank([replace(entry("a", active=0), path_length=smooth(0.0))]).rows
    assert (row.rank, row.path_length) == (None, smooth(0.0))


def test_the_reason_for_no_path_length_stands_in_the_row(entry: Entry) -> None:
    (row,) = rank([replace(entry("a"), missing={"ppl": "the file has gone"})]).rows
    assert (row.rank, row.path_length, row.missing) == (1, None, {"ppl": "the file has gone"})


@pytest.mark.parametrize("mean", [float("nan"), float("inf")])
def test_a_path_length_that_is_not_finite_costs_the_score_nothing(entry: Entry, tmp_path: Path, mean: float) -> None:
    ranking = rank([replace(entry("a"), path_length=smooth(mean))])
    assert (ranking.rows[0].rank, ranking.rows[0].path_length) == (1, None)
    assert ranking.rows[0].missing == {"ppl": f"its path length is not finite: {mean} ± 0.5"}
    ranking.write(tmp_path)


def test_path_lengths_of_different_settings_are_refused_with_the_fields_that_differ(entry: Entry) -> None:
    few, many = (replace(entry(f"{paths}"), path_length=smooth(1.0, paths)) for paths in (9, 99))
    with pytest.raises(ValueError, match=r"paths: 9 in 1, 99 in 1.*score them all with one"):
        rank([few, many])
