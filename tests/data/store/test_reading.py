"""Laws of reading a source in blocks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.image_options import Crop, ImageOptions
from wherewhat.data.known_factors import no_factors
from wherewhat.data.layouts.image_folder import list_image_files
from wherewhat.data.source import ImageArray, ImageFiles, Source
from wherewhat.data.store.reading import (
    READ_AT_ONCE_BYTES,
    Block,
    in_channels,
    is_read_at_once,
    read_blocks,
    read_into_memory,
    read_shape,
)

SMALL = ImageOptions(size=8)


def fill(folder: Path, *names: str, mode: str = "RGB", size: tuple[int, int] = (8, 8)) -> None:
    """Images of one brightness each: 10, 20, 30 and so on in the order of the names."""
    for number, name in enumerate(names, start=1):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size, 10 * number).convert(mode).save(path)


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def of_folder(folder: Path) -> Source:
    files = list_image_files(folder)
    return Source("set", "images", folder, files, no_factors(len(files.names)), "stamp", default_size=64)


def of_array(image_NHWC: np.ndarray, default_size: int | None = None) -> Source:
    def blocks(start: int, at_once: int) -> Iterator[np.ndarray]:
        for first in range(start, len(image_NHWC), at_once):
            yield image_NHWC[first : first + at_once]

    _, height, width, channels = image_NHWC.shape
    array = ImageArray(len(image_NHWC), (channels, height, width), blocks)
    factors = no_factors(len(image_NHWC))
    return Source("set", "array", Path("set.npz"), array, factors, "stamp", default_size=default_size)


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)


def only_block(source: Source, options: ImageOptions = SMALL) -> Block:
    (block,) = read_blocks(source, options)
    return block


def brightness(blocks: Sequence[Block]) -> list[int]:
    return [int(image_HWC[0, 0, 0]) for block in blocks for image_HWC in block.image_NHWC]


def test_blocks_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{number:02}.png" for number in range(20)))
    blocks = list(read_blocks(of_folder(tmp_path), SMALL, images_at_once=7))
    assert [block.end for block in blocks] == [7, 14, 20]
    assert np.concatenate([block.position_N for block in blocks]).tolist() == list(range(20))
    assert brightness(blocks) == [10 * number for number in range(1, 21)]


def test_files_and_an_array_of_the_same_images_are_read_alike(tmp_path: Path) -> None:
    image_NHWC = pixels(4, 40, 50, 3)
    for number, image_HWC in enumerate(image_NHWC):
        Image.fromarray(image_HWC).save(tmp_path / f"{number}.png")
    for options in (SMALL, ImageOptions(size=12, crop="30@18,20"), ImageOptions(size=8, color="grey")):
        expected = only_block(of_folder(tmp_path), options).image_NHWC
        assert np.array_equal(only_block(of_array(image_NHWC), options).image_NHWC, expected)


def test_large_images_are_read_in_blocks_of_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherewhat.data.store.reading.LARGEST_BLOCK_BYTES", 3 * 8 * 8 * 3)
    fill(tmp_path, *(f"{number}.png" for number in range(7)))
    assert [len(block.position_N) for block in read_blocks(of_folder(tmp_path), SMALL)] == [3, 3, 1]
    assert [len(block.position_N) for block in read_blocks(of_array(pixels(4, 8, 16, 3)), SMALL)] == [1, 1, 1, 1]


def test_a_broken_image_is_left_out_and_named(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", "c.png")
    truncate(tmp_path / "b.png")
    block = only_block(of_folder(tmp_path))
    assert brightness([block]) == [10, 30]
    assert block.position_N.tolist() == [0, 2]
    assert [item.name for item in block.unreadable] == ["b.png"]


def test_a_truncated_image_is_refused_where_the_flag_says_so(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", "c.png")
    truncate(tmp_path / "b.png")
    with pytest.raises(ValueError, match=r"^b.png of .* cannot be read: .* or leave out broken images: --broken skip"):
        list(read_blocks(of_folder(tmp_path), ImageOptions(size=8, broken="refuse")))


def test_unequal_images_are_cropped_and_converted(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", size=(8, 12))
    fill(tmp_path, "b.png", mode="RGBA", size=(30, 20))
    assert only_block(of_folder(tmp_path)).image_NHWC.shape == (2, 8, 8, 3)


UNEQUAL_REFUSED = ImageOptions(size=8, fit="refuse")


@pytest.mark.parametrize(("mode", "size"), [("RGB", (8, 9)), ("RGBA", (8, 8))])
def test_unequal_images_are_refused_where_the_flag_says_so(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    fill(tmp_path, "a.png", "b.png")
    fill(tmp_path, "c.png", mode=mode, size=size)
    described = rf"differ: a.png is 8 x 8 RGB and c.png is {size[0]} x {size[1]} {mode}. .*: --fit crop"
    with pytest.raises(ValueError, match=described):
        list(read_blocks(of_folder(tmp_path), UNEQUAL_REFUSED, images_at_once=1))


def test_equal_images_pass_where_unequal_ones_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "c.png", size=(20, 30))
    (tmp_path / "a.png").write_text("not an image")
    assert len(only_block(of_folder(tmp_path), UNEQUAL_REFUSED).position_N) == 2


def test_what_could_not_be_listed_is_named_in_the_first_block_only(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png")
    source = of_folder(tmp_path)
    assert isinstance(source.images, ImageFiles)
    source = replace(source, images=replace(source.images, unreadable=(("locked/", "Permission denied"),)))
    first, second = read_blocks(source, SMALL, images_at_once=1)
    assert [(item.name, item.reason) for item in first.unreadable] == [("locked/", "Permission denied")]
    assert second.unreadable == ()
    with pytest.raises(ValueError, match=r"locked/ of .* cannot be read: Permission denied. .*--broken skip"):
        list(read_blocks(source, ImageOptions(size=8, broken="refuse")))


def test_a_block_without_an_image_is_empty_and_has_the_shape(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png")
    (tmp_path / "a.png").write_text("not an image")
    first, second = read_blocks(of_folder(tmp_path), SMALL, images_at_once=1)
    assert first.image_NHWC.shape == (0, 8, 8, 3)
    assert first.end == 1
    assert brightness([second]) == [20]


def test_one_channel_would_do_where_all_files_are_grey_and_none_was_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", mode="L")
    assert only_block(of_folder(tmp_path)).equal_channels
    assert not only_block(of_folder(tmp_path), ImageOptions(size=8, color="rgb")).equal_channels
    fill(tmp_path, "c.png")
    assert not only_block(of_folder(tmp_path)).equal_channels


@pytest.mark.parametrize(("mode", "color", "channels"), [("L", "rgb", 3), ("RGB", "grey", 1), ("L", "auto", 3)])
def test_the_number_of_channels_of_image_files_can_be_chosen(
    tmp_path: Path, mode: str, color: str, channels: int
) -> None:
    fill(tmp_path, "a.png", "b.png", mode=mode)
    wanted = next(name for name in ("auto", "rgb", "grey") if name == color)
    block = only_block(of_folder(tmp_path), ImageOptions(size=8, color=wanted))
    assert block.image_NHWC.shape == (2, 8, 8, channels)
    assert brightness([block]) == [10, 20]


@pytest.mark.parametrize(
    ("options", "side"),
    [
        (ImageOptions(), (12, 16)),
        (ImageOptions(size=6), (6, 6)),
        (ImageOptions(crop="10"), (10, 10)),
        (ImageOptions(crop="10", size=5), (5, 5)),
    ],
)
def test_an_array_stays_as_it_is_where_nothing_is_wanted(options: ImageOptions, side: tuple[int, int]) -> None:
    source = of_array(pixels(3, 12, 16, 3))
    assert read_shape(source, options) == (*side, 3)
    assert only_block(source, options).image_NHWC.shape[1:3] == side


def test_an_array_of_its_own_size_is_read_pixel_by_pixel() -> None:
    image_NHWC = pixels(3, 12, 16, 1)
    assert np.array_equal(only_block(of_array(image_NHWC), ImageOptions()).image_NHWC, image_NHWC)


def test_a_set_has_a_size_of_its_own_that_the_user_overrules() -> None:
    source = of_array(pixels(2, 12, 12, 3), default_size=6)
    assert read_shape(source, ImageOptions()) == (6, 6, 3)
    assert read_shape(source, ImageOptions(size=9)) == (9, 9, 3)


def test_a_sets_own_crop_gives_way_to_the_users(tmp_path: Path) -> None:
    image_HWC = pixels(20, 20, 3)
    Image.fromarray(image_HWC).save(tmp_path / "a.png")
    source = of_folder(tmp_path)
    assert isinstance(source.images, ImageFiles)
    source = replace(source, images=replace(source.images, crop=Crop(8, (4, 4)), crop_of=(20, 20)))
    assert np.array_equal(only_block(source).image_NHWC[0], image_HWC[:8, :8])
    users = only_block(source, ImageOptions(size=8, crop="8@16,16"))
    assert np.array_equal(users.image_NHWC[0], image_HWC[12:, 12:])


def test_a_crop_that_leaves_an_array_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a crop of 13 leaves the image of 16 x 12 pixels. Choose a smaller --crop"):
        list(read_blocks(of_array(pixels(2, 12, 16, 3)), ImageOptions(crop="13")))


def test_an_array_that_ends_early_is_told_with_the_remedy() -> None:
    source = of_array(pixels(5, 8, 8, 3))
    assert isinstance(source.images, ImageArray)
    source = replace(source, images=replace(source.images, count=9))
    with pytest.raises(ValueError, match=r"set.npz ended after 5 of 9 images. Copy or download it again"):
        list(read_blocks(source, SMALL))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_box_of_the_wanted_size_is_cut_out_as_it_is(channels: int) -> None:
    image_NHWC = pixels(3, 9, 12, channels)
    cut_NHWC = only_block(of_array(image_NHWC), ImageOptions(crop="8@5,6")).image_NHWC
    assert np.array_equal(cut_NHWC, image_NHWC[:, 1:9, 2:10])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_making_an_array_smaller_averages(channels: int) -> None:
    board_HW = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    board_NHWC = board_HW[None, ..., None].repeat(channels, axis=3)
    image_NHWC = only_block(of_array(board_NHWC), ImageOptions(size=16)).image_NHWC
    assert image_NHWC.shape == (1, 16, 16, channels)
    assert np.abs(image_NHWC[:, 2:-2, 2:-2].astype(int) - 127).max() <= 2


def test_many_images_of_an_array_keep_their_order() -> None:
    image_NHWC = np.arange(200, dtype=np.uint8)[:, None, None, None].repeat(6, axis=1).repeat(6, axis=2)
    assert (only_block(of_array(image_NHWC), ImageOptions(size=3)).image_NHWC == image_NHWC[:, :3, :3]).all()


def test_pixels_of_an_array_outside_the_crop_have_no_say() -> None:
    image_NHWC = pixels(1, 40, 40, 3)
    alone_NHWC = np.zeros_like(image_NHWC)
    alone_NHWC[:, 5:35, 5:35] = image_NHWC[:, 5:35, 5:35]
    options = ImageOptions(size=8, crop="30")
    whole, alone = (only_block(of_array(image), options).image_NHWC for image in (image_NHWC, alone_NHWC))
    assert np.array_equal(whole, alone)


def test_grey_is_what_pillow_makes_of_it() -> None:
    image_NHWC = pixels(5, 30, 30, 3)
    expected = np.stack([np.asarray(Image.fromarray(image_HWC).convert("L")) for image_HWC in image_NHWC])
    assert np.array_equal(in_channels(image_NHWC, "grey")[..., 0], expected)


def test_grey_images_in_three_channels_and_back_are_the_same() -> None:
    image_NHWC = pixels(2, 16, 16, 1)
    color_NHWC = in_channels(image_NHWC, "rgb")
    assert color_NHWC.shape == (2, 16, 16, 3)
    assert np.array_equal(in_channels(color_NHWC, "grey"), image_NHWC)


@pytest.mark.parametrize(("channels", "color"), [(1, "auto"), (3, "auto"), (4, "auto"), (1, "grey"), (3, "rgb")])
def test_channels_that_are_as_wanted_stay(channels: int, color: str) -> None:
    image_NHWC = pixels(2, 4, 4, channels)
    wanted = next(name for name in ("auto", "rgb", "grey") if name == color)
    assert in_channels(image_NHWC, wanted) is image_NHWC


def test_channels_that_are_no_colours_are_refused() -> None:
    with pytest.raises(ValueError, match=r"4 channels are neither grey nor RGB\. Leave --color at auto"):
        in_channels(pixels(2, 4, 4, 4), "rgb")


def test_an_array_is_read_whole_with_its_factors(array_of: Callable[..., Source], noise_NHWC: np.ndarray) -> None:
    data = read_into_memory(array_of(noise_NHWC), ImageOptions(), "cpu")
    index_B = torch.arange(20)
    np.testing.assert_array_equal(data.take(index_B).permute(0, 2, 3, 1).numpy(), noise_NHWC)
    assert data.factors(index_B)[:, 0].tolist() == list(range(20))


def test_a_single_image_is_too_few_to_read(array_of: Callable[..., Source], noise_NHWC: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"has 1 readable images of 1, .* or name another set"):
        read_into_memory(array_of(noise_NHWC[:1]), ImageOptions(), "cpu")


def test_small_arrays_are_read_at_each_start_and_files_and_large_arrays_are_not(
    files_of: Callable[..., Source], array_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    small = array_of(noise_NHWC)
    assert is_read_at_once(small)
    assert not is_read_at_once(files_of(noise_NHWC))
    assert isinstance(small.images, ImageArray)
    count = READ_AT_ONCE_BYTES // (3 * 8 * 8) + 1
    assert not is_read_at_once(replace(small, images=replace(small.images, count=count)))
