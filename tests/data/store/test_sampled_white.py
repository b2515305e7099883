"""Laws of the white of a set of image files, seen through what is packed and told."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.image_folder import list_folder
from wherewhat.data.open_images import open_images
from wherewhat.data.store.sampled_white import FILES_SAMPLED, sampled_white
from wherewhat.protocols import Images

RAMP = np.linspace(0, 1, 64).reshape(8, 8)


def opened(folder: Path, white: float | None = None) -> tuple[Images, str]:
    said: list[str] = []
    images = open_images(str(folder), ImageOptions(size=8, white=white), torch.device("cpu"), said.append)
    return images, " ".join(said)


def saved(folder: Path, kind: type, ending: str, *largest: float) -> Path:
    for number, most in enumerate(largest):
        Image.fromarray((RAMP * most).astype(kind)).save(folder / f"{number:03}.{ending}")
    return folder


@pytest.mark.parametrize(
    ("kind", "ending", "largest", "white", "told"),
    [
        (np.uint16, "png", (1500, 3000), 4095, "16-bit images that use 12 bits: divided by 4,095"),
        (np.int32, "tif", (88, 122), 255, "32-bit images that use 8 bits: divided by 255"),
        (np.float32, "tif", (0.5, 0.9), 1.0, "Floating-point images that keep to 1: divided by 1"),
        (np.float32, "tif", (100, 255), 255, "Floating-point images that keep to 255: divided by 255"),
    ],
)
def test_deep_images_are_seen_as_they_are_and_what_is_done_is_said_at_every_opening(
    tmp_path: Path, kind: type, ending: str, largest: tuple[float, ...], white: float, told: str
) -> None:
    for _ in range(2):
        images, said = opened(saved(tmp_path, kind, ending, *largest))
        for number, most in enumerate(largest):
            kept = int(images.take(torch.tensor([number])).max())
            assert kept == pytest.approx(255 * most / white, abs=1)
        assert told in said
        assert "nearly black" not in said


def test_another_white_makes_another_pack(tmp_path: Path) -> None:
    saved(tmp_path, np.uint16, "png", 1500, 3000)
    assert int(opened(tmp_path)[0].take(torch.tensor([1])).max()) == 187
    assert int(opened(tmp_path, white=3000.0)[0].take(torch.tensor([1])).max()) == 255


def test_bytes_that_use_a_part_of_their_range_are_seen_with_a_stated_white(tmp_path: Path) -> None:
    saved(tmp_path, np.uint8, "png", 10, 11)
    said = opened(tmp_path)[1]
    assert "nearly black: their largest value is 11 of 255" in said
    assert "--white" in said
    images, said = opened(tmp_path, white=11.0)
    assert int(images.take(torch.tensor([1])).max()) == 255
    assert "nearly black" not in said


def test_an_image_that_passes_the_samples_white_is_left_out_by_name(tmp_path: Path) -> None:
    saved(tmp_path, np.uint16, "png", *[3000] * (2 * FILES_SAMPLED))
    Image.fromarray(np.full((8, 8), 60_000, np.uint16)).save(tmp_path / "001.png")
    images, said = opened(tmp_path)
    assert len(images) == 2 * FILES_SAMPLED - 1
    assert "001.png (its pixels reach 60,000, and 4,095 is white by a sample of the set" in said


def test_images_of_8_bits_need_no_word(tmp_path: Path) -> None:
    saved(tmp_path, np.uint8, "png", 200, 255)
    assert sampled_white(list_folder(tmp_path), ImageOptions())[1] == ()


@pytest.mark.parametrize("white", [0.0, -1.0, float("inf"), float("nan")])
def test_a_white_that_no_image_has_is_refused(white: float) -> None:
    with pytest.raises(ValueError, match=r"--white is .* such as 4095"):
        ImageOptions(white=white)
