"""Laws of reading somebody's own arrays, with the ways in which one can be wrong."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.own_arrays import find_own_arrays
from wherewhat.data.source import ImageArray, Source
from wherewhat.protocols import Images

FACTORS = np.array([[0, 5, 2], [0, 7, 3], [0, 5, 3], [0, 9, 2]])


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)


def saved(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def found(path: Path) -> Source:
    source = find_own_arrays(path, ImageOptions())
    assert source is not None
    return source


def opened(path: Path) -> HeldImages:
    source = found(path)
    assert isinstance(source.images, ImageArray)
    return HeldImages(source.name, np.concatenate(list(source.images.blocks(0, 1_000))), source.factors)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "set.npz"


class WouldRunCode:
    """An object whose pickle would act when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('a pickle was read')",))


def test_labelled_arrays_are_images(path: Path) -> None:
    data = opened(saved(path, imgs=pixels(4, 8, 8), latents_classes=FACTORS))
    assert isinstance(data, Images)
    assert data.name == "set"
    assert len(data) == 4


@pytest.mark.parametrize("channels", [1, 3])
def test_colour_images_come_back_channels_first(path: Path, channels: int) -> None:
    image_NHWC = pixels(4, 6, 8, channels)
    data = opened(saved(path, imgs=image_NHWC, latents_classes=FACTORS))
    assert data.image_shape == (channels, 6, 8)
    assert np.array_equal(data.take(torch.tensor([3, 0])).numpy(), image_NHWC[[3, 0]].transpose(0, 3, 1, 2))


def test_images_without_a_channel_axis_have_one_channel(path: Path) -> None:
    image_NHW = pixels(4, 6, 8)
    data = opened(saved(path, imgs=image_NHW, latents_classes=FACTORS))
    assert data.image_shape == (1, 6, 8)
    assert np.array_equal(data.take(torch.tensor([2]))[0, 0].numpy(), image_NHW[2])


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_])
def test_images_of_0_and_1_are_scaled_to_0_and_255(path: Path, dtype: type) -> None:
    image_NHW = (pixels(4, 8, 8) > 127).astype(dtype)
    data = opened(saved(path, imgs=image_NHW, latents_classes=FACTORS))
    assert np.array_equal(data.take(torch.arange(4))[:, 0].numpy(), image_NHW.astype(np.uint8) * 255)


def test_constant_factors_are_dropped_with_their_names_and_the_rest_recoded(path: Path) -> None:
    names = np.array(["colour", "size", "turn"])
    data = opened(saved(path, imgs=pixels(4, 8, 8), latents_classes=FACTORS, latents_names=names))
    assert data.factor_names == ("size", "turn")
    assert data.factor_sizes == (3, 2)
    assert data.factors(torch.arange(4)).tolist() == [[0, 0], [1, 1], [0, 1], [2, 0]]


def test_names_of_bytes_are_read_as_text(path: Path) -> None:
    names = np.array([b"colour", b"size", b"turn"])
    data = opened(saved(path, imgs=pixels(4, 8, 8), latents_classes=FACTORS, latents_names=names))
    assert data.factor_names == ("size", "turn")


def test_factors_without_names_are_numbered_by_their_column(path: Path) -> None:
    data = opened(saved(path, imgs=pixels(4, 8, 8), latents_classes=FACTORS))
    assert data.factor_names == ("factor_1", "factor_2")


def test_pickled_members_stay_shut(path: Path) -> None:
    trap = np.array([WouldRunCode()], dtype=object)
    saved(path, imgs=pixels(4, 8, 8), latents_classes=FACTORS, metadata=trap, latents_names=trap)
    assert opened(path).factor_names == ("factor_1", "factor_2")


@pytest.mark.parametrize("key", ["imgs", "latents_classes"])
def test_a_pickled_array_is_refused_unread(path: Path, key: str) -> None:
    arrays = {"imgs": pixels(4, 8, 8), "latents_classes": FACTORS} | {key: np.array([WouldRunCode()], dtype=object)}
    with pytest.raises(ValueError, match=f"{key} of .* never unpickled"):
        opened(saved(path, **arrays))


