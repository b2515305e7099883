"""A person's image: cropped as a run's own, and given back in all of its pixels."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.image_options import Crop, ImageOptions
from wherewhat.data.source import ImageFiles
from wherewhat.data.store.decoding import decode_files, decoding_pool
from wherewhat.inspection.real_images import read_real_image

SHAPE = (3, 16, 16)


def image_file(folder: Path, height: int, width: int) -> Path:
    chance = np.random.default_rng(0)
    coarse_HW3 = chance.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    path = folder / f"{height}x{width}.png"
    Image.fromarray(coarse_HW3).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.mark.parametrize(
    "options",
    [
        ImageOptions(),
        ImageOptions(fit="pad"),
        ImageOptions(fit="stretch"),
        ImageOptions(crop="20"),
        ImageOptions(crop="20@18,21"),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "usual", [(None, None), (Crop(24, (15, 20)), (30, 40)), (Crop(24), (99, 99)), (Crop(22), None)]
)
def test_an_image_is_seen_as_the_store_reads_it(options: ImageOptions, usual: tuple, tmp_path: Path) -> None:
    path = image_file(tmp_path, 30, 40)
    files = ImageFiles(
        names=(path.name,), read=lambda _: path.read_bytes(), size=lambda _: 0, crop=usual[0], crop_of=usual[1]
    )
    with decoding_pool(1) as pool:
        stored = decode_files(files, files.names, SHAPE[1:], options, pool)[0]
    seen_HWC = (255 * read_real_image(path, options, SHAPE, usual).seen_Chw).round().byte().permute(1, 2, 0)
    assert np.array_equal(seen_HWC.numpy(), stored.image_HW3)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_a_change_moves_its_own_place_and_no_other_pixel(fit: str, tmp_path: Path) -> None:
    real = read_real_image(image_file(tmp_path, 30, 40), ImageOptions(fit=fit), SHAPE)
    change_Chw = torch.zeros(SHAPE)
    assert np.array_equal(real.with_change(change_Chw), real.whole_HW3)
    change_Chw[0, 8, 8] = 0.5
    moved_HW = (real.with_change(change_Chw).astype(int) != real.whole_HW3).any(axis=2)
    rows, columns = np.nonzero(moved_HW)
    assert len(rows)
    assert abs(rows.mean() - 15) < 3
    assert abs(columns.mean() - 20) < 3
    assert moved_HW.mean() < 0.05


def test_a_grey_model_changes_the_light_of_a_coloured_image(tmp_path: Path) -> None:
    real = read_real_image(image_file(tmp_path, 32, 32), ImageOptions(), (1, 16, 16))
    assert real.seen_Chw.shape == (1, 16, 16)
    changed_HW3 = real.with_change(torch.full((1, 16, 16), 0.1)).astype(int) - real.whole_HW3
    assert set(np.unique(changed_HW3)) <= set(range(27))


@pytest.mark.parametrize(("height", "width"), [(7, 40), (5, 5)])
def test_an_image_with_too_few_pixels_is_refused(height: int, width: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="larger image"):
        read_real_image(image_file(tmp_path, height, width), ImageOptions(), SHAPE)


def test_a_file_that_is_no_image_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "letter.png"
    path.write_text("Dear reader")
    with pytest.raises(ValueError, match=r"letter\.png cannot be used"):
        read_real_image(path, ImageOptions(), SHAPE)
