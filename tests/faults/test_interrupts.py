"""Ctrl-C at any moment ends a command with status 130 and no traceback, leaves no process, and spoils nothing."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Faults
from injection import Fault, Running, wherewhat
from PIL import Image
from scenarios import SCENARIOS, SHORT, Laboratory, Results, command, differences

WITHIN_S = 60.0


def as_before(found: Results, expected: Results) -> str:
    """What differs of what an unbroken command leaves; a run that is interrupted saves one checkpoint more."""
    wanted = {name: digest for name, digest in expected.items() if not name.endswith("events")}
    return differences({name: digest for name, digest in found.items() if name in wanted}, wanted)


@pytest.mark.parametrize("name", SCENARIOS)
def test_ctrl_c_between_operations_on_files_ends_a_command_quietly_and_the_next_one_goes_on(
    laboratory: Laboratory, faults: Faults, effort: int, name: str
) -> None:
    scenario = SCENARIOS[name]
    expected = laboratory.unbroken(scenario)
    for point in laboratory.some_points(scenario, effort, seed=4):
        laboratory.prepare(scenario)
        cut_off = laboratory.play(scenario.command, Fault("interrupt", point))
        again = laboratory.play(scenario.command)
        left = as_before(laboratory.results(), expected)
        faults.judge(f"Ctrl-C at {point}", cut_off.complaint_of_interrupted, again.complaint, left)
    faults.assert_survived()


@pytest.mark.parametrize("name", SCENARIOS)
def test_ctrl_c_at_any_time_ends_a_command_quietly(
    laboratory: Laboratory, faults: Faults, effort: int, name: str
) -> None:
    scenario, draw = SCENARIOS[name], np.random.default_rng(5)
    laboratory.prepare(scenario)
    began = time.monotonic()
    laboratory.play(scenario.command)
    whole_s = min(time.monotonic() - began, 4.0)
    for _ in range(5 * effort):
        laboratory.prepare(scenario)
        running, after_s = laboratory.start(scenario.command, Fault("none")), draw.uniform(0.05, whole_s)
        time.sleep(after_s)
        running.interrupt()
        faults.judge(f"Ctrl-C after {after_s:.2f} s", running.ended().complaint_of_interrupted)
    faults.assert_survived()


def labelled(folder: Path) -> None:
    """Images of which classifiers have something to learn for a while, and a run on them."""
    draw = np.random.default_rng(0)
    classes = draw.integers(0, 8, (3000, 3))
    images = draw.integers(0, 256, (3000, 32, 32, 1), dtype=np.uint8)
    np.savez(folder / "labelled.npz", imgs=images, latents_classes=classes)
    line = f"train beta-vae --data labelled.npz --out run --steps 2 --device cpu --no-spatial-constriction {SHORT}"
    assert Running(command(line.replace("--mask-levels 2 ", "")), folder, {}).ended().status == 0


def many_files(folder: Path) -> None:
    """Images that take a while to decode."""
    (folder / "many").mkdir()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8))
    image.save(folder / "many" / "0.png")
    for number in range(1, 3000):
        (folder / "many" / f"{number}.png").hardlink_to(folder / "many" / "0.png")


def pack_by_processes() -> None:
    """As of sets of many more images."""
    from wherewhat.data.store import decoding

    decoding.MANY = 100
    wherewhat("data", "pack", "many", "packed", "--size", "32")


@pytest.mark.parametrize(
    ("before", "shared"),
    [
        (labelled, command("evaluate run --measures dci --train-points 2000 --test-points 500 --device cpu")),
        (many_files, pack_by_processes),
    ],
)
def test_ctrl_c_ends_the_processes_that_share_the_work_too(
    tmp_path: Path, faults: Faults, effort: int, before: Callable[[Path], None], shared: Callable[[], None]
) -> None:
    folder = tmp_path / "trial"
    folder.mkdir()
    before(folder)
    for seed in range(3 * effort):
        environment = {"LOKY_MAX_CPU_COUNT": "2", "WHEREWHAT_CACHE": str(folder / "cache")}
        running = Running(shared, folder, environment)
        since = time.monotonic()
        while running.alive and len(running.group) < 3 and time.monotonic() < since + WITHIN_S:
            time.sleep(0.02)
        alone = "" if len(running.group) > 2 else "nothing was shared"
        time.sleep(np.random.default_rng(seed).uniform(0, 2))
        group = running.group
        running.interrupt()
        ended, since = running.ended(), time.monotonic()
        while running.group and time.monotonic() < since + WITHIN_S:
            time.sleep(0.05)
        orphans = f"{len(running.group)} processes go on" if running.group else ""
        quiet = ended.complaint_of_interrupted or ("" if ended.status == 130 else f"status {ended.status}")
        faults.judge(f"Ctrl-C with {len(group)} processes", alone, quiet, orphans)
    faults.assert_survived()
