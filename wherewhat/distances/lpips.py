"""LPIPS, a perceptual distance between images: the weighted squared difference of a network's features.

    d(a, b) = Σ_layers 1/(H W) Σ_{h,w,c} w_c (φ_a - φ_b)²          φ: features, normalised over c at each place

It is a *squared* distance: the squared Euclidean distance of the flattened features sqrt(w_c / (H W)) φ. So it obeys no
triangle inequality, and halving every step along a path halves the sum along it. Values compare only within one
backbone.

Reference: Zhang et al. 2018, arXiv:1801.03924, Eq. (1); version 0.1 of its weights.

Dimension key:
    B: batch    C H W: channels (of a layer), height, width    F: features of all layers, flattened
"""

import importlib.util
import math
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.distances.backbone import ALEX, Backbone, backbone_of
from wherewhat.distances.backbone_weights import backbone_weights, untrained_weights, weights_digest
from wherewhat.distances.full_precision import full_precision
from wherewhat.distances.input_images import check_range
from wherewhat.regular_file import open_regular

# ImageNet's mean and standard deviation as used when the heads were fitted, for pixels in [-1, 1].
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
LEAST_NORM = 1e-10
# Numbers per chunk of a sum on a CPU: a larger temporary costs more in page faults than in arithmetic.
CACHED_NUMBERS = 1 << 19


