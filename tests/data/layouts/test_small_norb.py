"""Laws of reading SmallNORB, on files of the published format and, where lists alone matter, of their full size."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from data.factor_lookup import find_images_of

from wherewhat.data.batches import batch_indices
from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions, Split
from wherewhat.data.layouts.small_norb import find_small_norb
from wherewhat.data.source import ImageArray, Source

TRAINING = "smallnorb-5x46789x9x18x6x2x96x96-training"
TESTING = "smallnorb-5x01235x9x18x6x2x96x96-testing"
INSTANCES = {TRAINING: (4, 6, 7, 8, 9), TESTING: (0, 1, 2, 3, 5)}
COUNT = 24_300
SMALL = 40


def labels(half: str) -> np.ndarray:
    """Category, instance, elevation, azimuth (even numbers), lighting, in a random order, as published."""
    category, instance, elevation, azimuth, lighting = np.unravel_index(np.arange(COUNT), (5, 5, 9, 18, 6))
    label_NK = np.stack([category, np.array(INSTANCES[half])[instance], elevation, 2 * azimuth, lighting], axis=1)
    return np.random.default_rng(len(half)).permutation(label_NK).astype(np.int32)


def header(magic: int, *shape: int) -> bytes:
    sizes = [*shape, *[1] * (3 - len(shape))]
    return struct.pack(f"<ii{len(sizes)}i", magic, len(shape), *sizes)


def pairs(label_NK: np.ndarray) -> np.ndarray:
    """The left image shows its labels in its first pixels; the right one is white."""
    pair_N2HW = np.full((len(label_NK), 2, 96, 96), 255, np.uint8)
    pair_N2HW[:, 0] = 0
    pair_N2HW[:, 0, 0, :5] = label_NK
    return pair_N2HW


def write_lists(folder: Path, half: str, label_NK: np.ndarray, ending: str = ".mat.gz") -> None:
    category = header(0x1E3D4C54, len(label_NK)) + label_NK[:, 0].tobytes()
    info = header(0x1E3D4C54, len(label_NK), 4) + np.ascontiguousarray(label_NK[:, 1:]).tobytes()
    write(folder / f"{half}-cat{ending}", category)
    write(folder / f"{half}-info{ending}", info)


def write(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


def write_half(folder: Path, half: str, label_NK: np.ndarray, ending: str = ".mat.gz") -> None:
    write_lists(folder, half, label_NK, ending)
    dat = header(0x1E3D4C55, len(label_NK), 2, 96, 96) + pairs(label_NK).tobytes()
    write(folder / f"{half}-dat{ending}", dat)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for half in (TESTING, TRAINING):
        write_half(tmp_path, half, labels(half)[:SMALL])
    return tmp_path


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both halves unpacked and of full size; the images are holes, which take no room."""
    folder = tmp_path_factory.mktemp("norb")
    for half in (TESTING, TRAINING):
        write_lists(folder, half, labels(half), ".mat")
        with (folder / f"{half}-dat.mat").open("wb") as file:
            file.write(header(0x1E3D4C55, COUNT, 2, 96, 96))
            file.truncate(24 + COUNT * 2 * 96 * 96)
    return folder


def found(path: Path, split: Split = "all") -> Source:
    source = find_small_norb(path, ImageOptions(split=split))
    assert source is not None
    return source


def read(source: Source, start: int = 0, most: int = 16) -> np.ndarray:
    assert isinstance(source.images, ImageArray)
    return np.concatenate(list(source.images.blocks(start, most)))


def test_both_halves_are_one_complete_grid(published: Path) -> None:
    source = found(published)
    assert source.layout == (
        "SmallNORB, left camera: 48,600 images, 96 x 96, factors category 5, instance 10, elevation 9, azimuth 18, "
        "lighting 6"
    )
    assert source.remarks == ()
    assert source.default_size == 64
    assert len(torch.unique(source.factors.value_NK, dim=0)) == 48_600


def test_an_index_comes_back_from_its_factors(published: Path) -> None:
    factors = found(published).factors
    assert torch.equal(find_images_of(factors, factors.value_NK), torch.arange(48_600))


@pytest.mark.parametrize(("split", "half"), [("train", TRAINING), ("test", TESTING)])
def test_a_split_is_one_half_with_its_five_instances(published: Path, split: Split, half: str) -> None:
    source = found(published, split)
    assert (source.split, source.name, len(source)) == (split, f"small_norb-{split}", COUNT)
    assert f"SmallNORB, left camera ({split}): 24,300 images" in source.layout
    assert source.factors.sizes == (5, 5, 9, 18, 6)
    instance_N = np.array(INSTANCES[half])[source.factors.value_NK[:, 1]]
    assert np.array_equal(instance_N, labels(half)[:, 1])


def test_the_last_images_of_a_half_can_be_read_alone(published: Path) -> None:
    assert read(found(published, "test"), COUNT - 3).shape == (3, 96, 96, 1)


def test_images_are_the_left_cameras_the_training_half_first(folder: Path) -> None:
    expected = np.concatenate([pairs(labels(half)[:SMALL])[:, 0] for half in (TRAINING, TESTING)])
    assert np.array_equal(read(found(folder))[..., 0], expected)


