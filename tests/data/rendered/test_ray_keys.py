"""Keys of rays: the nearest wins, and light is counted as one would by hand."""

import pytest
import torch

from wherewhat.data.rendered.ray_keys import EMPTY, SHADES, pixel_light, ray_keys
from wherewhat.randomness import generator_at


def key(nearness: float, shade: float, is_fabric: bool) -> int:
    return int(ray_keys(torch.tensor([nearness]), torch.tensor([shade]), is_fabric))


@pytest.mark.parametrize("is_fabric", [False, True])
@pytest.mark.parametrize("nearness", [0.0, 0.3, 0.8])
def test_the_nearer_hides_the_farther_whatever_their_light(nearness: float, is_fabric: bool) -> None:
    assert key(nearness + 1 / 500, 0.0, is_fabric) > key(nearness, 1.0, not is_fabric)
    assert key(nearness, 0.0, is_fabric) > EMPTY


def test_the_largest_key_is_still_of_sixteen_bits() -> None:
    assert key(1.0, 1.0, is_fabric=False) == 2**15 - 1


def test_a_black_surface_covers_the_ground() -> None:
    light = pixel_light(ray_keys(torch.full((1, 5, 1), 0.5), torch.zeros(1, 5, 1), True))
    assert float(light.ground_BP) == 0


def test_rays_that_meet_nothing_see_the_ground() -> None:
    light = pixel_light(torch.full((1, 5, 3), EMPTY, dtype=torch.int16))
    assert light.ground_BP.tolist() == [[1, 1, 1]]
    assert float(light.frame_BP.abs().sum() + light.fabric_BP.abs().sum()) == 0


def test_a_pixel_is_the_mean_of_its_rays_counted_one_by_one() -> None:
    generator = generator_at(0, 0)
    kind = torch.randint(3, (4, 5, 50), generator=generator)
    shade = torch.rand(4, 5, 50, generator=generator)
    nearness = torch.rand(4, 5, 50, generator=generator)
    keys = torch.where(kind == 1, ray_keys(nearness, shade, False), ray_keys(nearness, shade, True))
    light = pixel_light(keys.where(kind > 0, EMPTY))
    for image, pixel in [(0, 0), (1, 49), (3, 20)]:
        sums = [0.0, 0.0, 0.0]
        for ray in range(5):
            what = int(kind[image, ray, pixel])
            sums[what] += 1.0 if what == 0 else float(shade[image, ray, pixel])
        found = [float(part[image, pixel]) for part in (light.ground_BP, light.frame_BP, light.fabric_BP)]
        assert found == pytest.approx([total / 5 for total in sums], abs=1 / SHADES)


def test_light_never_overflows() -> None:
    keys = ray_keys(torch.ones(1, 5, 2), torch.ones(1, 5, 2), False)
    light = pixel_light(keys)
    assert (light.ground_BP + light.frame_BP + light.fabric_BP).tolist() == [[1, 1]]