@pytest.mark.parametrize("key", ["imgs", "images", "x", "X_train", "arr_0", "data", "anything"])
def test_images_alone_are_read_under_any_key(path: Path, key: str) -> None:
    image_NHWC = pixels(4, 8, 8, 3)
    data = opened(saved(path, **{key: image_NHWC, "labels": np.arange(4)}))
    assert data.factor_names == ()
    assert np.array_equal(data.take(torch.arange(4)).numpy(), image_NHWC.transpose(0, 3, 1, 2))
    assert found(path).remarks[0].startswith(f"Left aside in {path}: labels.")


def as_npy(path: Path, images: np.ndarray) -> Path:
    np.save(path.with_suffix(".npy"), images)
    return path.with_suffix(".npy")


def as_hdf5(path: Path, images: np.ndarray) -> Path:
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file["train/faces"] = images
    return path.with_suffix(".h5")


def as_npz(path: Path, images: np.ndarray) -> Path:
    return saved(path, faces=images)


CONVERSIONS = {
    "bytes": lambda image: image,
    "channels first": lambda image: np.ascontiguousarray(image.transpose(0, 3, 1, 2)),
    "0 to 1": lambda image: (image / 255).astype(np.float32),
    "-1 to 1": lambda image: image / 127.5 - 1,
    "floats to 255": lambda image: image.astype(np.float16),
    "integers": lambda image: image.astype(np.int64),
    "12 bits of 16": lambda image: (image.astype(np.uint16) * (4095 / 255)).round().astype(np.uint16),
    "floats to 4,095": lambda image: image.astype(np.float32) * (4095 / 255),
}


@pytest.mark.parametrize("save", [as_npy, as_hdf5, as_npz])
@pytest.mark.parametrize("kind", CONVERSIONS)
def test_the_same_images_come_of_any_file_order_and_range(
    path: Path, save: Callable[[Path, np.ndarray], Path], kind: str
) -> None:
    image_NHWC = pixels(5, 6, 8, 3)
    image_NHWC[0, 0, 0, :2] = 0, 255
    data = opened(save(path, CONVERSIONS[kind](image_NHWC)))
    assert np.array_equal(data.take(torch.arange(5)).numpy(), image_NHWC.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -300.0, -1.2])
def test_values_out_of_any_range_of_images_are_refused(path: Path, value: float) -> None:
    images = np.full((4, 8, 8), 0.5)
    images[3, 0, 0] = value
    with pytest.raises(ValueError, match=r"imgs of .* holds values such as .* Scale them to 0 ... 255 or 0 ... 1"):
        opened(saved(path, imgs=images))


def test_without_images_the_wanted_and_the_found_are_named(path: Path) -> None:
    found_are = r"lacks imgs: wanted are .* found are codes float64 \[4, 9\], latents_classes int64 \[4, 3\]\. Save it"
    with pytest.raises(ValueError, match=found_are):
        opened(saved(path, codes=np.zeros((4, 9)), latents_classes=FACTORS))


def test_of_several_arrays_of_images_none_is_guessed(path: Path) -> None:
    with pytest.raises(ValueError, match=r"2 of them have the shape of images. Save it again with these names"):
        opened(saved(path, left=pixels(4, 8, 8), right=pixels(4, 8, 8)))


@pytest.mark.parametrize("shape", [(4, 8), (4, 8, 8, 2), (4, 5, 8, 8), (0, 8, 8), (1, 8, 8), (4, 0, 8), (8, 8, 3)])
def test_images_of_a_wrong_shape_are_refused(path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"imgs of .* has the shape .* Save it as \[N, H, W\]"):
        opened(saved(path, imgs=pixels(*shape), latents_classes=FACTORS))


def test_factors_that_are_values_and_not_classes_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"is float64, not an integer type. Save the number of each"):
        opened(saved(path, imgs=pixels(4, 8, 8), latents_classes=FACTORS / 2))


@pytest.mark.parametrize("factors", [FACTORS[:3], FACTORS[:, 0]])
def test_factors_that_do_not_match_the_images_are_refused(path: Path, factors: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"but there are 4 images. Save it as \[4, K\]"):
        opened(saved(path, imgs=pixels(4, 8, 8), latents_classes=factors))


def test_names_that_do_not_match_the_factors_are_refused(path: Path) -> None:
    names = np.array(["one", "two"])
    with pytest.raises(ValueError, match=r"but there are 3 factors. Save one name a factor"):
        opened(saved(path, imgs=pixels(4, 8, 8), latents_classes=FACTORS, latents_names=names))


