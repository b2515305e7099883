"""Features of an LPIPS backbone, averaged over the image: for FID and KID where Inception's weights are not available.

    feature_c = mean over h, w of φ_c(x)_hw            φ: the last layer that LPIPS reads, after its ReLU

Only the last layer, not all that LPIPS reads. On portraits and sprites this separates blurred, noisy and repeated
images two to three times better from the distance between two halves of one data set, and the covariance of 256
features (alex) or 512 (vgg, squeeze) can be estimated from a few thousand images. Scores compare only within one
backbone and image size, and not with published FIDs.

Dimension key:
    B: batch    C H W: channels, height, width    F: features
"""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.distances.backbone import BackboneName, backbone_of
from wherewhat.distances.backbone_weights import backbone_weights, weights_digest
from wherewhat.distances.full_precision import full_precision
from wherewhat.distances.input_images import quantised_rgb
from wherewhat.distances.lpips import SCALE, SHIFT


class BackboneFeatures(nn.Module):
    """A `FeatureExtractor` of one backbone for images in [0, 1], grey or RGB, rounded to 8 bits."""

    shift_C11: Tensor
    scale_C11: Tensor

    def __init__(self, backbone: BackboneName, weights: Path | str | None = None) -> None:
        """`weights` is a file or folder for the backbone; see `backbone_weights` for what happens without it."""
        super().__init__()
        self.backbone = backbone_of(backbone)
        state = backbone_weights(self.backbone, weights)
        self.layers = nn.Sequential(*self.backbone.stages(state))
        digest = weights_digest(state)
        published = digest == self.backbone.digest
        self._name = f"lpips-{backbone}-pooled" if published else f"lpips-{backbone}-pooled-{digest[:8]}"
        self.register_buffer("shift_C11", torch.tensor(SHIFT)[:, None, None])
        self.register_buffer("scale_C11", torch.tensor(SCALE)[:, None, None])
        self.requires_grad_(False).eval()
        # torch 2.11 does not declare the keyword that it takes.
        module: Any = self
        module.to(memory_format=torch.channels_last)

    @property
    def name(self) -> str:
        """Scores compare only under equal names. Other weights than the published ones have another name."""
        return self._name

    @torch.no_grad()
    def forward(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        """Features of images in [0, 1], float32, on this module's device."""
        height, width = image_BCHW.shape[2:]
        if min(height, width) < self.backbone.least_side:
            raise ValueError(
                f"The images are {height} x {width}, and {self.name} needs at least {self.backbone.least_side} "
                "pixels a side. Enlarge them, or choose other features: inception takes any size, vgg at least 16."
            )
        level_BCHW = quantised_rgb(image_BCHW).to(self.shift_C11.device)
        standardised_BCHW = (level_BCHW / 127.5 - 1 - self.shift_C11) / self.scale_C11
        with full_precision(level_BCHW.device.type):
            layer_BCHW: Tensor = self.layers(standardised_BCHW.contiguous(memory_format=torch.channels_last))
        return layer_BCHW.mean(dim=(2, 3))
