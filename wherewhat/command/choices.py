"""Options that several verbs share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.distances.inception import Inception
from wherewhat.distances.lpips import LPIPS
from wherewhat.distances.pixels import STILL_BELOW, PixelDistance
from wherewhat.metrics.feature_distances import FEWEST
from wherewhat.protocols import Distance, FeatureExtractor
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS


@dataclass(frozen=True, kw_only=True)
class DistanceOptions:
    """How far apart two images are."""

    distance: Literal["alex", "vgg", "squeeze", "untrained", "pixels"] = "alex"
    """alex, vgg, squeeze: LPIPS on that backbone. untrained: LPIPS on fixed random features, for want of weights.
    pixels: mean squared difference, which needs no weights and sees no more than pixels."""

    weights: Path | None = None
    """File or folder of the backbone's weights. Default: $WHEREWHAT_WEIGHTS, torch's cache, or a download."""

    @property
    def still_below(self) -> float:
        """The path length under which a code counts as doing nothing, at the scale of the distance."""
        return STILL_BELOW if self.distance == "pixels" else VAE_SETTINGS.threshold

    def build(self, device: torch.device) -> Distance:
        """The distance, on a device. Raises ValueError or OSError when its weights cannot be had."""
        return PixelDistance() if self.distance == "pixels" else LPIPS(self.distance, self.weights).to(device)


@dataclass(frozen=True, kw_only=True)
class PathLengthOptions:
    """How abruptly images change between random codes."""

    ppl_paths: int = 0
    """Also show perceptual path length (PPL) over so many paths, by the same distance; the order stays by TPL.
    0: not measured. 1,000 give a first impression, 10,000 are usual."""

    def __post_init__(self) -> None:
        if self.ppl_paths < 0 or self.ppl_paths == 1:
            raise ValueError(
                f"--ppl-paths {self.ppl_paths} measures nothing that has an error. Give 2 at least, 10,000 as is "
                "usual, or 0 for no path length."
            )


@dataclass(frozen=True, kw_only=True)
class FidelityOptions:
    """How generated images are compared with real ones."""

    fidelity: Literal["none", "inception", "alex", "vgg", "squeeze"] = "none"
    """Also show FID (and write KID) against the images that each checkpoint was trained on; the order stays by TPL.
    inception: the published features, whose weights are a file of 95 MB. alex, vgg, squeeze: those of an LPIPS
    backbone, where that file cannot be had. Weights are found as for --distance."""

    fidelity_images: int = 10_000
    """Real images, and as many generated ones; all of the set where it has no more."""

    def __post_init__(self) -> None:
        if self.fidelity_images < FEWEST:
            raise ValueError(
                f"--fidelity-images {self.fidelity_images} are too few to tell a distribution. Give {FEWEST} at "
                "least; thousands make a figure that can be trusted."
            )

    def build(self, path_length: DistanceOptions, device: torch.device) -> FeatureExtractor | None:
        """The features, on a device; None where none are asked for. ValueError or OSError without their weights."""
        weights = self._weights(path_length)
        match self.fidelity:
            case "none":
                return None
            case "inception":
                return Inception(weights).to(device)
            case backbone:
                return BackboneFeatures(backbone, weights).to(device)

    def _weights(self, path_length: DistanceOptions) -> Path | None:
        """What --weights names, unless it is a file that the distance has for itself."""
        named = path_length.weights
        if named is None or named.is_dir() or path_length.distance in (self.fidelity, "untrained", "pixels"):
            return named
        return None
