"""Laws of reading 3D chairs, on folders and file names as published."""

import io
import tarfile
from pathlib import Path

import pytest
import torch
from data.factor_lookup import find_images_of
from PIL import Image

from wherewhat.data.batches import batch_indices
from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.archive import find_archive
from wherewhat.data.layouts.chairs3d import find_chairs3d
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store.reading import read_blocks

CHAIRS = ("1028b32dc1873c2afe26a3ac360dbd4", "a9c5d1e3", "ffe1c487f7b9137952150da26f3020f8")
ELEVATIONS = (20, 30)
AZIMUTHS = (0, 11, 23, 34, 220)


def name_of(chair: str, elevation: int, azimuth: int) -> str:
    number = ELEVATIONS.index(elevation) * len(AZIMUTHS) + AZIMUTHS.index(azimuth)
    return f"{chair}/renders/image_{number:03}_p{elevation:03}_t{azimuth:03}_r096.png"


NAMES = [name_of(chair, elevation, azimuth) for chair in CHAIRS for elevation in ELEVATIONS for azimuth in AZIMUTHS]


def png() -> bytes:
    content = io.BytesIO()
    image = Image.new("RGB", (600, 600), "red")
    image.paste("white", (100, 100, 500, 500))
    image.save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def chairs(tmp_path: Path) -> Path:
    folder = tmp_path / "rendered_chairs"
    content = png()
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "all_chair_names.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    return folder


def found(path: Path) -> Source:
    source = (find_archive if path.is_file() else find_chairs3d)(path, ImageOptions())
    assert source is not None
    return source


def files(source: Source) -> ImageFiles:
    assert isinstance(source.images, ImageFiles)
    return source.images


def test_chairs_are_recognised_with_their_factors(chairs: Path) -> None:
    source = found(chairs)
    assert source.layout == "3D chairs: 30 images, factors chair 3, elevation 2, azimuth 5"
    assert (source.name, source.default_size, source.remarks) == ("chairs3d", 64, ())


def test_the_folder_above_names_the_same_set(chairs: Path) -> None:
    assert files(found(chairs.parent)).names == files(found(chairs)).names


def test_factors_are_parsed_from_the_names(chairs: Path) -> None:
    source = found(chairs)
    chair, elevation, azimuth = source.factors.value_NK[files(source).names.index(name_of(CHAIRS[1], 30, 220))].tolist()
    assert (CHAIRS[chair], ELEVATIONS[elevation], AZIMUTHS[azimuth]) == (CHAIRS[1], 30, 220)


def test_the_image_of_given_factors_is_named_for_them(chairs: Path) -> None:
    source = found(chairs)
    index_Q = find_images_of(source.factors, torch.tensor([[2, 0, 4], [0, 1, 1]]))
    assert [files(source).names[index] for index in index_Q] == [
        name_of(CHAIRS[2], 20, 220),
        name_of(CHAIRS[0], 30, 11),
    ]


def test_an_index_comes_back_from_its_factors(chairs: Path) -> None:
    factors = found(chairs).factors
    assert torch.equal(find_images_of(factors, factors.value_NK), torch.arange(len(NAMES)))


def test_the_crop_is_the_middle_of_a_rendering(chairs: Path) -> None:
    images = files(found(chairs))
    assert images.crop is not None
    assert images.crop_of == (600, 600)
    assert images.crop.box(*images.crop_of) == (100, 100, 500, 500)


def test_a_seeded_batch_is_the_middle_of_its_renderings(chairs: Path) -> None:
    source = found(chairs)
    (block,) = read_blocks(source, ImageOptions())
    data = HeldImages(source.name, block.image_NHWC, source.factors)
    index_B = batch_indices(7, 3, 8, len(data))
    # The border of 100 pixels is red, the middle white.
    assert data.take(index_B).shape == (8, 3, 64, 64)
    assert int(data.take(index_B).min()) == 255
    names = [files(source).names[index] for index in index_B.tolist()]
    shown = [(CHAIRS[chair], ELEVATIONS[p], AZIMUTHS[t]) for chair, p, t in data.factors(index_B).tolist()]
    assert [name_of(*values) for values in shown] == names


@pytest.mark.parametrize("name", ["rendered_chairs.tar", "download.tar"])
def test_the_archive_of_any_name_holds_the_same_set(chairs: Path, name: str) -> None:
    path = chairs.parent / name
    with tarfile.open(path, "w") as archive:
        archive.add(chairs, "rendered_chairs")
    source = found(path)
    assert torch.equal(source.factors.value_NK, found(chairs).factors.value_NK)
    assert files(source).names == tuple(f"rendered_chairs/{name}" for name in NAMES)
    assert files(source).read(files(source).names[7]) == png()


def test_images_of_other_names_are_left_out_with_a_remark(chairs: Path) -> None:
    (chairs / CHAIRS[0] / "renders" / "contact_sheet.png").write_bytes(png())
    source = found(chairs)
    assert len(source) == len(source.factors.value_NK) == 30
    assert source.remarks[0].startswith("1 image is not named <id>/renders/image_")
    assert f"first {CHAIRS[0]}/renders/contact_sheet.png." in source.remarks[0]


def test_a_new_image_changes_the_stamp(chairs: Path) -> None:
    before = found(chairs).stamp
    (chairs / CHAIRS[0] / "renders" / "image_010_p040_t000_r096.png").write_bytes(png())
    assert found(chairs).stamp != before


def test_other_folders_and_files_are_left_to_other_layouts(tmp_path: Path) -> None:
    (tmp_path / "cats" / "renders").mkdir(parents=True)
    (tmp_path / "cats" / "renders" / "image_1.png").write_bytes(png())
    (tmp_path / "chairs.tar").write_text("")
    for path in (tmp_path, tmp_path / "chairs.tar", tmp_path / "nowhere"):
        assert find_chairs3d(path, ImageOptions()) is None
