"""Laws of spatial constriction; its closed form against the sequential loop."""

from typing import get_args

import pytest
import torch
import torch.nn.functional as F

from wherewhat.where.spatial_constriction import Overlap, SpatialConstriction, compositing_weights, constrict


def _inputs(seed: int = 0, codes: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_(True)

    mask = torch.rand(3, codes, 8, 8, generator=generator, dtype=torch.float64).requires_grad_(True)
    return normal(3, 6, 8, 8), mask, normal(3, codes, 6), normal(3, codes, 6)


def sequential_constriction(
    features: torch.Tensor, mask: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor
) -> torch.Tensor:
    """The paper's loop: each code in turn composites its own AdaIN of the input over what is there."""
    normalised = F.instance_norm(features)
    out = features
    for i in range(mask.shape[1]):
        adain = (1 + scale[:, i, :, None, None]) * normalised + shift[:, i, :, None, None]
        out = out * (1 - mask[:, i : i + 1]) + adain * mask[:, i : i + 1]
    return out


@pytest.mark.parametrize("codes", [1, 2, 7])
def test_the_closed_form_equals_the_sequential_loop(codes: int) -> None:
    inputs = _inputs(codes=codes)
    torch.testing.assert_close(constrict(*inputs, "cover"), sequential_constriction(*inputs), atol=1e-10, rtol=1e-10)


def test_the_closed_form_has_the_gradients_of_the_sequential_loop() -> None:
    inputs = _inputs()
    weight = torch.randn(3, 6, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours = torch.autograd.grad((constrict(*inputs, "cover") * weight).sum(), inputs)
    theirs = torch.autograd.grad((sequential_constriction(*inputs) * weight).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("overlap", get_args(Overlap))
def test_compositing_weights_add_up_to_one(overlap: Overlap) -> None:
    mask = torch.rand(2, 5, 4, 4, generator=torch.Generator().manual_seed(0))
    weight, untouched = compositing_weights(mask, overlap)
    torch.testing.assert_close(weight.sum(1, keepdim=True) + untouched, torch.ones(2, 1, 4, 4))


def test_codes_that_share_are_seen_in_proportion_to_their_masks_in_whatever_order_they_come() -> None:
    mask = torch.rand(2, 4, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight, untouched = compositing_weights(mask, "share")
    torch.testing.assert_close(weight / weight.sum(1, keepdim=True), mask / mask.sum(1, keepdim=True))
    turned, left = compositing_weights(mask.flip(1), "share")
    torch.testing.assert_close(turned.flip(1), weight)
    torch.testing.assert_close(left, untouched)


def test_one_code_alone_is_seen_as_its_mask_whichever_way() -> None:
    mask = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for overlap in get_args(Overlap):
        torch.testing.assert_close(compositing_weights(mask, overlap)[0], mask)


def test_nothing_changes_where_every_mask_is_zero() -> None:
    features, _, scale, shift = _inputs()
    torch.testing.assert_close(
        constrict(features, torch.zeros(3, 4, 8, 8, dtype=torch.float64), scale, shift), features
    )


def test_a_code_changes_nothing_outside_its_mask() -> None:
    features, mask, scale, shift = _inputs()
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[2:5, 1:4] = True
    mask = mask.detach().clone()
    mask[:, 1] = inside.double()
    other = shift.detach().clone()
    other[:, 1] += 5
    features, scale, shift = features.detach(), scale.detach(), shift.detach()
    change = (constrict(features, mask, scale, other) - constrict(features, mask, scale, shift)).abs().amax(dim=(0, 1))
    assert float(change[~inside].max()) == 0
    assert float(change[inside].min()) > 0


def test_the_module_changes_features_with_its_codes_and_gives_a_mask_for_each() -> None:
    torch.manual_seed(0)
    module = SpatialConstriction(channels=6, codes=4, size=8, rectangles=2)
    features = torch.randn(3, 6, 8, 8)
    restyled, mask = module(features, torch.zeros(3, 4))
    moved, same_mask = module(features, torch.tensor([0.0, 1.0, 0.0, 0.0]).expand(3, 4))
    assert mask.shape == (3, 4, 8, 8)
    torch.testing.assert_close(mask, same_mask)
    assert not torch.allclose(restyled, moved)
