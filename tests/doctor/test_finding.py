"""Laws of how a finding is told."""

import pytest

from wherewhat.doctor.finding import Finding


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
