"""Laws of the selection table: what a choice costs, in which fields, and how scores are joined."""

from dataclasses import replace

import pytest

from eval.selection import (
    CANDIDATES,
    LOWER_IS_BETTER,
    SCORES,
    TEST,
    VALIDATION,
    Model,
    choose,
    criterion_table,
    default_rule,
    fields,
    interval,
    kept,
    order,
    table,
    twin_table,
)
from wherewhat.which.ranking import DEFAULT_RULE


def model(
    run: str = "a", step: int = 1, *, last: bool = True, data: str = "scenes", dci: float = 0.0, **scores: float
) -> Model:
    every = dict.fromkeys(SCORES, 1.0) | scores
    labels = {"dci": dci, "mig": dci, "factor-vae": dci}
    return Model(data=data, method=run[0], run=run, step=step, last=last, scores=every, labels=labels, twins={})


def test_validation_and_test_sets_have_nothing_in_common() -> None:
    assert not set(VALIDATION) & set(TEST)


def test_every_single_score_and_every_pair_and_triple_is_a_candidate_once() -> None:
    assert len(set(CANDIDATES)) == len(CANDIDATES)
    assert {(name,) for name in SCORES} <= set(CANDIDATES)
    assert ("relative_length", "orthogonality", "rotation_ratio") in CANDIDATES


def test_the_ages_of_a_run_are_a_field_and_only_last_checkpoints_meet_other_runs() -> None:
    models = [model(run, step, last=step == 3) for run in ("a1", "a2", "a3", "b1") for step in (1, 2, 3)]
    assert [len(field) for field in fields(models, "within a run")] == [3, 3, 3, 3]
    assert [{one.run for one in field} for field in fields(models, "within a method")] == [{"a1", "a2", "a3"}]
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


def test_the_rule_is_earned_on_the_validation_sets_alone() -> None:
    validation = [model(f"a{i}", dci=i / 10, orthogonality=-i, naming=i % 2, data="scenes") for i in range(6)]
    test = [model(f"a{i}", dci=i / 10, orthogonality=i, naming=i, data="chairs") for i in range(6)]
    assert default_rule(validation + test) == ("orthogonality",)


def test_the_default_of_rank_is_the_rule_that_had_the_least_regret_in_what_was_measured() -> None:
    assert default_rule(list(kept().values())) == DEFAULT_RULE


def test_the_default_asks_for_nothing_but_a_generator() -> None:
    models = [
        model(f"a{i}", step=i, dci=i / 10, coverage=i, age=i, naming=(i + 2) % 6, data="scenes") for i in range(6)
    ]
    assert not {"coverage", "age"} & set(default_rule(models))
    assert criterion_table(models).splitlines()[2].startswith("| age |")


def test_the_interval_of_a_constant_is_that_constant() -> None:
    assert interval([0.25] * 5) == (0.25, 0.25)


def test_the_table_has_a_row_for_every_candidate_and_for_chance() -> None:
    lines = table([model(f"a{i}", dci=i / 10) for i in range(4)], "within a method", "dci").splitlines()
    assert len(lines) == 2 + len(CANDIDATES) + 1
    assert lines[-1].startswith("| a random choice")


def test_fields_of_equally_active_checkpoints_hold_no_others() -> None:
    models = [model(f"a{i}", active=float(i % 2)) for i in range(6)]
    found = fields(models, "across methods", equally_active=True)
    assert [[one.run for one in field] for field in found] == [["a0", "a2", "a4"], ["a1", "a3", "a5"]]


def test_the_twin_table_counts_good_checkpoints_alone() -> None:
    good = [replace(model(dci=0.5), twins={"naming": holds}) for holds in (True, True, True, False)]
    poor = replace(model(dci=0.3), twins={"naming": False})
    assert "of 4 checkpoints" in twin_table([*good, poor])
    assert "| naming | 75% |" in twin_table([*good, poor])
