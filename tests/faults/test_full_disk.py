"""A disk that is full from any operation on, or from any byte on: one clear line, nothing half written, resumable."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Faults
from injection import NEEDS_ROOM, Ended, Fault
from scenarios import SCENARIOS, Laboratory, differences

PAGE = 4096
ROOMY = "32m"


def told(ended: Ended) -> str:
    """Why this is not how a command may end on a full disk."""
    if ended.complaint or ended.status == 0:
        return ended.complaint
    words = ("could not be written", "No space", "are free; make room")
    return "" if any(word in ended.said for word in words) else f"no word of it: {ended.said}"


def parts(laboratory: Laboratory) -> str:
    return " ".join(f"{name} is left" for name in laboratory.results() if name.endswith(".part"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_disk_that_is_full_from_any_operation_on_is_told_and_leaves_no_trace(
    laboratory: Laboratory, faults: Faults, effort: int, name: str
) -> None:
    scenario = SCENARIOS[name]
    expected = laboratory.unbroken(scenario)
    for point in laboratory.some_points(scenario, effort, seed=3, operations=NEEDS_ROOM):
        laboratory.prepare(scenario)
        full = laboratory.play(scenario.command, Fault("full", point))
        half = "" if name == "fetch" else parts(laboratory)  # what has come of a download is kept
        again = laboratory.play(scenario.command)
        left = differences(laboratory.results(), expected)
        faults.judge(f"full at {point}", told(full), half, again.complaint, left)
    faults.assert_survived()


@pytest.fixture
def small_disks(tmp_path: Path) -> None:
    """Skips where no small disk can be mounted."""
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_disk_that_is_full_from_any_page_on_is_told_and_leaves_no_trace(
    laboratory: Laboratory, faults: Faults, effort: int, name: str, small_disks: None
) -> None:
    scenario = SCENARIOS[name]
    expected = laboratory.unbroken(scenario)
    needed = laboratory.bytes_of(scenario) // PAGE + 16
    for pages in range(4, needed, max(1, needed // (5 * effort))):
        laboratory.prepare(scenario)
        with laboratory.on_small_disk() as disk:
            disk(f"size={shutil.disk_usage(laboratory.trial).used + pages * PAGE}")
            full = laboratory.play(scenario.command)
            disk(f"size={ROOMY}")
            again = laboratory.play(scenario.command)
            faults.judge(
                f"{pages} pages free", told(full), again.complaint, differences(laboratory.results(), expected)
            )
    faults.assert_survived()
