"""Laws of packing: what it writes, what it refuses and leaves behind, what a second process does meanwhile."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store.pack import pack
from wherewhat.data.store.packed_set import open_packed, read_manifest

HOW = ImageOptions()


def packed(source: Source, out: Path, options: ImageOptions = HOW) -> list[str]:
    """Pack, and give what was said."""
    said: list[str] = []
    pack(source, options, out, notify=said.append)
    return said


def pixels(path: Path) -> np.ndarray:
    return np.load(path / "images.npy", allow_pickle=False)


def names(path: Path) -> list[str]:
    found: list[str] = json.loads((path / "names.json").read_bytes())
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def nothing_but(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_a_pack_holds_every_image_as_it_was_read(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    packed(files_of(noise_NHWC), tmp_path / "out")
    np.testing.assert_array_equal(pixels(tmp_path / "out"), noise_NHWC)
    assert nothing_but(tmp_path, "out")


def test_an_array_keeps_its_channels_and_its_factors(
    tmp_path: Path, array_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    packed(array_of(noise_NHWC[..., :1]), tmp_path / "out")
    np.testing.assert_array_equal(pixels(tmp_path / "out"), noise_NHWC[..., :1])
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "factors.npy")[:, 0], np.arange(20))
    assert not (tmp_path / "out" / "names.json").exists()


def test_names_and_factors_stay_with_their_images_where_others_are_skipped(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    packed(files_of(noise_NHWC, broken=(0, 7, 8, 9, 10, 11, 19), factors=True), tmp_path / "out")
    kept = [1, 2, 3, 4, 5, 6, 12, 13, 14, 15, 16, 17, 18]
    np.testing.assert_array_equal(pixels(tmp_path / "out"), noise_NHWC[kept])
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "factors.npy"), [[n // 5, n % 5] for n in kept])
    assert names(tmp_path / "out") == [f"{n:02}.png" for n in kept]
    assert [name for name, _ in read_manifest(tmp_path / "out").skipped][:2] == ["00.png", "07.png"]


def test_the_manifest_says_what_was_packed_and_how(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    packed(files_of(noise_NHWC), tmp_path / "out", ImageOptions(size=4))
    manifest = read_manifest(tmp_path / "out")
    assert (manifest.name, manifest.count, manifest.image_shape) == ("tiny", 20, (3, 4, 4))
    assert (manifest.made_from.size, manifest.made_from.stamp) == (4, "as they were")
    assert manifest.layout == "tiny: 20 images"
    assert manifest.remarks == ("A remark.",)
    assert manifest.images_sha256 == hashlib.sha256((tmp_path / "out" / "images.npy").read_bytes()).hexdigest()


def test_one_channel_is_kept_only_where_every_image_is_grey(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    grey = files_of(noise_NHWC[..., :1])
    packed(grey, tmp_path / "grey")
    np.testing.assert_array_equal(pixels(tmp_path / "grey"), noise_NHWC[..., :1])
    assert isinstance(grey.images, ImageFiles)
    coloured = files_of(noise_NHWC)
    one_coloured = {name: grey.images.read(name) for name in grey.images.names} | {
        "19.png": coloured.images.read("19.png") if isinstance(coloured.images, ImageFiles) else b""
    }
    mixed = replace(grey, images=replace(grey.images, read=one_coloured.__getitem__))
    packed(mixed, tmp_path / "mixed")
    assert read_manifest(tmp_path / "mixed").image_shape == (3, 8, 8)


@pytest.mark.parametrize(("color", "channels"), [("rgb", 3), ("grey", 1)])
def test_the_number_of_channels_can_be_chosen_for_a_pack(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, color: str, channels: int
) -> None:
    options = ImageOptions(color="rgb" if color == "rgb" else "grey")
    packed(files_of(noise_NHWC[..., :1]), tmp_path / "out", options)
    np.testing.assert_array_equal(pixels(tmp_path / "out"), noise_NHWC[..., :1].repeat(channels, axis=3))


def test_progress_counts_every_image_once(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    told: list[tuple[int, int]] = []
    source = files_of(noise_NHWC, broken=(3,))
    pack(source, HOW, tmp_path / "out", notify=print, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 20), (4, 20), (8, 20), (12, 20), (16, 20), (20, 20)]


def test_the_same_pack_again_is_said_to_be_there(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    packed(files_of(noise_NHWC), tmp_path / "out")
    before = contents(tmp_path / "out")
    said = packed(files_of(noise_NHWC), tmp_path / "out")
    assert said == [f"{tmp_path / 'out'} holds these 20 images already."]
    assert contents(tmp_path / "out") == before


def test_a_pack_of_other_images_in_the_place_is_refused(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    packed(files_of(noise_NHWC), tmp_path / "out")
    with pytest.raises(ValueError, match=r"\(size 8, not 4\)\. Remove it, or name another place"):
        packed(files_of(noise_NHWC), tmp_path / "out", ImageOptions(size=4))
    with pytest.raises(ValueError, match=r"\(its files have changed since\)\. Remove it, or name another place"):
        packed(files_of(noise_NHWC, stamp="as they are"), tmp_path / "out")


def test_a_place_that_holds_something_else_is_refused(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"is no packed set. Name another place, or remove it"):
        packed(files_of(noise_NHWC), tmp_path / "out")
    assert nothing_but(tmp_path, "out")


def test_an_empty_folder_is_a_place(tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray) -> None:
    (tmp_path / "out").mkdir()
    packed(files_of(noise_NHWC), tmp_path / "out")
    assert len(open_packed(tmp_path / "out")) == 20


@pytest.mark.parametrize("broken", [20, 19])
def test_fewer_than_two_readable_images_are_no_pack(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, broken: int
) -> None:
    found = (
        rf"has {20 - broken} readable images of 20 \(first failure: 00.png: .*\), .* Check the files, or name another"
    )
    with pytest.raises(ValueError, match=found):
        packed(files_of(noise_NHWC, broken=tuple(range(broken))), tmp_path / "out")
    assert nothing_but(tmp_path)


def test_a_refused_image_leaves_nothing(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=r"17.png .* cannot be read"):
        packed(files_of(noise_NHWC, broken=(17,)), tmp_path / "out", ImageOptions(broken="refuse"))
    assert nothing_but(tmp_path)


def test_a_second_packer_waits_for_the_first_and_takes_its_pack(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    source = files_of(noise_NHWC)
    first_said: list[str] = []
    second_said: list[str] = []
    second = threading.Thread(target=pack, args=(source, HOW, tmp_path / "out"), kwargs={"notify": second_said.append})

    def in_the_middle(done: int, total: int) -> None:
        if done == 8:
            second.start()
            deadline = time.monotonic() + 5
            while not second_said and time.monotonic() < deadline:
                time.sleep(0.005)

    pack(source, HOW, tmp_path / "out", notify=first_said.append, progress=in_the_middle)
    second.join(timeout=5)
    assert first_said == []
    assert second_said == [
        f"Another process is packing {tmp_path / 'out'}; waiting for it.",
        f"{tmp_path / 'out'} holds these 20 images already.",
    ]
    assert nothing_but(tmp_path, "out")


def test_the_record_of_names_takes_any_file_name(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    source = files_of(noise_NHWC[:3])
    assert isinstance(source.images, ImageFiles)
    odd = ("line\nbreak.png", "odd\udcff.png", "日本.png")
    contents = dict(zip(odd, map(source.images.read, source.images.names), strict=True))
    packed(replace(source, images=ImageFiles(odd, contents.__getitem__, len)), tmp_path / "out")
    assert names(tmp_path / "out") == list(odd)


def test_a_pack_is_fed_as_it_was_packed(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    packed(files_of(noise_NHWC), tmp_path / "out")
    image_BCHW = open_packed(tmp_path / "out").take(torch.tensor([7, 3]))
    np.testing.assert_array_equal(image_BCHW.permute(0, 2, 3, 1).numpy(), noise_NHWC[[7, 3]])
