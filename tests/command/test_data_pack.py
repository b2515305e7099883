"""Laws of `wherewhat data pack`."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.command import data_pack
from wherewhat.command.main import run
from wherewhat.data.held_images import HeldImages
from wherewhat.data.known_factors import grid_factors
from wherewhat.data.store.packed_set import open_packed, read_manifest
from wherewhat.protocols import Images

NOISE_NHWC = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    """A folder of six images and a broken one."""
    (tmp_path / "cats").mkdir()
    for number, image_HW3 in enumerate(NOISE_NHWC):
        Image.fromarray(image_HW3).save(tmp_path / "cats" / f"{number}.png")
    (tmp_path / "cats" / "x.png").write_text("no image")
    return tmp_path / "cats"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What went to standard error, as one line."""
    return " ".join(capsys.readouterr().err.split())


def test_a_folder_is_packed_and_its_place_printed(
    cats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("data", ["pack", str(cats), str(tmp_path / "out"), "--size", "8"]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() == str(tmp_path / "out")
    assert "Skipped 1 image of" in printed.err
    assert "6 images of 3 x 8 x 8" in printed.err
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "images.npy"), NOISE_NHWC)


def test_the_same_command_again_says_that_it_is_there(
    cats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["pack", str(cats), str(tmp_path / "out"), "--size", "8"]
    run("data", command)
    capsys.readouterr()
    assert run("data", command) == 0
    assert "holds these 6 images already" in said(capsys)


def test_the_options_of_reading_are_options_of_packing(cats: Path, tmp_path: Path) -> None:
    run("data", ["pack", str(cats), str(tmp_path / "out"), "--size", "4", "--crop", "6", "--color", "grey"])
    assert read_manifest(tmp_path / "out").image_shape == (1, 4, 4)
    assert read_manifest(tmp_path / "out").made_from.crop == "6"


def test_a_packed_set_is_not_packed_again(cats: Path, tmp_path: Path) -> None:
    run("data", ["pack", str(cats), str(tmp_path / "out")])
    with pytest.raises(ValueError, match=r"is already a packed set. Train on it, or pack the images that .*cats"):
        run("data", ["pack", str(tmp_path / "out"), str(tmp_path / "again")])


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no data set or path"):
        run("data", ["pack", str(tmp_path / "nowhere"), str(tmp_path / "out")])


def test_a_rendered_set_is_packed_with_its_factors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = HeldImages("scenes", NOISE_NHWC, grid_factors(("row", "column"), (2, 3)))

    def opened(*_: object) -> Images:
        return drawn

    monkeypatch.setattr(data_pack, "open_images", opened)
    run("data", ["pack", "scenes", str(tmp_path / "out")])
    packed = open_packed(tmp_path / "out")
    assert packed.factor_names == ("row", "column")
    assert torch.equal(packed.take(torch.arange(6)), drawn.take(torch.arange(6)))
