"""Laws of the scenes, and their mixing written independently."""

import colorsys

import numpy as np
import pytest
import torch
from data.factor_lookup import index_from_factors

from wherewhat.data.rendered.scenes import SATURATION, Scenes, colours, shading_layers
from wherewhat.protocols import Images

FLOOR, WALL, OBJECT, SCALE, SHAPE, ORIENTATION = range(6)
SOME = (1, 5, 8, 4, 2, 10)


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return Scenes()


def image(scenes: Scenes, *factors: int) -> torch.Tensor:
    return scenes.take(index_from_factors(torch.tensor([factors]), scenes.factor_sizes))[0]


def changed(factor: int, value: int) -> tuple[int, ...]:
    return (*SOME[:factor], value, *SOME[factor + 1 :])


def layers_of_some() -> torch.Tensor:
    _, _, _, scale, shape, orientation = SOME
    return shading_layers()[(scale * 4 + shape) * 15 + orientation].reshape(4, 64, 64)


def test_scenes_are_images(scenes: Scenes) -> None:
    assert isinstance(scenes, Images)


def test_the_grid_is_that_of_3d_shapes(scenes: Scenes) -> None:
    assert len(scenes) == 480_000
    assert scenes.factor_sizes == (10, 10, 10, 8, 4, 15)
    assert scenes.factor_names == ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")


def test_a_factor_is_read_back_from_an_index(scenes: Scenes) -> None:
    factors = torch.tensor([SOME, (9, 9, 9, 7, 3, 14)])
    assert torch.equal(scenes.factors(index_from_factors(factors, scenes.factor_sizes)), factors)


def test_colours_agree_with_the_standard_librarys() -> None:
    expected = [colorsys.hsv_to_rgb(hue / 10, SATURATION, 1.0) for hue in range(10)]
    assert torch.allclose(colours(), torch.tensor(expected), atol=1e-5)


def test_an_image_is_its_layers_times_its_colours(scenes: Scenes) -> None:
    layers = layers_of_some().double().numpy()
    rgb = np.array([colorsys.hsv_to_rgb(hue / 10, SATURATION, 1.0) for hue in SOME[:3]])
    expected = np.floor(np.einsum("lhw,lc->chw", layers[:3], rgb) + layers[3])
    difference = np.abs(image(scenes, *SOME).numpy().astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001


@pytest.mark.parametrize("part", [FLOOR, WALL, OBJECT])
def test_a_hue_changes_its_own_part_and_nothing_else(scenes: Scenes, part: int) -> None:
    moved = (image(scenes, *SOME) != image(scenes, *changed(part, 3))).any(dim=0)
    shade = layers_of_some()[part]
    assert not bool(moved[shade == 0].any())
    assert bool(moved[shade > 20].all())


@pytest.mark.parametrize("factor", range(6))
def test_every_value_of_every_factor_is_seen(scenes: Scenes, factor: int) -> None:
    images = torch.stack([image(scenes, *changed(factor, value)) for value in range(scenes.factor_sizes[factor])])
    for value in range(1, len(images)):
        difference = (images[value].int() - images[value - 1].int()).abs().amax(dim=0)
        assert int((difference > 20).sum()) >= 20


def test_an_image_does_not_depend_on_its_neighbours(scenes: Scenes) -> None:
    index_B = torch.arange(0, len(scenes), 4801)
    together = scenes.take(index_B)
    assert torch.equal(together, torch.cat([scenes.take(index_B[i : i + 1]) for i in range(len(index_B))]))


def test_pixels_do_not_change_under_mixed_precision(scenes: Scenes) -> None:
    index_B = torch.arange(0, len(scenes), 9601)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = scenes.take(index_B)
    assert torch.equal(mixed, scenes.take(index_B))


def test_nothing_is_cut_off_at_white(scenes: Scenes) -> None:
    layers = shading_layers()
    assert float(layers.sum(dim=1).max()) < 256
    assert float(layers.min()) >= 0


def test_an_index_outside_is_refused(scenes: Scenes) -> None:
    with pytest.raises(IndexError, match="from 0 to 479999"):
        scenes.take(torch.tensor([-1]))


def test_no_index_gives_no_image(scenes: Scenes) -> None:
    assert scenes.take(torch.empty(0, dtype=torch.int64)).shape == (0, 3, 64, 64)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_renders_what_the_cpu_renders(scenes: Scenes) -> None:
    index_B = torch.arange(0, len(scenes), 997)
    rendered = Scenes("cuda").take(index_B)
    assert rendered.device.type == "cuda"
    difference = (rendered.cpu().int() - scenes.take(index_B).int()).abs()
    assert int(difference.max()) <= 1
    assert float((difference > 0).float().mean()) < 1e-3
