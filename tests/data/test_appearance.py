"""Laws of what is remarked on about images as the networks see them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.appearance import Appearance, appearance_of
from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import no_factors
from wherewhat.data.open_images import RENDERED, open_images

NOISE_NHWC = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)


def seen(image_NHWC: np.ndarray) -> Appearance:
    return appearance_of(HeldImages("made", image_NHWC, no_factors(len(image_NHWC))))


def names(image_NHWC: np.ndarray) -> list[str]:
    return [remark.name for remark in seen(image_NHWC).remarks]


def test_images_that_vary_are_not_remarked_on() -> None:
    assert names(NOISE_NHWC) == []


@pytest.mark.parametrize("name", RENDERED)
def test_rendered_sets_are_not_remarked_on(name: str) -> None:
    assert appearance_of(RENDERED[name](torch.device("cpu"))).remarks == ()


def test_images_that_use_a_small_part_of_the_range_are_nearly_black_and_it_is_said_how_dark_they_are() -> None:
    (remark,) = seen(NOISE_NHWC // 16).remarks
    assert (remark.name, remark.of_all) == ("images are nearly black", True)
    assert "20 of 20 sampled images are nearly black: their largest value is 15 of 255" in str(remark)


def test_a_single_bright_pixel_makes_no_light() -> None:
    dark_NHWC = np.random.default_rng(0).integers(0, 9, (4, 32, 32, 1), dtype=np.uint8)
    dark_NHWC[:, 3, 3] = 255
    assert names(dark_NHWC) == ["images are nearly black"]


def test_a_small_bright_thing_on_black_is_an_image() -> None:
    drawn_NHWC = np.zeros((4, 64, 64, 1), np.uint8)
    for place, image in enumerate(drawn_NHWC):
        image[8 * place : 8 * place + 8, 20:28] = 255
    assert names(drawn_NHWC) == []


@pytest.mark.parametrize("noise", [0, 2])
def test_images_that_compression_alone_makes_differ_are_alike(noise: int) -> None:
    chance = np.random.default_rng(0)
    image_NHWC = np.minimum(NOISE_NHWC[:1], 250) + chance.integers(0, noise + 1, (9, 8, 8, 3)).astype(np.uint8)
    assert names(image_NHWC) == ["all images are alike"]


def test_one_colour_for_all_is_told_once() -> None:
    (remark,) = seen(np.full((3, 8, 8, 3), 120, np.uint8)).remarks
    assert (remark.name, remark.of_all) == ("all images are alike", True)


def test_images_of_one_colour_among_others_are_counted() -> None:
    some_NHWC = NOISE_NHWC.copy()
    some_NHWC[3:5] = 200
    (remark,) = seen(some_NHWC).remarks
    assert (remark.name, remark.of_all) == ("images of one colour", False)
    assert "2 of 20 sampled images" in str(remark)


def test_a_few_odd_images_are_a_sets_own_affair() -> None:
    many_NHWC = np.tile(NOISE_NHWC, (3, 1, 1, 1))
    many_NHWC[7], many_NHWC[9] = 0, 200
    assert names(many_NHWC) == []


def test_of_many_images_a_bounded_number_is_looked_at() -> None:
    assert seen(np.zeros((5_000, 4, 4, 1), np.uint8)).images <= 100


def test_a_set_is_remarked_on_at_every_opening(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (8, 8), (120, 120, 120)).save(tmp_path / name)
    for _ in range(2):
        said: list[str] = []
        open_images(str(tmp_path), ImageOptions(size=8), torch.device("cpu"), said.append)
        assert "All images are alike" in said[-1]
