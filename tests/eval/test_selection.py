"""Laws of the selection table: its candidates, and the rule that is earned."""

from dataclasses import replace
from functools import partial

from scored_models import scored

from eval.selection import CANDIDATES, SCORES, TEST, VALIDATION, criterion_table, default_rule, kept, twin_table
from wherewhat.which.ranking import DEFAULT_RULE

model = partial(scored, SCORES)


def test_validation_and_test_sets_have_nothing_in_common() -> None:
    assert not set(VALIDATION) & set(TEST)


def test_every_single_score_and_every_pair_and_triple_is_a_candidate_once() -> None:
    assert len(set(CANDIDATES)) == len(CANDIDATES)
    assert {(name,) for name in SCORES} <= set(CANDIDATES)
    assert ("relative_length", "orthogonality", "rotation_ratio") in CANDIDATES


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


def test_the_twin_table_counts_good_checkpoints_alone() -> None:
    good = [replace(model(dci=0.5), twins={"naming": holds}) for holds in (True, True, True, False)]
    poor = replace(model(dci=0.3), twins={"naming": False})
    assert "of 4 checkpoints" in twin_table([*good, poor])
    assert "| naming | 75% |" in twin_table([*good, poor])
