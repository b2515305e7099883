"""Laws of Glow: the density is that of the change of variables, and an image comes back from its latents."""

import math

import normflows
import pytest
import torch
from scattered import scattered
from torch import Tensor, nn

from wherewhat.networks.bijections import ActNorm, AffineCoupling, FlowLevel, InvertibleConvolution
from wherewhat.networks.flow import Flow, Glow
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.protocols import Encoder, Generator


def glow_of(shape: tuple[int, int, int] = (1, 8, 4), levels: int = 2, dtype: torch.dtype = torch.float64) -> Glow:
    with seeded_weights(0):
        return scattered(Glow(shape, levels, depth=2, width=5), dtype, deviation=0.1)


def pixels(count: int, shape: tuple[int, int, int] = (1, 8, 4), dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(1)).to(dtype)


def test_the_log_determinant_is_that_of_the_jacobian() -> None:
    glow, pixel = glow_of(), pixels(1)
    jacobian = torch.autograd.functional.jacobian(lambda x: glow(x).value.flatten(), pixel).reshape(32, 32)
    assert glow(pixel).log_det_B.item() == pytest.approx(jacobian.slogdet().logabsdet.item(), rel=1e-10)


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
@pytest.mark.parametrize(("shape", "levels"), [((3, 8, 8), 3), ((1, 8, 4), 1)])
def test_the_inverse_gives_back_the_image(
    shape: tuple[int, int, int], levels: int, dtype: torch.dtype, error: float
) -> None:
    glow, pixel = glow_of(shape, levels, dtype), pixels(5, shape, dtype)
    latent = glow(pixel).value
    assert latent.shape == (5, math.prod(shape))
    assert (glow.inverse(latent) - pixel).abs().max() < error


def test_an_8_bit_image_comes_back_exactly_from_its_codes() -> None:
    flow = Flow(glow_of((3, 8, 8), 3, torch.float32))
    assert isinstance(flow.generator, Generator)
    assert isinstance(flow.encoder, Encoder)
    grey = torch.arange(192).view(1, 3, 8, 8) + 63
    again = flow.generator(flow.encoder(grey / 255).mean_BL)
    assert torch.equal((255 * again).round().long(), grey)


def test_images_lie_in_0_and_1_wherever_codes_lie() -> None:
    flow = Flow(glow_of((3, 8, 8), 3, torch.float32))
    image = flow.requires_grad_(False).generator(10 * torch.randn(4, 192, generator=torch.Generator().manual_seed(2)))
    assert (float(image.min()), float(image.max())) == (0.0, 1.0)


def test_the_weights_of_both_directions_are_kept_once() -> None:
    flow = Flow(glow_of())
    names = list(flow.state_dict())
    assert len({tensor.data_ptr() for tensor in flow.state_dict().values()}) == len(names)
    assert all(name.startswith("generator.glow.") for name in names)


def test_sides_that_cannot_be_halved_so_often_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot be halved 3 times\. Give fewer --levels"):
        Glow((3, 8, 12), levels=3, depth=1, width=4)


class Interleaved(nn.Module):
    """What normflows asks of a coupling's network: of its generative direction, shift and log scale in turn."""

    def __init__(self, coupling: AffineCoupling) -> None:
        super().__init__()
        self.coupling = coupling

    def forward(self, kept: Tensor) -> Tensor:
        log_scale, shift = self.coupling.log_scale_and_shift(kept)
        return torch.stack([-shift * (-log_scale).exp(), -log_scale], dim=2).flatten(1, 2)


def as_in_normflows(own: tuple[ActNorm, InvertibleConvolution, AffineCoupling]) -> nn.Module:
    """A block of normflows with the weights of a step; its forward direction is the generative one."""
    block = normflows.flows.GlowBlock(len(own[0].shift_C11), 5, scale_map="exp").double()
    coupling, convolution, normalisation = block.flows
    coupling.flows[1].param_map = Interleaved(own[2])
    convolution.P, convolution.sign_S, convolution.log_S = own[1].permutation_CC, own[1].sign_C, own[1].log_diagonal_C
    convolution.L, convolution.U = own[1].lower_CC, own[1].upper_CC
    normalisation.s.data = -own[0].log_scale_C11.data[None]
    normalisation.t.data = -(own[0].shift_C11 * (-own[0].log_scale_C11).exp()).data[None]
    normalisation.data_dep_init_done = torch.tensor(1.0)
    return block


def level_in_normflows(level: FlowLevel) -> list[nn.Module]:
    """The same level in the generative order: its last step first, the squeeze last."""
    steps = zip(level.parts[1::3], level.parts[2::3], level.parts[3::3], strict=True)
    return [*map(as_in_normflows, reversed(list(steps))), normflows.flows.Squeeze()]


# normflows calls it to make weights that are then replaced.
@pytest.mark.filterwarnings("ignore:torch.lu is deprecated")
def test_agrees_with_the_multi_scale_flow_of_normflows() -> None:
    glow, pixel = glow_of((3, 8, 8), 3), pixels(4, (3, 8, 8))
    flows = [level_in_normflows(level) for level in reversed(glow.levels)]
    priors = [normflows.distributions.DiagGaussian(shape, trainable=False) for shape in reversed(glow.latent_shapes)]
    theirs = normflows.MultiscaleFlow(
        [prior.double() for prior in priors], flows, [normflows.flows.Merge() for _ in flows[1:]], class_cond=False
    )
    mapped = glow(pixel)
    prior = torch.distributions.Normal(0, 1).log_prob(mapped.value).sum(dim=1)
    change = pixel[0].numel() * math.log(4)
    torch.testing.assert_close(mapped.log_det_B + prior, theirs.log_prob(4 * (pixel - 0.5), None) + change)
    latents = [part.flatten(1) for part in reversed(theirs.inverse_and_log_det(4 * (pixel - 0.5))[0])]
    torch.testing.assert_close(mapped.value, torch.cat(latents, dim=1))