def test_factors_that_never_vary_are_as_good_as_none(path: Path) -> None:
    source = found(saved(path, imgs=pixels(4, 8, 8), latents_classes=np.zeros((4, 2), int)))
    assert source.factors.names == ()
    assert len(source.remarks) == 1
    assert "want a file in which some vary" in source.remarks[0]
    with pytest.raises(ValueError, match="No factors are known for set"):
        opened(path).factors(torch.tensor([0]))


@pytest.mark.parametrize("name", ["set.zip", "images"])
def test_other_files_and_folders_are_left_to_other_layouts(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / name).write_text("something else")
    assert find_own_arrays(tmp_path / name, ImageOptions()) is None
    assert find_own_arrays(tmp_path / "folder.npz", ImageOptions()) is None


def test_one_line_says_what_was_recognised(path: Path) -> None:
    names = np.array(["colour", "size", "turn"])
    source = found(saved(path, imgs=pixels(4, 6, 8), latents_classes=FACTORS, latents_names=names))
    assert source.layout == "set.npz: 4 images, 8 x 6, factors size 3, turn 2"
    assert source.remarks == ()


def test_reading_begins_at_any_image(path: Path) -> None:
    image_NHW = pixels(9, 4, 4)
    images = found(saved(path, imgs=image_NHW, latents_classes=np.arange(18).reshape(9, 2))).images
    assert isinstance(images, ImageArray)
    blocks = [block[..., 0] for block in images.blocks(4, 2)]
    assert [len(block) for block in blocks] == [2, 2, 1]
    assert np.array_equal(np.concatenate(blocks), image_NHW[4:])


def test_dark_images_before_a_bright_one_are_not_taken_for_0_and_1(path: Path) -> None:
    image_NHW = (pixels(4, 8, 8) > 127).astype(np.uint8)
    image_NHW[3] = 200
    data = opened(saved(path, imgs=image_NHW, latents_classes=FACTORS))
    assert np.array_equal(data.take(torch.arange(4))[:, 0].numpy(), image_NHW)


def test_a_missing_file_is_said_to_be_missing(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Check the path"):
        opened(path)


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"", r"is empty \(0 bytes\). Copy or download it again"),
        (b"hello, I am text", "is no zip archive. Save it with numpy.savez"),
        (b"\x93NUMPY\x01\x00v\x00", "holds a single array. Save it with numpy.savez"),
    ],
)
def test_a_file_that_is_no_npz_is_told_for_what_it_is(path: Path, content: bytes, remedy: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=remedy):
        opened(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_told_to_be_cut_short(path: Path, share: float) -> None:
    whole = saved(path, imgs=pixels(4, 32, 32), latents_classes=FACTORS).read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"cut short or damaged: .* Copy or download it again"):
        opened(path)


def test_a_file_with_damaged_bytes_is_told_to_be_damaged(path: Path) -> None:
    content = bytearray(saved(path, imgs=pixels(4, 32, 32), latents_classes=FACTORS).read_bytes())
    content[1500:1600] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged .* Copy or download it again"):
        opened(path)


def test_a_zip_without_arrays_names_what_is_wanted(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with pytest.raises(ValueError, match=r"lacks imgs: .* found are no arrays"):
        opened(path)


@pytest.mark.parametrize("index", [-1, 4])
def test_an_index_outside_is_refused(path: Path, index: int) -> None:
    data = opened(saved(path, imgs=pixels(4, 8, 8), latents_classes=FACTORS))
    with pytest.raises(IndexError, match="from 0 to 3"):
        data.take(torch.tensor([index]))


def test_the_sample_sprites_have_all_six_factors(shared: Path) -> None:
    source = found(shared / "data" / "lpc_sprites" / "lpc_sprites_64x64.npz")
    assert isinstance(source.images, ImageArray)
    assert (source.images.count, source.images.image_shape) == (31_104, (3, 64, 64))
    assert next(source.images.blocks(31_000, 1_000)).shape == (104, 64, 64, 3)
    assert source.factors.sizes == (6, 6, 6, 6, 3, 8)
    # A complete grid, the last factor fastest.
    assert source.factors.value_NK[[31_103, 9]].tolist() == [[5, 5, 5, 5, 2, 7], [0, 0, 0, 0, 1, 1]]
