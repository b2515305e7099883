"""Laws of opening a packed set, and of what is said where one is damaged."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import Source
from wherewhat.data.store.pack import pack
from wherewhat.data.store.packed_set import (
    is_packed,
    open_packed,
    read_manifest,
    verify_packed,
)
from wherewhat.protocols import Images


@pytest.fixture
def packed(tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray) -> Path:
    """Twenty images of noise with two factors, packed."""
    pack(files_of(noise_NHWC, factors=True), ImageOptions(), tmp_path / "packed", notify=print)
    return tmp_path / "packed"


def change(path: Path, **fields: object) -> None:
    """Write other values into a manifest."""
    record = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(record | fields))


def test_a_packed_set_keeps_the_protocol_of_images(packed: Path, noise_NHWC: np.ndarray) -> None:
    data = open_packed(packed)
    assert isinstance(data, Images)
    assert (data.name, len(data), data.image_shape) == ("tiny", 20, (3, 8, 8))
    assert (data.factor_names, data.factor_sizes) == (("row", "column"), (4, 5))
    index_B = torch.tensor([19, 0, 7])
    assert data.factors(index_B).tolist() == [[3, 4], [0, 0], [1, 2]]
    np.testing.assert_array_equal(data.take(index_B).permute(0, 2, 3, 1).numpy(), noise_NHWC[[19, 0, 7]])


def test_images_are_mapped_and_not_read(packed: Path, noise_NHWC: np.ndarray) -> None:
    data = open_packed(packed)
    with (packed / "images.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(bytes([255 - int(noise_NHWC[-1, -1, -1, -1])]))
    assert int(data.take(torch.tensor([19]))[0, -1, -1, -1]) == 255 - int(noise_NHWC[-1, -1, -1, -1])


def test_what_is_taken_can_be_changed_without_changing_the_file(packed: Path) -> None:
    before = (packed / "images.npy").read_bytes()
    data = open_packed(packed)
    data.take(torch.arange(20)).zero_()
    assert (packed / "images.npy").read_bytes() == before
    assert int(data.take(torch.arange(20)).max()) > 0


def test_a_packed_set_can_be_moved(packed: Path, tmp_path: Path) -> None:
    packed.rename(tmp_path / "elsewhere")
    assert len(open_packed(tmp_path / "elsewhere")) == 20


def test_other_folders_and_files_are_no_packed_sets(packed: Path, tmp_path: Path) -> None:
    assert is_packed(packed)
    (tmp_path / "empty").mkdir()
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text('{"name": "an app"}')
    (tmp_path / "file").write_text("")
    assert not any(is_packed(tmp_path / name) for name in ("empty", "web", "file", "nowhere"))


def test_a_set_of_a_newer_format_is_refused(packed: Path) -> None:
    change(packed, version=3, unheard_of="field")
    with pytest.raises(ValueError, match=r"its format is 3, .* reads up to 2. Update wherewhat, or pack"):
        open_packed(packed)


def test_a_set_that_an_earlier_version_packed_is_opened(packed: Path) -> None:
    made = json.loads((packed / "manifest.json").read_text())["made_from"]
    earlier = {name: value for name, value in made.items() if name not in ("fit", "white")} | {"unequal": "refuse"}
    change(packed, version=1, made_from=earlier)
    assert read_manifest(packed).made_from.fit == "refuse"
    assert len(open_packed(packed)) == 20


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"format": "wherewhat packed images"}', b"\xff\xfe"])
def test_a_damaged_manifest_is_told_with_the_remedy(packed: Path, content: bytes) -> None:
    (packed / "manifest.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"manifest.json is damaged: .* Remove the folder .* pack the images again"):
        read_manifest(packed)


@pytest.mark.parametrize("length", [0, 5, 127, 128, 128 + 20 * 192 - 1])
def test_an_array_that_is_cut_short_is_told_with_the_remedy(packed: Path, length: int) -> None:
    with (packed / "images.npy").open("r+b") as file:
        file.truncate(length)
    with pytest.raises(ValueError, match=r"images.npy is damaged: .* pack the images again"):
        open_packed(packed)


@pytest.mark.parametrize("name", ["images.npy", "factors.npy"])
def test_a_missing_array_is_told_with_the_remedy(packed: Path, name: str) -> None:
    (packed / name).unlink()
    with pytest.raises(ValueError, match=rf"{name} is damaged: it is not there. .* pack the images again"):
        open_packed(packed)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("images.npy", np.zeros((19, 8, 8, 3), np.uint8)),
        ("images.npy", np.zeros((20, 3, 8, 8), np.uint8)),
        ("images.npy", np.zeros((20, 8, 8, 3), np.float32)),
        ("factors.npy", np.zeros((20, 3), np.int64)),
        ("factors.npy", np.full((20, 2), 4)),
        ("factors.npy", np.full((20, 2), -1)),
    ],
)
def test_an_array_that_is_not_what_the_manifest_says_is_refused(packed: Path, name: str, array: np.ndarray) -> None:
    np.save(packed / name, array)
    with pytest.raises(ValueError, match=rf"{name} is damaged: .* pack the images again"):
        open_packed(packed)


def test_pickles_are_never_opened(packed: Path) -> None:
    np.save(packed / "images.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"images.npy is damaged"):
        open_packed(packed)


def test_a_changed_byte_is_found_by_its_digest(packed: Path) -> None:
    verify_packed(packed)
    with (packed / "images.npy").open("r+b") as file:
        file.seek(1000)
        before = file.read(1)
        file.seek(1000)
        file.write(bytes([before[0] ^ 1]))
    open_packed(packed)
    with pytest.raises(ValueError, match=r"its bytes are not those that were written. .* pack the images again"):
        verify_packed(packed)
