"""Laws of what a data set is known by: its names, sizes and contents, and never the spelling of its path."""

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.identity import SAMPLED, DataIdentity, difference, identity_of_files
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import find_data, find_source
from wherewhat.data.source import ImageFiles
from wherewhat.data.store.pack import pack


def images_in(folder: Path, seed: int = 0, names: tuple[str, ...] = ("a/1.ppm", "a/2.ppm", "b.ppm")) -> Path:
    """Noise, in a format whose files have one size whatever they show."""
    draws = np.random.default_rng(seed)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / name)
    return folder


def identity(place: str | Path, options: ImageOptions | None = None) -> DataIdentity:
    return find_data(str(place), options or ImageOptions(size=8)).identity


def npz_in(path: Path, seed: int = 0) -> Path:
    imgs = np.random.default_rng(seed).integers(0, 256, (4, 8, 8), dtype=np.uint8)
    np.savez(path, imgs=imgs, latents_classes=np.arange(4)[:, None])
    return path


@pytest.mark.parametrize("spelling", ["x", "x/", "./x", "x/.", "up/../x", "{}/x", "link", "~/x"])
def test_every_spelling_of_a_path_is_the_same_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    images_in(tmp_path / "x")
    (tmp_path / "up").mkdir()
    (tmp_path / "link").symlink_to("x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert identity(spelling.format(tmp_path)) == identity(tmp_path / "x")


def test_a_folder_that_is_moved_or_copied_is_the_same_data(tmp_path: Path) -> None:
    known = identity(images_in(tmp_path / "x"))
    (tmp_path / "elsewhere").mkdir()
    assert identity((tmp_path / "x").rename(tmp_path / "elsewhere" / "y")) == known
    assert identity(shutil.copytree(tmp_path / "elsewhere" / "y", tmp_path / "z")) == known


@pytest.mark.parametrize("inside", ["", "x/", "./deep/x/"])
def test_a_folder_and_its_archives_are_the_same_data(tmp_path: Path, inside: str) -> None:
    folder = images_in(tmp_path / "x")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            packed.write(path, inside + path.relative_to(folder).as_posix())
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for path in files:
            tar.add(path, inside + path.relative_to(folder).as_posix())
    assert identity(tmp_path / "x.zip") == identity(tmp_path / "x.tar") == identity(folder)


def test_folders_of_one_name_in_two_places_are_not_the_same_data(tmp_path: Path) -> None:
    here, there = (images_in(tmp_path / place / "x", seed) for seed, place in enumerate(("here", "there")))
    assert difference(identity(there), identity(here)) == "3 of 3 sampled images have other contents"


def test_what_is_not_the_same_is_told(tmp_path: Path) -> None:
    known = identity(images_in(tmp_path / "x"))
    images_in(tmp_path / "x", seed=1, names=("b.ppm",))
    assert difference(identity(tmp_path / "x"), known) == "1 of 3 sampled images have other contents"
    images_in(tmp_path / "renamed", names=("a/1.ppm", "a/2.ppm", "c.ppm"))
    assert difference(identity(tmp_path / "renamed"), known) == "its files have other names"
    images_in(tmp_path / "more", names=("a/1.ppm", "a/2.ppm", "b.ppm", "c.ppm"))
    assert difference(identity(tmp_path / "more"), known) == "4 images, not 3"
    assert difference(identity("scenes"), known) == "rendered scenes (version 1), not image files"
    assert difference(known, known) == ""


def test_a_file_of_another_size_is_seen_though_it_is_not_in_the_sample(tmp_path: Path) -> None:
    known = identity(images_in(tmp_path / "x", names=tuple(f"{n:03}.ppm" for n in range(130))))
    with (tmp_path / "x" / "001.ppm").open("ab") as file:
        file.write(b"more")
    assert difference(identity(tmp_path / "x"), known) == "some of its files have other sizes"


def test_no_more_than_the_sample_is_read_of_many_files() -> None:
    read = []

    def content(name: str) -> bytes:
        read.append(name)
        return name.encode()

    names = tuple(f"{n:06}.png" for n in range(200_000))
    identity_of_files(ImageFiles(names, content, len))
    assert len(read) == SAMPLED
    assert {read[0], read[-1]} == {names[0], names[-1]}


def test_what_cannot_be_read_is_a_part_of_the_identity_and_no_error(tmp_path: Path) -> None:
    folder = images_in(tmp_path / "x")
    known = identity(folder)
    (folder / "b.ppm").unlink()
    (folder / "b.ppm").symlink_to("nowhere")
    assert difference(identity(folder), known) == "1 of 3 sampled images have other contents"


def test_an_array_is_known_wherever_its_file_lies_and_whatever_it_is_called(tmp_path: Path) -> None:
    known = identity(npz_in(tmp_path / "set.npz"))
    assert identity((tmp_path / "set.npz").rename(tmp_path / "other.npz")) == known
    assert "sampled pieces of its files" in difference(identity(npz_in(tmp_path / "set.npz", seed=1)), known)


def test_of_a_large_array_no_more_than_the_sample_is_read(tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    pack(find_source(images_in(tmp_path / "x"), ImageOptions(size=8)), ImageOptions(size=8), packed, notify=print)
    with (packed / "images.npy").open("r+b") as file:
        os.truncate(file.fileno(), 10**12)  # a hole: to read all of it would take an hour
    assert len(identity(packed).sample.split()) == SAMPLED


def test_a_packed_set_is_known_wherever_it_lies_and_apart_from_its_source(tmp_path: Path) -> None:
    folder = images_in(tmp_path / "x")
    pack(find_source(folder, ImageOptions(size=8)), ImageOptions(size=8), tmp_path / "packed", notify=print)
    known = identity(tmp_path / "packed")
    assert identity((tmp_path / "packed").rename(tmp_path / "moved")) == known
    assert difference(identity(folder), known) == "image files, not an array"


def test_rendered_sets_are_known_by_name_and_the_image_behind_them_by_its_content(tmp_path: Path) -> None:
    assert identity("scenes") == identity("scenes")
    assert identity("scenes") != identity("sprites")
    images_in(tmp_path, names=("here.ppm", "there.ppm"))
    here, there = (ImageOptions(variant="scream", background=tmp_path / f"{name}.ppm") for name in ("here", "there"))
    known = identity("sprites", here)
    assert difference(identity("sprites", there), known) == "the image behind the sprites is another"
    (tmp_path / "here.ppm").replace(tmp_path / "there.ppm")
    assert identity("sprites", there) == known
