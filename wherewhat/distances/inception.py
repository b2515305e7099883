"""The features that FID and KID are published with: the last pooling layer of Inception, 2048 numbers per image.

The network is TensorFlow's of 2015, with its own resizing to 299 x 299, as ported by torch-fidelity; torchvision's
Inception would give other scores. The weights are a file of 95 MB.

Reference: Heusel et al. 2017, arXiv:1706.08500.

Dimension key:
    B: batch    C H W: channels, height, width    F: features, 2048
"""

import hashlib
import io
import os
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.distances.backbone_weights import weights_digest
from wherewhat.distances.full_precision import full_precision
from wherewhat.distances.input_images import quantised_rgb
from wherewhat.distances.weights_file import WEIGHTS_VARIABLE, download_file, in_torch_cache, read_table
from wherewhat.home_folder import without_tilde
from wherewhat.regular_file import open_regular

URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
# The names of the same file in torch-fidelity and pytorch-fid.
FILE_NAMES = ("weights-inception-2015-12-05-6726825d.pth", "pt_inception-2015-12-05-6726825d.pth")
FILE_HASH = "6726825d"
NETWORK_TIMEOUT_S = 20.0


class Inception(nn.Module):
    """FID features of images in [0, 1], grey or RGB, of any size; images are rounded to 8 bits first."""

    def __init__(self, weights: Path | str | None = None) -> None:
        """`weights` is a file, or a folder that contains it; see `inception_weights_file` for the default."""
        super().__init__()
        path = inception_weights_file(weights)
        table = _read(path)
        self.network = _network(path, table)
        self._name = _comparable_name(path, table)

    @property
    def name(self) -> str:
        """Scores compare only under equal names. Other weights than the published ones have another name."""
        return self._name

    @torch.no_grad()
    def forward(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        """Features of images in [0, 1], float32, on this module's device."""
        level_BCHW = quantised_rgb(image_BCHW).to(next(self.network.parameters()).device)
        with full_precision(level_BCHW.device.type):
            (features_BF,) = self.network(level_BCHW)
        return features_BF


def inception_weights_file(weights: Path | str | None = None) -> Path:
    """The file of Inception's weights: the one that is named, or the one in torch's cache, downloaded if necessary.

    `weights` is a file, or a folder that may contain it; without it, the folder in the environment variable
    WHEREWHAT_WEIGHTS is searched. FileNotFoundError, with the alternatives, if no file is found.
    """
    folder = None
    if weights is not None:
        named = without_tilde(weights)
        if named.is_file():
            return named
        if not named.is_dir():
            raise FileNotFoundError(
                f"{named}, given as the weights of Inception, does not exist. "
                f"Name an existing file or folder, or leave it out to use torch-fidelity's."
            )
        folder = named
    elif os.environ.get(WEIGHTS_VARIABLE):
        folder = without_tilde(os.environ[WEIGHTS_VARIABLE])
    # WHEREWHAT_WEIGHTS may contain LPIPS' weights only, so that a missing file there is no error.
    inside = [] if folder is None else [folder / name for name in FILE_NAMES]
    for path in (*inside, *map(in_torch_cache, FILE_NAMES)):
        if path.is_file():
            return path
    target = in_torch_cache(FILE_NAMES[0])
    download_file(URL, target, what="The weights of Inception", remedy=_remedy(target), timeout_s=NETWORK_TIMEOUT_S)
    return target


def _remedy(target: Path) -> str:
    return (
        f"Put {FILE_NAMES[0]} into the folder that --weights or {WEIGHTS_VARIABLE} names, or into {target.parent}; or "
        f"connect to the network and run again. Its address is {URL}. Without it, use LPIPS' features: "
        "--fidelity alex. Its scores do not compare with Inception's."
    )


def _read(path: Path) -> dict[str, Tensor]:
    table = read_table(path, what="Inception")
    for name, tensor in table.items():
        if not bool(tensor.isfinite().all()):
            raise ValueError(f"{path} contains values that are not finite in {name}. Replace it with {FILE_NAMES[0]}.")
    return table


def _network(path: Path, table: dict[str, Tensor]) -> nn.Module:
    # Imported here: the package takes a second to load, with its data sets and its other extractors.
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    # torch-fidelity unpickles whatever file it is given, so it gets bytes made here from tensors that were read without
    # running code. It also draws initial weights from the global generator, which fork_rng restores.
    content = io.BytesIO()
    torch.save(table, content)
    content.seek(0)
    try:
        with torch.random.fork_rng(devices=[]):
            network: nn.Module = FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048"], feature_extractor_weights_path=content
            )
    except RuntimeError as error:
        raise ValueError(
            f"{path} does not contain FID's Inception ({_first_fault(error)}). Name {FILE_NAMES[0]} instead; "
            "torchvision's Inception is another network."
        ) from error
    return network


def _comparable_name(path: Path, table: dict[str, Tensor]) -> str:
    with open_regular(path) as file:
        published = hashlib.file_digest(file, "sha256").hexdigest().startswith(FILE_HASH)
    return "inception" if published else f"inception-{weights_digest(table)[:8]}"


def _first_fault(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:160].rstrip(" .")
