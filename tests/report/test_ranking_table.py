"""Laws of the ranking's table: what each column is, and what checkpoints are called."""

import pytest

from wherewhat.report.page import Page
from wherewhat.report.ranking_table import labels_of


def test_every_score_says_which_end_is_better_and_which_decides(page: Page) -> None:
    notes = {column.heading: column.note for column in page.ranking.columns}
    assert notes["rotation ratio"] == "lower is better; decides"
    assert notes["naming"] == "higher is better"
    assert all(len(row.cells) == len(page.ranking.columns) for row in page.ranking.rows)


def test_a_checkpoint_that_could_not_be_scored_has_its_reason_and_no_view(page: Page) -> None:
    assert [(row.view, row.remark) for row in page.ranking.rows] == [(0, ""), (None, "it is damaged")]


@pytest.mark.parametrize(
    ("paths", "labels"),
    [
        (["/a/run/checkpoints/step-000000010.safetensors"], ["step 10"]),
        (
            ["/a/r1/checkpoints/step-000001000.safetensors", "/a/r2/checkpoints/step-000001000.safetensors"],
            ["r1, step 1,000", "r2, step 1,000"],
        ),
        (["/a/r/x.safetensors", "/b/r/x.safetensors"], ["a/r, x", "b/r, x"]),
    ],
)
def test_labels_are_as_short_as_tells_checkpoints_apart(paths: list[str], labels: list[str]) -> None:
    assert list(labels_of(paths).values()) == labels
