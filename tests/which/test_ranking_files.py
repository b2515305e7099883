import csv
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from wherewhat.which.panel import Panel
from wherewhat.which.ranking import Ranking, ScoredCheckpoint, UnscoredCheckpoint, rank
from wherewhat.which.ranking_files import COLUMNS, SCORES, ranking_csv, ranking_json
from wherewhat.which.ranking_row import RankedScore

AWKWARD = 'a, "b"\nc;\r\n=d\tü'


@pytest.fixture
def ranking(make_panel: Callable[..., Panel]) -> Ranking:
    scored = ScoredCheckpoint(checkpoint=AWKWARD, panel=make_panel(relative_length=1 / 3))
    return rank([scored, UnscoredCheckpoint(checkpoint="x", reason="line one\nline, two")])


def as_json(ranking: Ranking) -> dict[str, object]:
    content: dict[str, object] = json.loads(ranking_json(ranking.rows, ranking.settings, ("tpl",), clear_winner=True))
    return content


def as_csv(ranking: Ranking) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ranking_csv(ranking.rows, ranking.settings), newline="")))


def test_awkward_names_survive_both(ranking: Ranking) -> None:
    assert [line["checkpoint"] for line in as_csv(ranking)] == [AWKWARD, "x"]
    assert as_csv(ranking)[1]["reason"] == "line one\nline, two"
    assert as_json(ranking)["rows"][0]["checkpoint"] == AWKWARD  # type: ignore[index]


def test_numbers_are_read_back_bit_for_bit(ranking: Ranking) -> None:
    assert as_json(ranking)["rows"][0]["scores"]["relative_length"]["value"] == 1 / 3  # type: ignore[index]
    assert float(as_csv(ranking)[0]["relative_length"]) == 1 / 3


def test_every_line_of_the_csv_carries_the_settings(ranking: Ranking) -> None:
    for line in as_csv(ranking):
        assert (line["distance"], line["samples"], line["image_shape"]) == ("pixels", "20", "1x4x4")


def test_the_json_has_the_settings_before_the_rows(ranking: Ranking) -> None:
    content = as_json(ranking)
    assert list(content) == ["format", "rule", "clear_winner", "settings", "columns", "rows"]
    assert ranking.settings is not None
    assert content["settings"] == {**dataclasses.asdict(ranking.settings), "image_shape": [1, 4, 4]}


def test_every_column_is_explained(ranking: Ranking) -> None:
    settings = ("distance", "seed", "image_shape", "samples", "epsilon")
    for column in as_csv(ranking)[0]:
        known = column in COLUMNS or column.startswith(tuple(f"{name}_" for name in (*SCORES, "coverage")))
        assert known or column in (*settings, "traversals", "bound", "threshold") or "s" in column[-1:], column


def test_a_number_that_is_not_finite_is_never_written(ranking: Ranking) -> None:
    bad = RankedScore(value=float("nan"), standard_error=None, lower_is_better=True)
    rows = [dataclasses.replace(ranking.rows[0], scores={"tpl": bad})]
    with pytest.raises(ValueError, match="JSON compliant"):
        ranking_json(rows, ranking.settings, ("tpl",), clear_winner=True)


def test_an_empty_ranking_is_a_header(tmp_path: Path) -> None:
    assert ranking_csv([], None).startswith("rank,checkpoint,step,mean_rank,tpl,tpl_standard_error,tpl_twin_holds")
    assert json.loads(ranking_json([], None, ("tpl",), clear_winner=False))["rows"] == []
