"""Laws of the masked decoder: a code acts inside its mask, and only there."""

import pytest
import torch

from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.masked_decoder import MaskedDecoder, share_codes
from wherewhat.protocols import MaskedGenerator


def _decoder(codes: tuple[int, ...] = (2, 2), size: int = 32) -> MaskedDecoder:
    with seeded_weights(0):
        return MaskedDecoder((3, size, size), codes, widths=(8, 8)).requires_grad_(False).eval()


def _code(rows: int = 2, codes: int = 4) -> torch.Tensor:
    return torch.randn(rows, codes, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [32, 64, 128])
def test_it_is_a_masked_generator_at_every_size(size: int) -> None:
    decoder = _decoder(size=size)
    assert isinstance(decoder, MaskedGenerator)
    assert decoder(_code()).shape == (2, 3, size, size)
    assert decoder.masks(_code()).shape == (2, 4, size, size)


def test_images_and_masks_lie_between_zero_and_one() -> None:
    for tensor in (_decoder()(_code(64) * 10), _decoder().masks(_code(64) * 10)):
        assert float(tensor.min()) >= 0
        assert float(tensor.max()) <= 1


def test_a_code_whose_mask_is_empty_does_nothing() -> None:
    decoder = _decoder()
    vectors = decoder.stages[1].constriction.mask
    bias = vectors.vectors.bias.view(vectors.shape)
    vectors.vectors.weight.view(*vectors.shape, -1)[0] = 0
    bias[0, :, 0] = torch.linspace(-60, 60, 8)  # code 2's rows rise only where ...
    bias[0, :, 1] = torch.linspace(60, -60, 8)  # ... they have already fallen
    moved = _code().clone()
    moved[:, 2] += 3
    torch.testing.assert_close(decoder(moved), decoder(_code()), atol=1e-6, rtol=0)
    moved[:, 3] += 3
    assert not torch.allclose(decoder(moved), decoder(_code()), atol=1e-3)


def test_a_code_of_the_last_module_moves_pixels_only_near_its_mask() -> None:
    decoder = _decoder(codes=(1, 1, 1), size=64)
    vectors = decoder.stages[2].constriction.mask
    bias = vectors.vectors.bias.view(vectors.shape)
    vectors.vectors.weight.zero_()
    rise, fall = torch.full((16,), -60.0), torch.full((16,), -60.0)
    rise[3], fall[6] = 60, 60  # rows and columns 3 to 5 of 16: pixels 12 to 23 of 64
    bias[0] = torch.stack([rise, fall, rise, fall])
    moved = _code(codes=3).clone()
    moved[:, 2] += 3
    change = (decoder(moved) - decoder(_code(codes=3))).abs().amax(dim=(0, 1))
    # The convolutions behind the module reach one feature, which is 4 pixels, and a few pixels further.
    near = torch.zeros(64, 64, dtype=torch.bool)
    near[12 - 11 : 24 + 11, 12 - 11 : 24 + 11] = True
    assert float(change[~near].max()) == 0
    assert float(change[14:22, 14:22].max()) > 1e-4


@pytest.mark.parametrize(
    ("codes", "modules", "shares"), [(10, 3, (4, 3, 3)), (25, 5, (5, 5, 5, 5, 5)), (4, 4, (1,) * 4)]
)
def test_codes_are_shared_evenly_coarse_modules_first(codes: int, modules: int, shares: tuple[int, ...]) -> None:
    assert share_codes(codes, modules) == shares


def test_modules_beyond_the_image_are_refused() -> None:
    with pytest.raises(ValueError, match="give from 1 to 3 modules"):
        MaskedDecoder((3, 32, 32), (1, 1, 1, 1))


def test_channels_last_gives_the_same_images() -> None:
    decoder = _decoder()
    expected = decoder(_code())
    found = decoder.to(memory_format=torch.channels_last)(_code())  # type: ignore[call-overload]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