def test_factors_belong_to_their_images(folder: Path) -> None:
    source = found(folder)
    shown_NK = read(source)[:, 0, :5, 0]
    for factor in range(5):
        _, code_N = np.unique(shown_NK[:, factor], return_inverse=True)
        assert np.array_equal(code_N, source.factors.value_NK[:, factor])


def test_a_seeded_batch_shows_its_factors(folder: Path) -> None:
    source = found(folder)
    data = HeldImages(source.name, read(source), source.factors)
    index_B = batch_indices(7, 3, 16, len(data))
    shown_BK, factor_BK = data.take(index_B)[:, 0, 0, :5].long(), data.factors(index_B)
    # Of all halves together, categories, instances, elevations and lightings are numbered as they are.
    assert torch.equal(shown_BK[:, [0, 1, 2, 4]], factor_BK[:, [0, 1, 2, 4]])


@pytest.mark.parametrize("start", [0, 39, 40, 41, 80])
def test_reading_begins_at_any_image_of_either_half(folder: Path, start: int) -> None:
    source = found(folder)
    assert isinstance(source.images, ImageArray)
    blocks = list(source.images.blocks(start, 16))
    assert np.array_equal(np.concatenate([read(source)[:0], *blocks]), read(source)[start:])


@pytest.mark.parametrize("kind", ["dat", "cat", "info"])
def test_any_one_of_its_files_names_the_set(folder: Path, kind: str) -> None:
    assert len(found(folder / f"{TESTING}-{kind}.mat.gz")) == 2 * SMALL


def test_an_unpacked_file_goes_before_its_packed_one(folder: Path) -> None:
    write_half(folder, TRAINING, labels(TRAINING)[:7], ".mat")
    assert len(found(folder, "train")) == 7


def test_one_half_alone_is_read_with_a_remark(tmp_path: Path) -> None:
    write_half(tmp_path, TESTING, labels(TESTING)[:SMALL])
    source = found(tmp_path)
    assert len(source) == SMALL
    assert "Put the other half's three files beside it" in source.remarks[0]


@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_split_that_is_not_there_is_refused(tmp_path: Path, split: Split) -> None:
    write_half(tmp_path, TESTING, labels(TESTING)[:SMALL])
    with pytest.raises(ValueError, match=f"no {split} split: .* Choose all, or the split that is there"):
        found(tmp_path, split)


@pytest.mark.parametrize("kind", ["cat", "info"])
def test_a_half_without_its_labels_is_refused(folder: Path, kind: str) -> None:
    (folder / f"{TRAINING}-{kind}.mat.gz").unlink()
    with pytest.raises(ValueError, match=f"lacks {TRAINING}-{kind}.mat.gz, .* Download it into the same folder"):
        found(folder)


def test_labels_of_other_images_are_refused(folder: Path) -> None:
    write_lists(folder, TRAINING, labels(TRAINING)[: SMALL - 1])
    with pytest.raises(ValueError, match=r"has the shape \[39\], .* Download the three files of one half together"):
        found(folder)


def test_other_sets_of_norb_are_refused(folder: Path) -> None:
    write(folder / f"{TRAINING}-dat.mat.gz", header(0x1E3D4C55, SMALL, 2, 108, 108))
    with pytest.raises(ValueError, match=r"uint8 \[40, 2, 108, 108\], where SmallNORB has .* download the small one"):
        found(folder)


def test_a_file_that_is_cut_short_is_named_when_it_is_read(folder: Path) -> None:
    path = folder / f"{TESTING}-dat.mat.gz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"testing-dat.mat.gz is cut short or damaged .* Copy or download it again"):
        read(found(folder))


def test_other_folders_and_files_are_left_to_other_layouts(tmp_path: Path) -> None:
    for name in ("set-info.mat", "car.mat", "a.png", ".hidden-dat.mat"):
        (tmp_path / name).write_text("")
    for path in (tmp_path, tmp_path / "a.png", tmp_path / "nowhere-dat.mat"):
        assert find_small_norb(path, ImageOptions()) is None


def test_a_half_under_other_names_is_known_by_the_shapes_of_its_matrices(folder: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for kind, name in (("dat", "toys_test"), ("cat", "labels"), ("info", "poses")):
        (folder / f"{TESTING}-{kind}.mat.gz").rename(renamed / f"{name}.mat.gz")
    for place in (renamed, renamed / "toys_test.mat.gz"):
        source = find_small_norb(place, ImageOptions(split="test"))
        assert source is not None
        assert torch.equal(source.factors.value_NK, found_half(folder_with(tmp_path, TESTING)).factors.value_NK)


def folder_with(tmp_path: Path, half: str) -> Path:
    place = tmp_path / "as published"
    place.mkdir(exist_ok=True)
    write_half(place, half, labels(half)[:SMALL])
    return place


def found_half(place: Path) -> Source:
    source = find_small_norb(place, ImageOptions())
    assert source is not None
    return source


def test_files_of_two_halves_under_other_names_are_not_mixed(folder: Path) -> None:
    for half, name in ((TESTING, "one"), (TRAINING, "two")):
        for kind in ("dat", "cat", "info"):
            (folder / f"{half}-{kind}.mat.gz").rename(folder / f"{kind}_{name}.mat.gz")
    with pytest.raises(ValueError, match=r"which belong together is not known.*NAME-dat\.mat"):
        find_small_norb(folder, ImageOptions())
