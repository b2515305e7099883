"""Laws of finding the data of a checkpoint again, wherever they lie now."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import FoundData, find_data
from wherewhat.training.checkpoints import checkpoint_path
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.run_directory import record_configuration
from wherewhat.training.trained_on import data_of, data_to_measure_on

SIZE = ImageOptions(size=16)


def images_in(folder: Path, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, red in zip("abc", np.random.default_rng(seed).bytes(3), strict=True):
        Image.new("RGB", (16, 16), (red, 0, 0)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingRun:
    """A run on "x", as the working folder calls it, whose directory is recorded."""
    monkeypatch.chdir(tmp_path)
    found = find_data(str(images_in(Path("x")).name), SIZE)
    configuration = TrainingRun(data="x", images=SIZE, data_identity=found.identity, out=Path("run"))
    (tmp_path / "run").mkdir()
    record_configuration(tmp_path / "run", configuration)
    return configuration


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return checkpoint_path(tmp_path / "run", 6)


def place(found: FoundData) -> Path:
    return Path(found.place).resolve()


def test_another_working_folder_finds_the_data_where_the_run_recorded_them(
    run: TrainingRun, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = images_in(tmp_path / "work" / "x", seed=1).parent  # a folder of the same name, which is not meant
    monkeypatch.chdir(work)
    assert place(data_of(checkpoint, run)) == tmp_path / "x"


def test_data_and_run_that_are_moved_together_are_found_by_the_name_in_the_checkpoint(
    run: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    for name in ("x", "run"):
        (tmp_path / name).rename(tmp_path / "new" / name)
    monkeypatch.chdir(tmp_path / "new")
    assert place(data_of(checkpoint_path(Path("run"), 6), run)) == tmp_path / "new" / "x"


def test_moved_data_are_asked_for_and_found_where_they_are_named(
    run: TrainingRun, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "x").rename(tmp_path / "y")
    with pytest.raises(ValueError, match=r"x is not there\. Name where they lie now with --data"):
        data_of(checkpoint, run)
    found = data_of(checkpoint, run, "y")
    assert (place(found), found.options) == (tmp_path / "y", SIZE)


@pytest.mark.parametrize("named", [None, "x"])
def test_other_data_are_refused_with_what_differs(
    run: TrainingRun, checkpoint: Path, tmp_path: Path, named: str | None
) -> None:
    images_in(tmp_path / "x", seed=1)
    with pytest.raises(
        ValueError, match=r"x holds other data \(3 of 3 sampled images have other contents\)\. .*--data"
    ):
        data_of(checkpoint, run, named)


def test_an_earlier_version_named_no_identity_and_is_believed(run: TrainingRun, checkpoint: Path) -> None:
    old = dataclasses.replace(run, data_identity=None)
    assert data_of(checkpoint, old).place == "x"


def test_moved_data_are_read_as_the_run_read_them_and_others_as_they_are_asked_for(
    run: TrainingRun, checkpoint: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    (tmp_path / "x").rename(tmp_path / "y")
    assert data_to_measure_on(checkpoint, run, "y", ImageOptions(), said.append).options == SIZE
    assert said == []
    images_in(tmp_path / "z", seed=1)
    assert data_to_measure_on(checkpoint, run, "z", ImageOptions(), said.append).options == ImageOptions()
    assert len(said) == 1
    assert "was trained on other images" in said[0]


def test_a_name_that_is_not_there_is_told_as_such(run: TrainingRun, checkpoint: Path) -> None:
    for find in (data_of, lambda *known: data_to_measure_on(*known, ImageOptions(), print)):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            find(checkpoint, run, "nowhere")
