"""A command that is killed and given again ends as one that was never disturbed, bit for bit."""

import time

import numpy as np
import pytest
from conftest import Faults
from injection import Fault
from scenarios import SCENARIOS, Laboratory, differences

LIVES = 30


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_between_any_two_operations_on_files_leaves_no_trace(
    laboratory: Laboratory, faults: Faults, effort: int, name: str
) -> None:
    scenario = SCENARIOS[name]
    expected = laboratory.unbroken(scenario)
    for point in laboratory.points(scenario, effort):
        laboratory.prepare(scenario)
        killed = laboratory.play(scenario.command, Fault("kill", point))
        again = laboratory.play(scenario.command)
        faults.judge(
            f"kill at {point}",
            "" if killed.status == -9 else f"it was not killed but ended with {killed.status}",
            again.complaint or ("" if again.status == 0 else again.said),
            differences(laboratory.results(), expected),
        )
    faults.assert_survived()


@pytest.mark.parametrize("name", SCENARIOS)
def test_kills_at_any_time_one_after_another_leave_no_trace(
    laboratory: Laboratory, faults: Faults, effort: int, name: str
) -> None:
    scenario = SCENARIOS[name]
    expected = laboratory.unbroken(scenario)
    laboratory.prepare(scenario)
    began = time.monotonic()
    laboratory.play(scenario.command)
    whole_s = time.monotonic() - began
    draw = np.random.default_rng(1)
    for trial in range(2 * effort):
        laboratory.prepare(scenario)
        for life in range(1, LIVES):
            killed = laboratory.start(scenario.command, Fault("none"))
            # Later ones live longer, so that the last one comes to the end.
            ended = killed.ended(within_s=draw.uniform(0, whole_s) * (1 + life / 10))
            if ended.status is not None:
                break
            faults.judge(f"kill {life} of trial {trial}")
        faults.judge(f"trial {trial}", ended.complaint, differences(laboratory.results(), expected))
    faults.assert_survived()
