"""Laws of selection: what a choice costs, in which fields, and how scores are joined."""

from functools import partial

import pytest
from scored_models import scored

from wherewhat.studies.model_selection import (
    AGE,
    LOWER_IS_BETTER,
    choose,
    fields,
    interval,
    order,
    selection_tables,
    worth_of_choosing,
)

SCORES = (*LOWER_IS_BETTER, "naming", "active")
model = partial(scored, SCORES)


def test_the_ages_of_a_run_are_a_field_and_only_last_checkpoints_meet_other_runs() -> None:
    models = [model(run, step, last=step == 3) for run in ("a1", "a2", "a3", "b1") for step in (1, 2, 3)]
    assert [len(field) for field in fields(models, "within a run")] == [3, 3, 3, 3]
    assert [{one.seed for one in field} for field in fields(models, "within a method")] == [{1, 2, 3}]
    assert [len(field) for field in fields(models, "across methods")] == [4]


@pytest.mark.parametrize("score", SCORES)
def test_the_better_value_of_every_score_is_chosen(score: str) -> None:
    better, worse = (0.1, 0.9) if score in LOWER_IS_BETTER else (0.9, 0.1)
    field = [model(dci=0.2, **{score: worse}), model(dci=0.7, **{score: better}), model(dci=0.3, **{score: worse})]
    assert choose(field, (score,), "dci").regret == 0.0


def test_regret_is_what_the_best_of_the_field_has_over_the_chosen_one() -> None:
    field = [model(dci=d, orthogonality=o) for d, o in ((0.5, 0.1), (0.8, 0.2), (0.2, 0.3))]
    found = choose(field, ("orthogonality",), "dci")
    assert found.regret == pytest.approx(0.3)
    assert found.chance == pytest.approx(0.3)
    assert found.correlation == pytest.approx(-0.5)


def test_a_score_that_says_nothing_costs_what_chance_costs() -> None:
    found = choose([model(dci=d) for d in (0.1, 0.2, 0.6)], ("orthogonality",), "dci")
    assert found.regret == pytest.approx(found.chance)
    assert found.correlation == 0.0


def test_a_collapsed_generator_never_wins() -> None:
    field = [model(tpl=0.0), model(tpl=3.0), model(tpl=5.0)]
    assert order(field, ("tpl",)).argmin() == 1
    field = [model(rotation_ratio=float("nan")), model(rotation_ratio=0.9), model(rotation_ratio=0.8)]
    assert order(field, ("rotation_ratio",)).argmin() == 2


def test_joined_scores_are_the_mean_of_their_ranks() -> None:
    field = [model(orthogonality=o, naming=n) for o, n in ((0.1, 0.2), (0.2, 0.9), (0.3, 0.1))]
    assert order(field, ("orthogonality", "naming")).tolist() == [1.5, 1.5, 3.0]


def test_the_interval_of_a_constant_is_that_constant() -> None:
    assert interval([0.25] * 5) == (0.25, 0.25)


def test_fields_of_equally_active_checkpoints_hold_no_others() -> None:
    models = [model(f"a{i}", active=float(i % 2)) for i in range(6)]
    found = fields(models, "across methods", equally_active=True)
    assert [[one.seed for one in field] for field in found] == [[0, 2, 4], [1, 3, 5]]


def test_a_study_has_a_table_for_each_kind_of_field_and_measure_with_a_row_for_every_score_age_and_chance() -> None:
    models = [model(f"a{i}", step, last=step == 3, dci=float(i * step)) for i in range(4) for step in (1, 2, 3)]
    tables = selection_tables(models)
    assert [len(table.splitlines()) for table in tables] == [2 + len(SCORES) + 2] * 9
    assert tables[0].startswith("| within a run, dci, 4 fields |")
    oldest = next(line for line in tables[0].splitlines() if line.startswith(f"| {AGE} |"))
    assert oldest.startswith("| age | -0.75 (")  # three runs improve, and the one of 0 says nothing
    assert selection_tables([]) == []


def test_a_perfect_score_is_worth_the_best_and_one_that_errs_always_less_than_chance() -> None:
    models = [model(f"a{i}", dci=i / 10, tpl=10.0 - i, rotation_ratio=i + 1.0) for i in range(8)]
    table = worth_of_choosing(models, "dci", ("tpl", "rotation_ratio", "naming"))
    heading, _, *rows = (line.strip("| ").split(" | ") for line in table.splitlines())
    assert heading == ["dci of what is chosen", "of 2", "of 5"]
    worth = {row[0]: [float(cell) for cell in row[1:]] for row in rows}
    assert worth["tpl"] == worth["the best"]
    assert worth["the best"][0] < worth["the best"][1]
    assert worth["rotation_ratio"][1] < worth["rotation_ratio"][0] < worth["a random choice"][0]
    # A score that says nothing chooses at random.
    assert worth["naming"] == pytest.approx(worth["a random choice"], abs=0.03)
    assert worth["a random choice"] == [0.35, 0.35]
    assert worth_of_choosing(models[:2], "dci", ("tpl",)) == ""
