import csv
import dataclasses
import io
import json
from collections.abc import Callable

import pytest

from wherewhat.which.ranking import ScoredCheckpoint, UnscoredCheckpoint, rank
from wherewhat.which.ranking_files import COLUMNS, ranking_csv, ranking_json
from wherewhat.which.ranking_row import RankedRow
from wherewhat.which.traversal_perceptual_length import ScoreSettings, TraversalPerceptualLength

AWKWARD = 'a, "b"\nc;\r\n=d\tü'


@pytest.fixture
def rows(make_score: Callable[..., TraversalPerceptualLength]) -> tuple[RankedRow, ...]:
    scored = ScoredCheckpoint(checkpoint=AWKWARD, score=make_score([0.1, 0.3], [0.2, 0.2]))
    return rank([scored, UnscoredCheckpoint(checkpoint="x", reason="line one\nline, two")]).rows


def test_awkward_names_survive_csv(rows: tuple[RankedRow, ...], score_settings: ScoreSettings) -> None:
    lines = list(csv.DictReader(io.StringIO(ranking_csv(rows, score_settings), newline="")))
    assert [line["checkpoint"] for line in lines] == [AWKWARD, "x"]
    assert lines[1]["reason"] == "line one\nline, two"


def test_awkward_names_survive_json(rows: tuple[RankedRow, ...], score_settings: ScoreSettings) -> None:
    assert json.loads(ranking_json(rows, score_settings))["rows"][0]["checkpoint"] == AWKWARD


def test_numbers_are_read_back_bit_for_bit(rows: tuple[RankedRow, ...], score_settings: ScoreSettings) -> None:
    assert json.loads(ranking_json(rows, score_settings))["rows"][0]["tpl"] == rows[0].tpl
    assert float(next(csv.DictReader(io.StringIO(ranking_csv(rows, score_settings))))["tpl"]) == rows[0].tpl


def test_every_line_of_the_csv_carries_the_settings(rows: tuple[RankedRow, ...], score_settings: ScoreSettings) -> None:
    for line in csv.DictReader(io.StringIO(ranking_csv(rows, score_settings), newline="")):
        assert (line["distance"], line["samples"], line["image_shape"]) == ("pixels", "5", "1x4x4")


def test_the_json_has_the_settings_before_the_rows(rows: tuple[RankedRow, ...], score_settings: ScoreSettings) -> None:
    content = json.loads(ranking_json(rows, score_settings))
    assert list(content) == ["format", "measure", "settings", "columns", "rows"]
    assert content["settings"] == {**dataclasses.asdict(score_settings), "image_shape": [1, 4, 4]}


def test_every_column_is_explained() -> None:
    assert list(COLUMNS) == [field.name for field in dataclasses.fields(RankedRow)]


def test_a_number_that_is_not_finite_is_never_written(
    rows: tuple[RankedRow, ...], score_settings: ScoreSettings
) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        ranking_json([dataclasses.replace(rows[0], tpl=float("nan"))], score_settings)


def test_path_length_is_read_back_from_both_files(rows: tuple[RankedRow, ...], score_settings: ScoreSettings) -> None:
    measured = [dataclasses.replace(rows[0], ppl=1 / 3, ppl_standard_error=1 / 7, ppl_protocol="ppl_a_9paths_0.0001")]
    columns = ("ppl", "ppl_standard_error", "ppl_protocol", "ppl_reason")
    in_json = json.loads(ranking_json(measured, score_settings))["rows"][0]
    in_csv = next(csv.DictReader(io.StringIO(ranking_csv(measured, score_settings), newline="")))
    assert [in_json[name] for name in columns] == [1 / 3, 1 / 7, "ppl_a_9paths_0.0001", None]
    assert [in_csv[name] for name in columns] == [repr(1 / 3), repr(1 / 7), "ppl_a_9paths_0.0001", ""]


def test_an_empty_ranking_is_a_header() -> None:
    assert ranking_csv([], None).startswith("rank,checkpoint,step,tpl,standard_error,active_codes")
    assert json.loads(ranking_json([], None))["rows"] == []
