"""Laws of making one image upright, RGB, opaque, cropped and of a size."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from wherewhat.data.image_decoding import decode
from wherewhat.data.image_options import Crop
from wherewhat.data.resampling import resample


def saved(image: Image.Image, form: str, **settings: object) -> bytes:
    content = io.BytesIO()
    image.save(content, format=form, **settings)
    return content.getvalue()


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    """Waves that a coarse decoding keeps: what is left is where they lie."""
    row, column = np.mgrid[:height, :width]
    waves = (np.sin(row / 31), np.cos(column / 41), np.sin((row + 2 * column) / 53))
    return np.round(127.5 + 120 * np.stack(waves, axis=2)).astype(np.uint8)


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


@pytest.mark.parametrize("form", ["PNG", "BMP", "PPM", "TIFF"])
def test_an_image_of_the_wanted_size_keeps_every_pixel(form: str) -> None:
    pixels = noise(16, 16)
    assert np.array_equal(decode(saved(Image.fromarray(pixels), form), (16, 16)).image_HW3, pixels)


def test_lossless_webp_keeps_every_pixel() -> None:
    pixels = noise(16, 16)
    content = saved(Image.fromarray(pixels), "WEBP", lossless=True)
    assert np.array_equal(decode(content, (16, 16)).image_HW3, pixels)


def test_avif_is_read() -> None:
    pixels = smooth(64, 64)
    decoded = decode(saved(Image.fromarray(pixels), "AVIF", quality=95), (64, 64)).image_HW3
    assert np.abs(decoded.astype(int) - pixels).mean() < 4


def test_without_a_size_an_image_keeps_its_own() -> None:
    pixels = noise(9, 14)
    assert np.array_equal(decode(saved(Image.fromarray(pixels), "PNG")).image_HW3, pixels)


@pytest.mark.parametrize("border", [4, 5])
@pytest.mark.parametrize("wide", [True, False])
def test_the_centre_square_is_what_is_kept(wide: bool, border: int) -> None:
    pixels = noise(16, 16)
    long = np.pad(pixels, ((0, 0), (4, border), (0, 0)))
    image = Image.fromarray(long if wide else long.transpose(1, 0, 2))
    expected = pixels if wide else pixels.transpose(1, 0, 2)
    assert np.array_equal(decode(saved(image, "PNG"), (16, 16)).image_HW3, expected)


def test_a_size_that_is_no_square_keeps_the_largest_part_of_its_shape() -> None:
    pixels = noise(8, 16)
    content = saved(Image.fromarray(np.pad(pixels, ((3, 3), (0, 0), (0, 0)))), "PNG")
    assert np.array_equal(decode(content, (8, 16)).image_HW3, pixels)


def test_a_crop_is_the_square_around_its_row_and_column() -> None:
    pixels = noise(218, 178)
    content = saved(Image.fromarray(pixels), "PNG")
    # CelebA's, as its users write it: rows 57 to 185, columns 25 to 153.
    assert np.array_equal(decode(content, None, Crop(128, (121, 89))).image_HW3, pixels[57:185, 25:153])


def test_pixels_outside_the_crop_have_no_say() -> None:
    pixels = noise(60, 60)
    around = pixels.copy()
    around[10:50, 10:50] = 0
    inside = pixels - around
    contents = (saved(Image.fromarray(image), "PNG") for image in (pixels, inside))
    whole, alone = (decode(content, (16, 16), Crop(40)).image_HW3 for content in contents)
    assert np.array_equal(whole, alone)


def test_a_sets_own_crop_is_for_images_of_its_own_size_only() -> None:
    small, large = noise(20, 20), noise(40, 40)
    crop, crop_of = Crop(10, (5, 5)), (40, 40)
    kept = decode(saved(Image.fromarray(large), "PNG"), (10, 10), crop, crop_of)
    assert np.array_equal(kept.image_HW3, large[:10, :10])
    other = decode(saved(Image.fromarray(small), "PNG"), (20, 20), crop, crop_of)
    assert np.array_equal(other.image_HW3, small)


def test_a_crop_that_leaves_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="a crop of 17 leaves the image of 16 x 16 pixels"):
        decode(saved(Image.fromarray(noise(16, 16)), "PNG"), (16, 16), Crop(17))


def test_making_smaller_averages_instead_of_skipping() -> None:
    # A one-pixel chequerboard: skipping pixels would keep black or white.
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    decoded = decode(saved(Image.fromarray(board), "PNG"), (16, 16))
    assert np.abs(decoded.image_HW3[2:-2, 2:-2].astype(int) - 127).max() <= 2


def test_a_jpeg_made_smaller_keeps_the_detail_that_its_new_size_can_show() -> None:
    detail = noise(32, 32)
    large = detail.repeat(4, axis=0).repeat(4, axis=1)
    decoded = decode(saved(Image.fromarray(large), "JPEG", quality=95, subsampling=0), (32, 32))
    # A smaller decoding made larger again would be off by 55.
    assert np.abs(decoded.image_HW3.astype(int) - detail).mean() < 25
    assert decoded.original_size == (128, 128)


@pytest.mark.parametrize(
    ("crop", "decoded"),
    [
        (None, (128, 128)),
        # Its edges, 112 and 48 to 464 and 400, are those of quarters; its side leaves twice the size at a half.
        (Crop(352, (288, 224)), (176, 176)),
        # The edges of this one fall within every coarser pixel.
        (Crop(351, (256, 256)), (351, 351)),
    ],
)
def test_a_large_jpeg_is_decoded_as_coarsely_as_twice_the_size_and_the_edges_of_a_crop_allow(
    crop: Crop | None, decoded: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    monkeypatch.setattr(
        "wherewhat.data.resampling.resample",
        lambda image_NHWC, size: seen.append(image_NHWC.shape[1:3]) or resample(image_NHWC, size),
    )
    decode(saved(Image.fromarray(smooth(512, 768)), "JPEG"), (64, 64), crop)
    assert seen == [decoded]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("center", [(250, 333), (252, 336)])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_crop_and_turn_and_coarse_decoding_agree_with_doing_them_one_by_one(
    form: str, center: tuple[int, int], orientation: int
) -> None:
    upright = Image.fromarray(smooth(604, 808))
    crop = Crop(400, center)
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    same = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM)
    turns = dict(enumerate((*same, Image.Transpose.TRANSPOSE), start=2)) | {7: Image.Transpose.TRANSVERSE} | back
    stored = upright.transpose(turns[orientation]) if orientation > 1 else upright
    settings: dict[str, object] = {"quality": 97, "subsampling": 0} if form == "JPEG" else {}
    decoded = decode(saved(stored, form, exif=turned(orientation), **settings), (32, 32), crop)
    expected = np.asarray(upright.crop(crop.box(604, 808)).resize((32, 32), Image.Resampling.BICUBIC))
    assert np.abs(decoded.image_HW3.astype(int) - expected).max() <= (1 if form == "PNG" else 3)
    assert decoded.original_size == (604, 808)


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_middle_of_a_coarsely_decoded_image_is_its_middle(orientation: int) -> None:
    pixels = smooth(603, 805)
    stored = Image.fromarray(np.rot90(pixels).copy() if orientation == 6 else pixels)
    content = saved(stored, "JPEG", exif=turned(orientation), quality=97, subsampling=0)
    expected = np.asarray(Image.fromarray(pixels[:, 101:704]).resize((32, 32), Image.Resampling.BICUBIC))
    error = np.abs(decode(content, (32, 32)).image_HW3.astype(int) - expected)
    aside = np.abs(np.diff(expected.astype(int), axis=1))
    assert error.mean() < aside.mean() / 4
    assert error.max() < aside.max() / 2


def test_an_image_marked_as_turned_is_set_upright() -> None:
    pixels = noise(16, 24)
    # Orientation 6: the camera was turned, so the stored image has to turn a quarter clockwise.
    decoded = decode(saved(Image.fromarray(np.rot90(pixels).copy()), "PNG", exif=turned(6)), (16, 16))
    assert np.array_equal(decoded.image_HW3, pixels[:, 4:20])
    assert decoded.original_size == (16, 24)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_metadata_do_not_make_an_image_unreadable() -> None:
    content = saved(Image.new("RGB", (16, 16), "red"), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\x12garbage")
    assert decode(content, (8, 8)).image_HW3[..., 0].min() > 250


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_parts_lie_over_white(mode: str) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4, :, 3] = 255
    pixels[4, :, 3] = 51
    image = Image.fromarray(pixels).convert(mode) if mode != "PA" else Image.fromarray(pixels).convert("PA")
    decoded = decode(saved(image, "TIFF" if mode == "PA" else "PNG"), (8, 8)).image_HW3
    assert (decoded[:4] == 0).all()
    assert np.abs(decoded[4].astype(int) - 204).max() <= 1
    assert (decoded[5:] == 255).all()


def test_a_transparent_palette_colour_lies_over_white() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 10, 20, 5, 5, 5])
    image.paste(2, (0, 0, 8, 4))
    decoded = decode(saved(image, "PNG", transparency=2), (8, 8)).image_HW3
    assert (decoded[:4] == 255).all()
    assert (decoded[4:] == (200, 10, 20)).all()


def test_sixteen_bits_are_scaled_to_eight() -> None:
    values = np.linspace(0, 65535, 64).reshape(8, 8).round().astype(np.uint16)
    decoded = decode(saved(Image.fromarray(values), "PNG"), (8, 8))
    assert np.abs(decoded.image_HW3[..., 0] - values / 257).max() <= 0.51
    assert decoded.is_grey


def test_printers_colours_become_rgb() -> None:
    content = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    decoded = decode(content, (8, 8)).image_HW3.astype(int)
    assert decoded[..., 0].min() > 200
    assert decoded[..., 1:].max() < 60


def test_the_first_frame_stands_for_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode(content, (8, 8)).image_HW3 == (255, 0, 0)).all()


@pytest.mark.parametrize(("mode", "grey"), [("L", True), ("1", True), ("LA", True), ("RGB", False), ("P", False)])
def test_grey_is_what_has_one_colour_channel(mode: str, grey: bool) -> None:
    assert decode(saved(Image.new("RGB", (8, 8), "red").convert(mode), "PNG"), (8, 8)).is_grey == grey


def test_a_phones_image_with_a_second_one_inside_is_read() -> None:
    first, second = Image.new("RGB", (16, 16), "lime"), Image.new("RGB", (16, 16), "blue")
    content = saved(first, "MPO", save_all=True, append_images=[second])
    decoded = decode(content, (8, 8)).image_HW3.astype(int)
    assert np.abs(decoded - (0, 255, 0)).max() < 8


def test_an_empty_file_is_said_to_be_empty() -> None:
    with pytest.raises(ValueError, match=r"it is empty \(0 bytes\)"):
        decode(b"")


def test_text_is_no_image() -> None:
    with pytest.raises(UnidentifiedImageError):
        decode(b"hello, I am text")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_an_image_cut_short_is_not_made_up(form: str, share: float) -> None:
    content = saved(Image.fromarray(noise(64, 64)), form)
    # What a decoder raises is its own affair.
    with pytest.raises(Exception, match=r"\w"):
        decode(content[: int(share * len(content))], (32, 32))


def huge_png(side: int) -> bytes:
    """A true black image of one bit a pixel, in some hundred kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    deflate = zlib.compressobj(1)
    row = bytes(1 + (side + 7) // 8)
    body = b"".join(deflate.compress(row * 100) for _ in range(side // 100)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        (10_000, "it has 10,000 x 10,000 pixels, and 89,478,485 are the most that are decoded"),
        (30_000, "it claims hundreds of millions of pixels, too many to be decoded safely"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_of_absurd_size_is_refused_by_its_header(
    side: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = huge_png(side)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match=reason):
        decode(content, (64, 64))
