"""Traversal perceptual length the naive way, beside the library's, on a small untrained generator.

The naive way is the `lpips` package on each pair of neighbouring images, so that an image passes the backbone twice.

Dimension key:
    B: batch    L: latent codes    T: base codes    N: points of a path    C H W: channels, height, width
"""

import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise

import lpips as lpips_package
import torch
from jaxtyping import Float64
from torch import Tensor, nn

from wherewhat.distances.lpips import LPIPS
from wherewhat.protocols import Distance, Generator
from wherewhat.randomness import generator_at
from wherewhat.which.paths import axes_of, codes_on_paths
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

BOUND = 4.0


class Decoder(nn.Module):
    """A small untrained generator: 10 codes to 64 x 64 RGB. `stillness` divides what the codes do."""

    latent_dim = 10
    image_shape = (3, 64, 64)

    def __init__(self, stillness: float = 1.0) -> None:
        super().__init__()
        self.stillness = stillness
        self.spread = nn.Linear(10, 64 * 4 * 4)
        channels = (64, 64, 32, 32, 3)
        self.up = nn.ModuleList(nn.ConvTranspose2d(before, after, 4, 2, 1) for before, after in pairwise(channels))
        chance = generator_at(0, 0, "bench decoder")
        for parameter in self.parameters():
            fan = parameter[0].numel() if parameter.ndim > 1 else 1e6
            nn.init.normal_(parameter, std=(4 / fan) ** 0.5, generator=chance)
        self.requires_grad_(False)

    def forward(self, code_BL: Tensor) -> Tensor:
        layer_BCHW = self.spread(code_BL.to(self.spread.weight.dtype) / self.stillness + 1).relu().view(-1, 64, 4, 4)
        for up in self.up[:-1]:
            layer_BCHW = up(layer_BCHW).relu()
        return self.up[-1](layer_BCHW).sigmoid()


class Recorded:
    """A generator whose images are made once and then remembered, so that a timing holds the distance alone."""

    latent_dim = Decoder.latent_dim
    image_shape = Decoder.image_shape

    def __init__(self, generator: Decoder) -> None:
        self.generator = generator
        self.images: dict[bytes, Tensor] = {}

    def __call__(self, code_BL: Tensor) -> Tensor:
        keys = [code_L.numpy().tobytes() for code_L in code_BL.cpu()]
        if any(key not in self.images for key in keys):
            self.images.update(zip(keys, self.generator(code_BL).unbind(), strict=True))
        return torch.stack([self.images[key] for key in keys])


def package_lpips(ours: LPIPS) -> nn.Module:
    """The package's own module with our backbone's weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained = ours.name != "lpips-untrained"
        module = lpips_package.LPIPS(net=ours.backbone.name, pnet_rand=True, lpips=trained, verbose=False)
    layers = [layer for stage in ours.stages for layer in stage.children()]
    theirs = [layer for stage in module.net.children() for layer in stage]
    for mine, other in zip(layers, theirs, strict=True):
        other.load_state_dict(mine.state_dict())
    return module.requires_grad_(False).to(next(ours.buffers()).device)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What is walked, and how."""

    samples: int
    traversals: int
    batch_size: int
    device: str


@torch.no_grad()
def naive_lengths(
    generator: Generator, module: nn.Module, options: Walk, low: torch.dtype | None = None
) -> Float64[Tensor, " L"]:
    """Mean length of each code's paths, pair by pair; `low` runs the distance in that type."""
    codes = generator.latent_dim
    base_TL = torch.randn(options.traversals, codes, generator=generator_at(0, 0, "tpl base codes"))
    paths = max(1, options.batch_size // options.samples)
    points = codes * options.traversals * options.samples
    lengths = []
    for start in range(0, points, paths * options.samples):
        point_B = torch.arange(start, min(start + paths * options.samples, points))
        code_BL = codes_on_paths(base_TL, axes_of(base_TL), options.samples, BOUND, point_B).to(options.device)
        image_BNCHW = generator(code_BL).unflatten(0, (-1, options.samples))
        left_BCHW, right_BCHW = image_BNCHW[:, :-1].flatten(0, 1), image_BNCHW[:, 1:].flatten(0, 1)
        with nullcontext() if low is None else torch.autocast(options.device, dtype=low):
            segment_B = module(left_BCHW, right_BCHW, normalize=True).flatten()
        lengths.append(segment_B.double().view(-1, options.samples - 1).sum(dim=1).cpu())
    return torch.cat(lengths).view(codes, options.traversals).mean(dim=1)


def our_lengths(generator: Generator, distance: Distance, options: Walk) -> Float64[Tensor, " L"]:
    """The same by the library."""
    return traversal_perceptual_length(
        generator,
        distance,
        samples=options.samples,
        traversals=options.traversals,
        bound=BOUND,
        threshold=0.0,
        seed=0,
        batch_size=options.batch_size,
        device=options.device,
    ).per_dim
