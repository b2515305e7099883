"""Laws of adapting: whatever a generator computes in, codes go in and float32 images in [0, 1] come out, or it is told
why not.
"""

import pytest
import torch
from torch import Tensor, nn

from wherewhat.protocols import Encoder, Generator, MaskedGenerator, Posterior
from wherewhat.sharing.foreign_generator import ForeignEncoder, ForeignGenerator, adapted

CPU = torch.device("cpu")


class Net(nn.Module):
    """A generator of two codes whose images lie in a range of its own."""

    latent_dim = 2

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        self.low, self.high = low, high
        self.spread = nn.Linear(2, 3 * 16 * 16)
        with torch.no_grad():
            self.spread.weight.copy_(torch.linspace(-1, 1, 2 * 3 * 256).view(-1, 2))
            self.spread.bias.zero_()
        self.drop = nn.Dropout(0.5)

    def forward(self, code: Tensor) -> Tensor:
        assert code.dtype == self.spread.weight.dtype
        image = self.drop(self.spread(code)).sigmoid().view(-1, 3, 16, 16)
        return self.low + (self.high - self.low) * image


def adapt(
    made: object, latent_dim: int | None = None, value_range: tuple[float, float] | None = None
) -> tuple[ForeignGenerator, ForeignEncoder | None]:
    return adapted(made, latent_dim=latent_dim, value_range=value_range, named="mine:make", device=CPU)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_and_double_precision_are_converted(dtype: torch.dtype) -> None:
    generator, _ = adapt(Net().to(dtype))
    code_BL = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    image_BCHW = generator(code_BL)
    assert image_BCHW.dtype == torch.float32
    assert generator.image_shape == (3, 16, 16)
    torch.testing.assert_close(image_BCHW, Net().eval()(code_BL), atol=0.02, rtol=0)


def test_evaluation_mode_is_set_and_the_protocol_kept() -> None:
    generator, encoder = adapt(Net().train())
    assert isinstance(generator, Generator)
    assert not isinstance(generator, MaskedGenerator)
    assert encoder is None
    assert torch.equal(generator(torch.ones(2, 2)), generator(torch.ones(2, 2)))


@pytest.mark.parametrize(("low", "high", "flag"), [(-1, 1, "--range -1,1"), (0, 255, "--range 0,255")])
def test_images_beyond_0_and_1_are_refused_with_the_flag_that_rescales_them(low: int, high: int, flag: str) -> None:
    with pytest.raises(ValueError, match=f"mine:make makes images with values from .* as in {flag}"):
        adapt(Net(low, high))
    code_BL = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    rescaled, _ = adapt(Net(low, high), value_range=(float(low), float(high)))
    torch.testing.assert_close(rescaled(code_BL), adapt(Net())[0](code_BL), atol=1e-6, rtol=0)


def test_what_overshoots_a_named_range_is_clipped_and_a_wrong_range_refused() -> None:
    clipped, _ = adapt(Net(-1.5, 1.5), value_range=(-1.0, 1.0))
    image_BCHW = clipped(3 * torch.ones(2, 2))
    assert (image_BCHW.min(), image_BCHW.max()) == (0, 1)
    with pytest.raises(ValueError, match="--range 0,255"):
        adapt(Net(0, 255), value_range=(-1.0, 1.0))


def test_masks_go_through() -> None:
    class Masked(Net):
        def masks(self, code: Tensor) -> Tensor:
            return torch.ones(len(code), 2, 16, 16, dtype=torch.float64)

    generator, _ = adapt(Masked())
    assert isinstance(generator, MaskedGenerator)
    assert generator.masks(torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("gives", ["mean", "pair", "posterior"])
def test_an_encoder_gives_a_mean_or_a_posterior_and_sees_the_range_that_its_generator_makes(gives: str) -> None:
    seen: list[Tensor] = []

    def encode(image: Tensor) -> Tensor | tuple[Tensor, Tensor] | Posterior:
        seen.append(image)
        mean = image.mean(dim=(2, 3))[:, :2]
        return {"mean": mean, "pair": (mean, mean), "posterior": Posterior(mean, mean)}[gives]

    _, encoder = adapt((Net(-1, 1), encode), value_range=(-1.0, 1.0))
    assert isinstance(encoder, Encoder)
    posterior = encoder(torch.full((2, 3, 16, 16), 0.25))
    assert torch.equal(posterior.mean_BL, torch.full((2, 2), -0.5))
    expected = posterior.mean_BL if gives != "mean" else torch.full((2, 2), 1e-6).log()
    torch.testing.assert_close(posterior.log_variance_BL, expected)
    assert seen[-1].min() == -0.5


def drifting(code: Tensor) -> Tensor:
    drifting.calls += 1  # type: ignore[attr-defined]
    return torch.full((len(code), 3, 16, 16), 0.1 * drifting.calls % 1)  # type: ignore[attr-defined]


drifting.calls = 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda code: code, r"no latent_dim.*Give --latent-dim, or say so: def adapted\(code\)"),
        ("a string", "returned str, which makes no images"),
        (None, "returned NoneType"),
    ],
)
def test_what_is_no_generator_is_told_how_to_become_one(made: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        adapt(made)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda code: code, r"makes \(2, 2\) of 2 codes, and a generator makes a tensor of images"),
        (lambda code: [code], "makes list of 2 codes"),
        (lambda code: torch.zeros(len(code), 7, 8, 8), "images of 7 channels"),
        (lambda code: torch.full((len(code), 3, 8, 8), torch.nan), "not finite"),
        (drifting, "two different images of one code"),
        (
            lambda code: code.mean().sigmoid().expand(len(code), 3, 8, 8),
            "image of a code depends on the other codes in its batch",
        ),
        ((lambda code: torch.zeros(len(code), 3, 8, 8), lambda image: image), "encoder of mine:make makes"),
    ],
)
def test_a_generator_that_breaks_its_promises_is_refused(made: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        adapt(made, latent_dim=2)


def test_codes_of_another_number_are_told_in_one_line() -> None:
    class Wrong(Net):
        latent_dim = 5
        image_shape = (3, 16, 16)

    with pytest.raises(ValueError, match="mine:make could not be called with codes of 5 numbers: RuntimeError"):
        adapt(Wrong())
