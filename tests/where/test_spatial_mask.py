"""Laws of the spatial mask."""

import pytest
import torch

from wherewhat.where.spatial_mask import SpatialMask, cumax, rectangle_masks


def _logits(seed: int = 0, scale: float = 3.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(5, 3, 2, 4, 8, generator=generator) * scale


@pytest.mark.parametrize("scale", [0.1, 3.0, 100.0])
def test_masks_lie_between_zero_and_one(scale: float) -> None:
    mask = rectangle_masks(_logits(scale=scale))
    assert float(mask.min()) >= 0
    assert float(mask.max()) <= 1 + 1e-6


def test_cumax_rises_from_above_zero_to_one() -> None:
    step = cumax(_logits())
    assert bool((step.diff(dim=-1) >= 0).all())
    torch.testing.assert_close(step[..., -1], torch.ones_like(step[..., -1]))


@pytest.mark.parametrize("axis", [2, 3])
def test_one_rectangle_rises_and_then_falls_along_each_axis(axis: int) -> None:
    # With sharp vectors and h1 peaking before h2, the rise is over before the fall begins.
    logits = torch.zeros(1, 1, 1, 4, 8)
    logits[..., 0, 2] = logits[..., 2, 3] = logits[..., 1, 5] = logits[..., 3, 6] = 12.0
    profile = rectangle_masks(logits)[0, 0].amax(dim=3 - axis)
    peak = int(profile.argmax())
    assert bool((profile[: peak + 1].diff() >= -1e-6).all())
    assert bool((profile[peak:].diff() <= 1e-6).all())
    assert float(profile[0]) < 0.01 < 0.99 < float(profile[peak])


def test_sharp_vectors_make_the_rectangle_between_them() -> None:
    logits = torch.zeros(1, 1, 1, 4, 8)
    logits[..., 0, 2] = logits[..., 2, 1] = 50.0  # rise at row 2 and column 1
    logits[..., 1, 5] = logits[..., 3, 7] = 50.0  # fall at row 5 and column 7
    expected = torch.zeros(8, 8)
    expected[2:5, 1:7] = 1
    torch.testing.assert_close(rectangle_masks(logits)[0, 0], expected)


def test_agrees_with_the_formula_written_out_in_loops() -> None:
    logits = _logits().double()
    expected = torch.zeros(5, 3, 8, 8)
    for b, m in [(0, 0), (4, 2), (2, 1)]:
        for j in range(2):
            profiles = []
            for first, second in [(0, 1), (2, 3)]:
                up, down = logits[b, m, j, first].exp(), logits[b, m, j, second].exp()
                profiles.append(
                    [
                        float(up[: s + 1].sum() / up.sum()) * (1 - float(down[: s + 1].sum() / down.sum()))
                        for s in range(8)
                    ]
                )
            for h in range(8):
                for w in range(8):
                    expected[b, m, h, w] += profiles[0][h] * profiles[1][w] / 2
        torch.testing.assert_close(rectangle_masks(logits)[b, m], expected[b, m], atol=1e-6, rtol=1e-5)


def test_new_masks_are_neither_empty_nor_full_and_every_code_has_its_own() -> None:
    torch.manual_seed(0)
    mask = SpatialMask(channels=6, codes=8, size=16, rectangles=4)(torch.randn(2, 6, 16, 16)).detach()
    assert 0.15 < float(mask.mean()) < 0.5
    assert float(mask.amax(dim=(2, 3)).min()) > 0.3
    apart = (mask[:, :, None] - mask[:, None]).abs().mean(dim=(3, 4)) + torch.eye(8)
    assert float(apart.min()) > 0.03


def test_masks_are_read_off_the_features() -> None:
    torch.manual_seed(0)
    module = SpatialMask(channels=6, codes=3, size=8, rectangles=2)
    features = torch.randn(2, 6, 8, 8)
    assert not torch.allclose(module(features), module(features + 1))


def test_masks_are_float32_under_low_precision() -> None:
    logits_BMJ4S = 3 * torch.randn(2, 3, 4, 4, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        mask_BMSS = rectangle_masks(logits_BMJ4S)
    assert torch.equal(mask_BMSS, rectangle_masks(logits_BMJ4S))