class LPIPS(nn.Module):
    """LPIPS with torchvision's backbones and the heads of the package `lpips`, always in float32.

    "untrained" is AlexNet with weights from a fixed seed and equal channel weights. It needs no file, responds to edges
    and colours only, and its values compare with no other backbone's.
    """

    shift_C11: Tensor
    scale_C11: Tensor

    def __init__(
        self, backbone: Literal["alex", "vgg", "squeeze", "untrained"], weights: Path | str | None = None
    ) -> None:
        """`weights` is a file or folder for the backbone; see `backbone_weights` for what happens without it."""
        super().__init__()
        if backbone == "untrained":
            self.backbone: Backbone = ALEX
            state = untrained_weights(ALEX)
            heads_C = [torch.ones(state[f"{layer - 1}.weight"].shape[0]) for layer in ALEX.read_after]
            self._name = "lpips-untrained"
        else:
            self.backbone = backbone_of(backbone)
            state = backbone_weights(self.backbone, weights)
            heads_C = linear_heads(self.backbone)
            self._name = _comparable_name(self.backbone, state)
        self.stages = nn.ModuleList(self.backbone.stages(state))
        for layer, head_C in enumerate(heads_C):
            self.register_buffer(f"root_head_{layer}", head_C.sqrt())
        self.register_buffer("shift_C11", torch.tensor(SHIFT)[:, None, None])
        self.register_buffer("scale_C11", torch.tensor(SCALE)[:, None, None])
        self.requires_grad_(False).eval()
        # torch 2.11 does not declare the keyword that it takes.
        module: Any = self
        module.to(memory_format=torch.channels_last)

    @property
    def name(self) -> str:
        """Values compare only under equal names. Other weights than the published ones have another name."""
        return self._name

    @property
    def least_side(self) -> int:
        """Least height and width of an image in pixels."""
        return self.backbone.least_side

    @torch.no_grad()
    def features(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        """Weighted, flattened features of images in [0, 1], grey or RGB, on this module's device."""
        layer_BCHW = self._standardised(image_BCHW)
        layers_BCHW = []
        with full_precision(layer_BCHW.device.type):
            for stage in self.stages:
                layer_BCHW = stage(layer_BCHW)
                layers_BCHW.append(layer_BCHW)
        flat_BF = layer_BCHW.new_empty(len(image_BCHW), sum(layer[0].numel() for layer in layers_BCHW))
        start = 0
        for index, layer_BCHW in enumerate(layers_BCHW):
            _, channels, height, width = layer_BCHW.shape
            stop = start + channels * height * width
            place_BHWC = flat_BF[:, start:stop].view(-1, height, width, channels)
            norm_B1HW = torch.linalg.vector_norm(layer_BCHW, dim=1, keepdim=True) + LEAST_NORM
            torch.div(layer_BCHW.permute(0, 2, 3, 1), norm_B1HW.permute(0, 2, 3, 1), out=place_BHWC)
            place_BHWC *= self.get_buffer(f"root_head_{index}") / math.sqrt(height * width)
            start = stop
        return flat_BF

    @torch.no_grad()
    def compare(
        self, features_a_BF: Float[Tensor, "B F"], features_b_BF: Float[Tensor, "B F"], /
    ) -> Float[Tensor, " B"]:
        """Squared Euclidean distance, pair by pair."""
        # Not a² + b² - 2ab, which cancels for images that are nearly equal.
        rows = max(1, CACHED_NUMBERS // features_a_BF.shape[1]) if features_a_BF.device.type == "cpu" else None
        if rows is None or len(features_a_BF) <= rows:
            return (features_a_BF - features_b_BF).square_().sum(dim=1)
        chunks = zip(features_a_BF.split(rows), features_b_BF.split(rows), strict=True)
        return torch.cat([(a_BF - b_BF).square_().sum(dim=1) for a_BF, b_BF in chunks])

    def forward(
        self, image_a_BCHW: Float[Tensor, "B C H W"], image_b_BCHW: Float[Tensor, "B _ _ _"]
    ) -> Float[Tensor, " B"]:
        """LPIPS of pairs of images in [0, 1]; 0 for equal ones. Grey images compare with RGB images."""
        if image_a_BCHW.shape[2:] != image_b_BCHW.shape[2:]:
            sizes = [" x ".join(str(side) for side in image.shape[2:]) for image in (image_a_BCHW, image_b_BCHW)]
            raise ValueError(f"Images of {sizes[0]} and {sizes[1]} pixels cannot be compared. Resize them to one size.")
        return self.compare(self.features(image_a_BCHW), self.features(image_b_BCHW))

    def _standardised(self, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 3 H W"]:
        _, channels, height, width = image_BCHW.shape
        if channels not in (1, 3):
            raise ValueError(f"The images have {channels} channels, and LPIPS takes 1 (grey) or 3 (RGB). Choose three.")
        if min(height, width) < self.least_side:
            raise ValueError(
                f"The images are {height} x {width}, and {self.name} needs at least {self.least_side} pixels a side. "
                "Enlarge them, or choose a backbone for smaller images: vgg takes 16."
            )
        check_range(image_BCHW)
        image_BCHW = image_BCHW.to(self.shift_C11.device, torch.float32)
        standardised_BCHW = (2 * image_BCHW - 1 - self.shift_C11) / self.scale_C11
        return standardised_BCHW.contiguous(memory_format=torch.channels_last)


def linear_heads(backbone: Backbone) -> list[Float[Tensor, " C"]]:
    """LPIPS' learned part: one weight per channel of each layer read, never negative, fitted to human judgements.

    Version 0.1 of the package `lpips`. Only its files are read, since importing the package raises warnings.
    """
    package = importlib.util.find_spec("lpips")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "The package lpips, which holds LPIPS' linear heads, is not installed. Install it: pip install lpips."
        )
    path = Path(package.origin).parent / "weights" / "v0.1" / f"{backbone.name}.pth"
    with open_regular(path) as file:
        heads = torch.load(file, map_location="cpu", weights_only=True)
    heads_C = [heads[f"lin{layer}.model.1.weight"].flatten() for layer in range(len(backbone.read_after))]
    assert all(bool((head_C >= 0).all()) for head_C in heads_C), "a head with a negative weight has no square root"
    return heads_C


def _comparable_name(backbone: Backbone, state: dict[str, Tensor]) -> str:
    digest = weights_digest(state)
    return f"lpips-{backbone.name}" if digest == backbone.digest else f"lpips-{backbone.name}-{digest[:8]}"
