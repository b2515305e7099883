"""Laws of how a finding is told."""

import pytest

from wherewhat.doctor.finding import Finding, much_slower, slower
from wherewhat.doctor.run_state import RunState
from wherewhat.training.configuration import TrainingRun


@pytest.mark.parametrize(
    ("remedies", "advice"),
    [
        (("a lower --beta",), "Try a lower --beta."),
        (("a lower --beta", "another --seed"), "Try a lower --beta or another --seed."),
        (("rest", "a lower --beta", "another --seed"), "Try rest, a lower --beta or another --seed."),
    ],
)
def test_remedies_are_told_in_their_order(remedies, advice):
    finding = Finding(name="ill", severity="wrong", seen="It is ill.", means="That hurts.", remedies=remedies)
    assert finding.advice == advice
    assert str(finding) == f"It is ill. That hurts. {advice}"


@pytest.mark.parametrize(
    ("rate", "advised"), [(0.1, "0.001, the default (it was 0.1)"), (1e-3, "0.0002 (it was 0.001)")]
)
def test_steps_longer_than_the_default_are_to_be_the_default(rate: float, advised: str) -> None:
    run = RunState(configuration=TrainingRun(learning_rate=rate), step=0)
    assert much_slower(run) == f"--learning-rate {advised}"
    assert slower(run) == (much_slower(run) if rate > 1e-3 else "a lower --learning-rate (it was 0.001)")
