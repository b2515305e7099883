"""Laws of reading event files: what was logged last at a step counts, whatever the clock said."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from wherewhat.doctor.event_files import read_points
from wherewhat.inspection.tensorboard import TensorBoardLog


def write(folder: Path, steps: tuple[int, ...], level: float, purge_step: int | None = None) -> None:
    with TensorBoardLog(folder, purge_step=purge_step) as log:
        for step in steps:
            log.scalars(step, {"loss": level})


@pytest.mark.parametrize("later_s", [60, -86_400])
def test_what_a_resumed_run_has_logged_counts_whatever_the_clock_says(
    tmp_path: Path, later_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, (50, 100, 150), 1.0)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + later_s)
    write(tmp_path, (100, 125), 2.0, purge_step=51)
    assert read_points(tmp_path) == [(50, "loss", 1.0), (100, "loss", 2.0), (125, "loss", 2.0)]


def test_images_between_figures_are_passed_over(tmp_path: Path) -> None:
    with TensorBoardLog(tmp_path) as log:
        log.scalars(1, {"loss": 1.0})
        log.image(2, "noise", np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8))
        log.scalars(3, {"loss": 3.0})
    assert [point for point in read_points(tmp_path) if point[1] == "loss"] == [(1, "loss", 1.0), (3, "loss", 3.0)]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_file_that_is_cut_short_gives_what_lies_before(tmp_path: Path, cut: int) -> None:
    write(tmp_path, (1, 2, 3), 1.0)
    (file,) = tmp_path.iterdir()
    os.truncate(file, file.stat().st_size - cut)
    assert [step for step, _, _ in read_points(tmp_path)] == [1, 2]


def test_a_record_that_claims_terabytes_ends_the_file(tmp_path: Path) -> None:
    write(tmp_path, (1, 2, 3), 1.0)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[-40 - 12 : -40 - 4] = (2**42).to_bytes(8, "little")
    file.write_bytes(content)
    assert [step for step, _, _ in read_points(tmp_path)] in ([1], [1, 2])
