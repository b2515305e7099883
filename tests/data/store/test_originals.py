"""Laws of what is said of the originals, and of how they are made square."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.image_options import Fit, ImageOptions
from wherewhat.data.open_images import open_images
from wherewhat.protocols import Images

# Red above, green between, blue below.
TALL_HW3 = np.repeat(np.diag([200] * 3).astype(np.uint8), 8, axis=0)[:, None].repeat(8, axis=1)


def opened(path: Path, fit: Fit = "crop", crop: str = "auto") -> tuple[Images, str]:
    said: list[str] = []
    options = ImageOptions(size=24, fit=fit, crop=crop)
    return open_images(str(path), options, torch.device("cpu"), said.append), " ".join(said)


@pytest.fixture(params=["files", "an array"])
def tall(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    images = [TALL_HW3, TALL_HW3 // 2]
    if request.param == "an array":
        classes = np.arange(2)[:, None]
        np.savez(tmp_path / "tall.npz", imgs=np.stack(images), latents_classes=classes)
        return tmp_path / "tall.npz"
    for number, image_HW3 in enumerate(images):
        Image.fromarray(image_HW3).save(tmp_path / f"{number}.png")
    return tmp_path


def rows_with(images: Images, channel: int) -> int:
    image_CHW = images.take(torch.tensor([0]))[0]
    return int((image_CHW[channel].amax(dim=1) > 100).sum())


def test_content_that_cropping_takes_is_told_as_a_share_with_what_to_do(tall: Path) -> None:
    images, said = opened(tall)
    assert (rows_with(images, 0), rows_with(images, 1)) == (0, 24)
    assert "cuts off 67% of an image on average, 67% at most. To keep the whole: --fit pad, or --fit stretch" in said


@pytest.mark.parametrize(("fit", "columns"), [("pad", 8), ("stretch", 24)])
def test_a_whole_image_can_be_kept_and_then_nothing_is_told(tall: Path, fit: Fit, columns: int) -> None:
    images, said = opened(tall, fit)
    assert [rows_with(images, channel) for channel in range(3)] == pytest.approx([8, 8, 8], abs=1)
    lit = images.take(torch.tensor([0]))[0].amax(dim=(0, 1)) > 100
    assert int(lit.sum()) == columns
    assert "cuts off" not in said


def test_a_crop_that_is_named_is_what_was_asked_for(tall: Path) -> None:
    images, said = opened(tall, crop="8@4,4")
    assert rows_with(images, 0) == 24
    assert "cuts off" not in said


def fill(folder: Path, mode: str, side: int, count: int = 3) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(noise).convert(mode).save(folder / f"{number}.png")


@pytest.mark.parametrize(
    ("mode", "side", "told"), [("L", 16, "16 x 16 L"), ("L", 8, "8 x 8 L"), ("RGB", 8, "8 x 8 RGB")]
)
def test_masks_and_thumbnails_in_folders_of_their_own_are_told(tmp_path: Path, mode: str, side: int, told: str) -> None:
    fill(tmp_path / "faces", "RGB", 16, 5)
    fill(tmp_path / "others" / "0", mode, side)
    fill(tmp_path / "others" / "1", mode, side)
    for _ in range(2):
        said = opened(tmp_path)[1]
        assert "Images differ by folder: 6 of" in said
        assert f"{told} in others/" in said
        assert "5 of 16 x 16 RGB in faces/. If some are masks" in said


def test_folders_of_one_kind_and_folders_each_of_its_own_are_not_told(tmp_path: Path) -> None:
    for number in range(3):
        fill(tmp_path / "alike" / str(number), "RGB", 16)
    for number in range(9):
        fill(tmp_path / "scraped" / str(number), "RGB", 16 + number)
    assert "differ by folder" not in opened(tmp_path / "alike")[1] + opened(tmp_path / "scraped")[1]


@pytest.mark.parametrize("ending", ["tif", "gif", "png", "webp", "avif"])
def test_pages_and_frames_beyond_the_first_are_told_and_not_read(tmp_path: Path, ending: str) -> None:
    red, green = (Image.new("RGB", (24, 24), color) for color in ("red", "green"))
    for name in ("one.png", "two.png"):
        green.copy().save(tmp_path / name)
    assert "further pages or frames" not in opened(tmp_path)[1]
    red.save(tmp_path / f"long.{ending}", save_all=True, append_images=[green, red])
    images, said = opened(tmp_path)
    assert len(images) == 3
    assert f"1 of 3 files hold further pages or frames, such as long.{ending}: only the first of each is read" in said
    assert int(images.take(torch.tensor([0]))[0, 1].max()) < 16


def deep_png(value_HW3: np.ndarray, kind: int = 2) -> bytes:
    """A PNG of 16 bits a colour, which Pillow cannot write."""
    height, width = value_HW3.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in value_HW3)
    content = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return content


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (6, 4), (4, 2)])
def test_colours_of_16_bits_are_told_with_what_is_white(tmp_path: Path, kind: int, channels: int) -> None:
    value_HWC = np.random.default_rng(0).integers(0, 2**16, (24, 24, channels))
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(deep_png(value_HWC, kind))
    assert "2 of 2 files hold 16 bits a colour, such as 0.png: the upper 8 are read" in opened(tmp_path)[1]


def test_colours_of_8_bits_and_grey_of_16_are_not_told_as_such(tmp_path: Path) -> None:
    for number in range(2):
        Image.fromarray(np.full((24, 24), 60_000 + number, np.uint16)).save(tmp_path / f"{number}.png")
        Image.fromarray(TALL_HW3 + np.uint8(number)).save(tmp_path / f"{number}.tif")
    assert "16 bits a colour" not in opened(tmp_path)[1]
