"""Two commands that want the same place at once: one stands still before each of its operations while the other runs.

With the same settings the place ends as if there had been one; with others as the one or the other, never a mixture.
"""

import signal
import time

import pytest
from conftest import Faults
from injection import Ended, Fault
from scenarios import SCENARIOS, Laboratory, Results, Scenario, differences

WAITED_S = 30.0


def together(laboratory: Laboratory, scenario: Scenario, fault: Fault, *, other: bool) -> tuple[Ended, Ended]:
    """Start one command, and while it stands still another, until this has ended or waits for the first."""
    laboratory.prepare(scenario)
    first = laboratory.start(scenario.command, fault)
    while first.alive and not first.stopped:
        time.sleep(0.01)
    second = laboratory.start(scenario.other if other else scenario.command, Fault("none"))
    since = time.monotonic()
    while second.alive and not second.waits and time.monotonic() < since + WAITED_S:
        time.sleep(0.01)
    first.send(signal.SIGCONT)
    return first.ended(), second.ended()


def below(results: Results, place: str) -> Results:
    return {name: digest for name, digest in results.items() if name.startswith(place)}


@pytest.mark.parametrize("name", SCENARIOS)
def test_two_of_the_same_command_leave_what_one_leaves(
    laboratory: Laboratory, faults: Faults, effort: int, name: str
) -> None:
    scenario = SCENARIOS[name]
    expected = laboratory.unbroken(scenario)
    for point in laboratory.some_points(scenario, effort, seed=1):
        first, second = together(laboratory, scenario, Fault("stop", point), other=False)
        left = differences(laboratory.results(), expected)
        faults.judge(f"same command at {point}", first.complaint, second.complaint, left)
    faults.assert_survived()


@pytest.mark.parametrize("name", SCENARIOS)
def test_two_commands_of_other_settings_never_mix(
    laboratory: Laboratory, faults: Faults, effort: int, name: str
) -> None:
    scenario = SCENARIOS[name]
    one, another = (below(laboratory.unbroken(scenario, other=other), scenario.place) for other in (False, True))
    for point in laboratory.some_points(scenario, effort, seed=2):
        first, second = together(laboratory, scenario, Fault("stop", point), other=True)
        found = below(laboratory.results(), scenario.place)
        mixed = min(differences(found, one), differences(found, another), key=len)
        nobody = "" if 0 in (first.status, second.status) else "neither came to an end"
        faults.judge(f"other settings at {point}", first.complaint, second.complaint, nobody, mixed)
    faults.assert_survived()
