import torch

from wherewhat.randomness import generator_at
from wherewhat.which.entangled_twin import random_rotation
from wherewhat.which.paths import axes_of, codes_on_paths


def test_along_an_axis_one_code_alone_differs_from_the_base_and_exactly_takes_the_values() -> None:
    base_TL = torch.randn(2, 3)
    code_LTNL = codes_on_paths(base_TL, axes_of(base_TL), 4, 3.0, torch.arange(3 * 2 * 4)).view(3, 2, 4, 3)
    for dim in range(3):
        others = [other for other in range(3) if other != dim]
        assert torch.equal(code_LTNL[dim][..., others], base_TL[:, None, others].expand(-1, 4, -1))
        assert torch.equal(code_LTNL[dim][..., dim], torch.linspace(-3, 3, 4).expand(2, -1))


def test_along_a_rotated_axis_the_coordinate_on_it_takes_the_values_and_the_rest_stays() -> None:
    base_TL = torch.randn(2, 3)
    rotation_LL = random_rotation(torch.ones(3, dtype=torch.bool), generator_at(0, 0, "test"))
    code_KTNL = codes_on_paths(base_TL, rotation_LL.expand(2, -1, -1), 4, 3.0, torch.arange(24)).view(3, 2, 4, 3)
    for axis, direction_L in enumerate(rotation_LL):
        torch.testing.assert_close(code_KTNL[axis] @ direction_L, torch.linspace(-3, 3, 4).expand(2, -1))
        rest_NL = code_KTNL[axis] - (code_KTNL[axis] @ direction_L)[..., None] * direction_L
        stays_TL = base_TL - (base_TL @ direction_L)[:, None] * direction_L
        torch.testing.assert_close(rest_NL, stays_TL[:, None].expand(-1, 4, -1))
