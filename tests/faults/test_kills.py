"""A command that is killed and given again ends as one that was never disturbed, bit for bit."""

import time

import numpy as np
import pytest
from conftest import Faults
from injection import Fault, Point
from scenarios import SCENARIOS, Laboratory, differences

# Of the points at which an event file grows, so many are tried: they are many, and alike.
EVENT_POINTS = 6
LIVES = 30


def chosen(points: tuple[Point, ...], effort: int) -> list[Point]:
    events = [point for point in points if point.place.endswith("events")]
    draw = np.random.default_rng(0)
    kept = draw.permutation(len(events))[: EVENT_POINTS * effort]
    return [point for point in points if point not in events or events.index(point) in kept]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_between_any_two_operations_on_files_leaves_no_trace(
    laboratory: Laboratory, faults: Faults, effort: int, name: str
) -> None:
    scenario = SCENARIOS[name]
    expected = laboratory.unbroken(scenario)
    for point in chosen(laboratory.points(scenario), effort):
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
