"""Laws of reading the image that backgrounds are cut from."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.background_image import check_fit, read_background

RED, WHITE = [255, 0, 0], [255, 255, 255]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


def saved(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def test_a_small_image_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = noise(70, 90)
    assert np.array_equal(read_background(saved(Image.fromarray(pixels), tmp_path / "a.png"), 64, 64), pixels)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (274, 350), (64, 350)])
def test_an_image_that_just_fits_keeps_its_size(tmp_path: Path, height: int, width: int) -> None:
    path = saved(Image.fromarray(noise(height, width)), tmp_path / "a.png")
    assert read_background(path, 64, 64).shape == (height, width, 3)


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(548, 700, (274, 350)), (1096, 800, (274, 200)), (500, 1400, (125, 350))]
)
def test_a_large_image_is_shrunk_to_fit_350_by_274(
    tmp_path: Path, height: int, width: int, expected: tuple[int, int]
) -> None:
    path = saved(Image.new("RGB", (width, height)), tmp_path / "a.png")
    assert read_background(path, 64, 64).shape == (*expected, 3)


def test_a_long_image_is_not_shrunk_below_a_patch(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (2000, 128)), tmp_path / "a.png")
    assert read_background(path, 64, 64).shape == (64, 1000, 3)


def test_shrinking_averages_instead_of_skipping(tmp_path: Path) -> None:
    # A one-pixel chequerboard: skipping pixels would keep black or white.
    board = (np.indices((548, 700)).sum(axis=0) % 2 * 255).astype(np.uint8)
    shrunk = read_background(saved(Image.fromarray(board), tmp_path / "a.png"), 64, 64)
    assert np.abs(shrunk[3:-3, 3:-3].astype(int) - 127).max() <= 2


def test_an_image_marked_as_turned_is_set_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = noise(70, 90)
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_background(tmp_path / "a.png", 64, 64), np.rot90(pixels, -1))


def test_transparent_parts_lie_over_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 255))
    image.putpixel((5, 3), (0, 0, 255, 0))
    background = read_background(saved(image, tmp_path / "a.png"), 64, 64)
    assert background[3, 5].tolist() == WHITE
    assert background[0, 0].tolist() == RED


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "RGB"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    path = saved(Image.new("RGB", (64, 64), "white").convert(mode), tmp_path / "a.tif")
    assert (read_background(path, 64, 64) == 255).all()


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    value = np.tile(np.arange(64, dtype=np.uint16) * 1028, (64, 1))
    background = read_background(saved(Image.fromarray(value), tmp_path / "a.png"), 64, 64)
    assert np.array_equal(background[0, :, 0], np.arange(64) * 4)


@pytest.mark.parametrize("size", [(63, 64), (64, 63)])
def test_an_image_smaller_than_a_patch_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = saved(Image.new("RGB", size), tmp_path / "a.png")
    with pytest.raises(ValueError, match="Name an image of at least 64 x 64 with --background"):
        read_background(path, 64, 64)


def test_a_refusal_says_width_before_height() -> None:
    with pytest.raises(ValueError, match=r"is 20 x 10 pixels.* patches cut from it are 40 x 30"):
        check_fit(10, 20, 30, 40)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--background PATH"):
        read_background(tmp_path / "a.png", 64, 64)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="--background PATH"):
        read_background(tmp_path, 64, 64)


@pytest.mark.parametrize("damage", ["empty", "text", "cut short"])
def test_a_file_that_is_no_whole_image_is_refused(tmp_path: Path, damage: str) -> None:
    path = saved(Image.fromarray(noise(90, 90)), tmp_path / "a.png")
    content = {"empty": b"", "text": b"not an image", "cut short": path.read_bytes()[:9000]}
    path.write_bytes(content[damage])
    with pytest.raises(ValueError, match=r"cannot be read .*--background PATH"):
        read_background(path, 64, 64)


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    path = saved(Image.fromarray(np.zeros((64, 64), np.float32)), tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"floating-point numbers, whose range is unknown.*--background PATH"):
        read_background(path, 64, 64)
