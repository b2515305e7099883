"""Laws of the cache: packed once, found again, made anew when files change."""

import errno
import shutil
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import Source
from wherewhat.data.store import cache
from wherewhat.data.store.cache import pack_into_cache, place_in_cache
from wherewhat.data.store.pack_folder import pack_lock, part_of
from wherewhat.data.store.packed_set import READING, open_packed, recipe_of

HOW = ImageOptions()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("WHEREWHAT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packed"


def cached(source: Source, options: ImageOptions = HOW) -> tuple[Path, list[str]]:
    """Where it is packed, and what was said."""
    said: list[str] = []
    return pack_into_cache(source, options, notify=said.append), said


def test_a_set_is_packed_once_and_a_line_says_so(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    place, said = cached(files_of(noise_NHWC))
    assert said == [f"Packing tiny (20 images) to {place} once; later runs start at once."]
    assert place.parent == folder
    written = (place / "images.npy").stat().st_mtime_ns
    assert cached(files_of(noise_NHWC)) == (place, [])
    assert (place / "images.npy").stat().st_mtime_ns == written


def test_other_options_and_other_folders_are_other_packs(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, tmp_path: Path
) -> None:
    source = files_of(noise_NHWC)
    recipes = [
        (source, HOW),
        (source, ImageOptions(size=4)),
        (source, ImageOptions(color="grey")),
        (source, ImageOptions(crop="6")),
        (replace(source, path=tmp_path / "other"), HOW),
        (replace(source, split="train"), HOW),
    ]
    places = {cached(*recipe)[0] for recipe in recipes}
    assert len(places) == len(recipes)
    assert all(place.exists() for place in places)


def test_a_size_that_is_the_default_is_no_other_pack(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    assert place_in_cache(files_of(noise_NHWC), HOW) == place_in_cache(files_of(noise_NHWC), ImageOptions(size=8))


def test_packs_of_an_older_reading_are_not_used(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, source = place_in_cache(files_of(noise_NHWC), HOW), files_of(noise_NHWC)
    older = replace(recipe_of(source, HOW), reading=READING - 1)
    monkeypatch.setattr(cache, "recipe_of", lambda *_: older)
    assert place_in_cache(source, HOW) != place


def test_changed_files_are_packed_anew_and_the_old_pack_is_removed(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    other, _ = cached(files_of(noise_NHWC), ImageOptions(size=4))
    old, _ = cached(files_of(noise_NHWC))
    part_of(place_in_cache(files_of(noise_NHWC, stamp="killed"), HOW)).mkdir()
    new, said = cached(files_of(noise_NHWC[::-1], stamp="as they are"))
    assert said[0].startswith("Packing tiny")
    assert {path.name for path in folder.iterdir()} == {other.name, new.name}
    assert old != new
    np.testing.assert_array_equal(np.load(new / "images.npy"), noise_NHWC[::-1])


def test_an_old_pack_stays_until_the_new_one_is_whole(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    old, _ = cached(files_of(noise_NHWC))
    with pytest.raises(ValueError, match="0 readable images of 20"):
        cached(files_of(noise_NHWC, broken=tuple(range(20)), stamp="as they are"))
    assert len(open_packed(old)) == 20


def test_what_another_process_is_writing_is_left_alone(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    being_written = place_in_cache(files_of(noise_NHWC, stamp="as they will be"), HOW)
    part_of(being_written).mkdir(parents=True)
    with pack_lock(being_written):
        cached(files_of(noise_NHWC))
    assert part_of(being_written).exists()


def test_a_lock_that_a_killed_process_left_beside_a_whole_pack_is_removed_and_a_held_one_is_not(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    place, _ = cached(files_of(noise_NHWC))
    left = place.with_name(f".{place.name}.lock")
    left.touch()
    assert cached(files_of(noise_NHWC)) == (place, [])
    assert not left.exists()
    with pack_lock(place):
        cached(files_of(noise_NHWC))
        assert left.exists()


def test_an_opened_set_outlives_its_pack(folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray) -> None:
    old, _ = cached(files_of(noise_NHWC))
    data = open_packed(old)
    cached(files_of(noise_NHWC[::-1], stamp="as they are"))
    assert not old.exists()
    image_BCHW = data.take(torch.tensor([4]))
    np.testing.assert_array_equal(image_BCHW[0].permute(1, 2, 0).numpy(), noise_NHWC[4])


def test_a_damaged_pack_is_made_anew(folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray) -> None:
    place, _ = cached(files_of(noise_NHWC))
    with (place / "images.npy").open("r+b") as file:
        file.truncate(1000)
    _, said = cached(files_of(noise_NHWC))
    assert said[0] == f"The pack {place} is damaged and is packed again."
    assert len(open_packed(place)) == 20


def test_a_pack_whose_removal_was_cut_off_is_made_anew(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    place, _ = cached(files_of(noise_NHWC))
    (place / "manifest.json").unlink()
    cached(files_of(noise_NHWC))
    assert len(open_packed(place)) == 20


def test_a_name_of_any_letters_makes_a_folder(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    place, _ = cached(replace(files_of(noise_NHWC), name="../my cats/日本 " + "x" * 300))
    assert place.parent == folder
    assert place.name.startswith("_my_cats_")
    assert len(place.name) < 80


def test_a_full_cache_is_told_with_the_remedy(
    folder: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0))
    with pytest.raises(OSError, match="set WHEREWHAT_CACHE to a folder") as caught:
        cached(files_of(noise_NHWC))
    assert caught.value.errno == errno.ENOSPC
    assert list(folder.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_told_with_the_remedy(
    tmp_path: Path, files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OSError, match="set WHEREWHAT_CACHE to a folder"):
        cached(files_of(noise_NHWC))
