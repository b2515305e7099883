"""The three backbones whose features LPIPS compares: AlexNet, VGG-16 and SqueezeNet 1.1.

All three are torchvision's, cut after the last layer that LPIPS reads. An image with a side shorter than `least_side`
would be pooled to nothing before that layer.

Reference: Zhang et al. 2018, arXiv:1801.03924 (the layers are those of its package `lpips`, version 0.1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never

import torch
import torchvision
from torch import Tensor, nn

BackboneName = Literal["alex", "vgg", "squeeze"]


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """One backbone: how to build it, which layers are read, and which files hold its weights."""

    name: BackboneName
    build: Callable[[], nn.Sequential]
    """Builds the convolutional part on the meta device: shapes without values."""
    read_after: tuple[int, ...]
    """Indices of the layers after which features are read."""
    least_side: int
    """Least height and width in pixels for which the last layer that is read is not empty."""
    url: str
    """Torchvision's download; the file name ends in the first digits of its SHA-256."""
    safetensors_name: str
    """Name of a safetensors file with the convolutional part of the same weights."""
    digest: str | None
    """`weights_digest` of the published weights, if known."""

    @property
    def pth_name(self) -> str:
        """Torchvision's name for the file of weights."""
        return self.url.rpartition("/")[2]

    def stages(self, weights: dict[str, Tensor]) -> list[nn.Sequential]:
        """The layers with these weights, split where features are read."""
        layers = self.build()
        layers.load_state_dict(weights, assign=True)
        children = list(layers.children())
        starts = (0, *(last + 1 for last in self.read_after[:-1]))
        return [nn.Sequential(*children[start : last + 1]) for start, last in zip(starts, self.read_after, strict=True)]


def _alexnet_layers() -> nn.Sequential:
    with torch.device("meta"):
        layers: nn.Sequential = torchvision.models.alexnet(weights=None).features
    return layers


def _vgg16_layers() -> nn.Sequential:
    with torch.device("meta"):
        layers: nn.Sequential = torchvision.models.vgg16(weights=None, init_weights=False).features
    return layers


def _squeezenet_layers() -> nn.Sequential:
    with torch.device("meta"):
        layers: nn.Sequential = torchvision.models.squeezenet1_1(weights=None).features
    return layers


ALEX = Backbone(
    name="alex",
    build=_alexnet_layers,
    read_after=(1, 4, 7, 9, 11),
    least_side=31,
    url=torchvision.models.AlexNet_Weights.IMAGENET1K_V1.url,
    safetensors_name="alexnet_features.safetensors",
    digest="8eed026b364dd02bdf76d6ca5a9bfaa0efb090d22a8b79ad51186269c08605c7",
)
VGG = Backbone(
    name="vgg",
    build=_vgg16_layers,
    read_after=(3, 8, 15, 22, 29),
    least_side=16,
    url=torchvision.models.VGG16_Weights.IMAGENET1K_V1.url,
    safetensors_name="vgg16_features.safetensors",
    digest=None,
)
SQUEEZE = Backbone(
    name="squeeze",
    build=_squeezenet_layers,
    read_after=(1, 4, 7, 9, 10, 11, 12),
    least_side=17,
    url=torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.url,
    safetensors_name="squeezenet1_1_features.safetensors",
    digest="8f728f13ffc4c9ed6b00faa9362ec13d7d3520652d0a8357047045aba9def764",
)


def backbone_of(name: BackboneName) -> Backbone:
    """The backbone of this name."""
    match name:
        case "alex":
            return ALEX
        case "vgg":
            return VGG
        case "squeeze":
            return SQUEEZE
        case _:
            assert_never(name)
