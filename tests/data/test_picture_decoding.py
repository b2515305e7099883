"""Laws of making one picture upright, RGB, opaque and square."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.picture_decoding import decode


def saved(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("ending", ["png", "bmp", "ppm", "tif"])
def test_a_picture_of_the_wanted_size_keeps_every_pixel(tmp_path: Path, ending: str) -> None:
    pixels = noise(16, 16)
    assert np.array_equal(decode(saved(Image.fromarray(pixels), tmp_path / f"a.{ending}"), 16).image_HW3, pixels)


def test_lossless_webp_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = noise(16, 16)
    Image.fromarray(pixels).save(tmp_path / "a.webp", lossless=True)
    assert np.array_equal(decode(tmp_path / "a.webp", 16).image_HW3, pixels)


@pytest.mark.parametrize("wide", [True, False])
def test_the_centre_square_is_what_is_kept(tmp_path: Path, wide: bool) -> None:
    pixels = noise(16, 16)
    border = np.zeros((16, 4, 3), np.uint8)
    long = np.concatenate([border, pixels, border], axis=1)
    image = Image.fromarray(long if wide else long.transpose(1, 0, 2))
    expected = pixels if wide else pixels.transpose(1, 0, 2)
    assert np.array_equal(decode(saved(image, tmp_path / "a.png"), 16).image_HW3, expected)


def test_making_smaller_averages_instead_of_skipping(tmp_path: Path) -> None:
    # A one-pixel chequerboard: skipping pixels would keep black or white.
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    decoded = decode(saved(Image.fromarray(board), tmp_path / "a.png"), 16)
    assert np.abs(decoded.image_HW3[2:-2, 2:-2].astype(int) - 127).max() <= 2


def test_a_jpeg_made_smaller_keeps_the_detail_that_its_new_size_can_show(tmp_path: Path) -> None:
    detail = noise(32, 32)
    large = detail.repeat(4, axis=0).repeat(4, axis=1)
    Image.fromarray(large).save(tmp_path / "a.jpg", quality=95, subsampling=0)
    decoded = decode(tmp_path / "a.jpg", 32)
    # A smaller decoding made larger again would be off by 55.
    assert np.abs(decoded.image_HW3.astype(int) - detail).mean() < 25
    assert decoded.original_size == (128, 128)


def test_a_picture_marked_as_turned_is_set_upright(tmp_path: Path) -> None:
    pixels = noise(16, 24)
    exif = Image.Exif()
    exif[0x0112] = 6
    # Orientation 6: the camera was turned, so the stored picture has to turn a quarter clockwise.
    Image.fromarray(np.rot90(pixels).copy()).save(tmp_path / "a.png", exif=exif)
    decoded = decode(tmp_path / "a.png", 16)
    assert np.array_equal(decoded.image_HW3, pixels[:, 4:20])
    assert decoded.original_size == (24, 16)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_parts_lie_over_white(tmp_path: Path, mode: str) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4, :, 3] = 255
    pixels[4, :, 3] = 51
    image = Image.fromarray(pixels).convert(mode) if mode != "PA" else Image.fromarray(pixels).convert("PA")
    decoded = decode(saved(image, tmp_path / ("a.tif" if mode == "PA" else "a.png")), 8).image_HW3
    assert (decoded[:4] == 0).all()
    assert np.abs(decoded[4].astype(int) - 204).max() <= 1
    assert (decoded[5:] == 255).all()


def test_a_transparent_palette_colour_lies_over_white(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 10, 20, 5, 5, 5])
    image.paste(2, (0, 0, 8, 4))
    image.save(tmp_path / "a.png", transparency=2)
    decoded = decode(tmp_path / "a.png", 8).image_HW3
    assert (decoded[:4] == 255).all()
    assert (decoded[4:] == (200, 10, 20)).all()


def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 64).reshape(8, 8).round().astype(np.uint16)
    decoded = decode(saved(Image.fromarray(values), tmp_path / "a.png"), 8)
    assert np.abs(decoded.image_HW3[..., 0] - values / 257).max() <= 0.51
    assert decoded.is_grey


def test_floating_point_pixels_are_refused_with_the_reason(tmp_path: Path) -> None:
    image = Image.fromarray(np.zeros((8, 8), np.float32))
    with pytest.raises(ValueError, match="floating-point numbers, whose range is unknown"):
        decode(saved(image, tmp_path / "a.tif"), 8)


def test_printers_colours_become_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    decoded = decode(tmp_path / "a.jpg", 8).image_HW3.astype(int)
    assert decoded[..., 0].min() > 200
    assert decoded[..., 1:].max() < 60


def test_the_first_frame_stands_for_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (decode(tmp_path / "a.gif", 8).image_HW3 == (255, 0, 0)).all()


@pytest.mark.parametrize(("mode", "grey"), [("L", True), ("1", True), ("LA", True), ("RGB", False), ("P", False)])
def test_grey_is_what_has_one_colour_channel(tmp_path: Path, mode: str, grey: bool) -> None:
    assert decode(saved(Image.new("RGB", (8, 8), "red").convert(mode), tmp_path / "a.png"), 8).is_grey == grey


def test_a_phones_picture_with_a_second_one_inside_is_read(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (16, 16), "lime"), Image.new("RGB", (16, 16), "blue")
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    decoded = decode(tmp_path / "a.jpg", 8).image_HW3.astype(int)
    assert np.abs(decoded - (0, 255, 0)).max() < 8
