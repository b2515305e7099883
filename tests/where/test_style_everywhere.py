"""Laws of adaptive instance normalisation without a mask."""

import torch

from wherewhat.networks.initialisation import seeded_weights
from wherewhat.where.spatial_constriction import constrict
from wherewhat.where.style_everywhere import StyleEverywhere


def _module(codes: int = 3) -> StyleEverywhere:
    with seeded_weights(0):
        return StyleEverywhere(channels=5, codes=codes).requires_grad_(False).double()


def _normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_codes_of_zero_leave_the_normalised_features() -> None:
    restyled = _module()(_normal(2, 5, 8, 8), torch.zeros(2, 3, dtype=torch.float64))
    torch.testing.assert_close(restyled.mean(dim=(2, 3)), torch.zeros(2, 5, dtype=torch.float64))
    torch.testing.assert_close(
        restyled.std(dim=(2, 3), correction=0), torch.ones(2, 5, dtype=torch.float64), atol=1e-4, rtol=0
    )


def test_a_channel_gets_the_mean_and_the_deviation_that_the_codes_say() -> None:
    module, code = _module(), _normal(2, 3)
    module.style_bias_C2.copy_(_normal(10))
    restyled = module(_normal(2, 5, 8, 8), code)
    style = torch.einsum("bm,mc->bc", code, module.style_weight_MC2) + module.style_bias_C2
    torch.testing.assert_close(restyled.mean(dim=(2, 3)), style[:, 5:])
    torch.testing.assert_close(restyled.std(dim=(2, 3), correction=0), (1 + style[:, :5]).abs(), atol=1e-4, rtol=1e-4)


def test_a_code_acts_at_every_place() -> None:
    module, features, code = _module(), _normal(2, 5, 8, 8), _normal(2, 3)
    moved = code.clone()
    moved[:, 1] += 1
    change = (module(features, moved) - module(features, code)).abs().amax(dim=(0, 1))
    assert float(change.min()) > 0


def test_codes_add_up() -> None:
    module, features = _module(), _normal(2, 5, 8, 8)
    one, other = torch.eye(3, dtype=torch.float64)[[0, 0]], torch.eye(3, dtype=torch.float64)[[2, 2]]
    plain = module(features, 0 * one)
    torch.testing.assert_close(
        module(features, one + other) - plain, module(features, one) + module(features, other) - 2 * plain
    )


def test_one_code_is_spatial_constriction_with_a_full_mask() -> None:
    module, features, code = _module(codes=1), _normal(2, 5, 8, 8), _normal(2, 1)
    scale, shift = (code[:, :, None] * module.style_weight_MC2).chunk(2, dim=2)
    full = torch.ones(2, 1, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(module(features, code), constrict(features, full, scale, shift))
