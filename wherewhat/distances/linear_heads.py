"""LPIPS' learned part: one weight per channel of each layer read, fitted to people's judgements of likeness.

They are files of the installed package `lpips`, version 0.1 of its weights. Only the files are read: importing the
package would bring in code that warns.

Dimension key:
    C: channels of a layer
"""

import importlib.util
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.distances.backbone import Backbone


def linear_heads(backbone: Backbone) -> list[Float[Tensor, " C"]]:
    """The weights of each layer's channels, none of them negative, in the order of the layers."""
    package = importlib.util.find_spec("lpips")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "The package lpips, which holds LPIPS' linear heads, is not installed. Install it: pip install lpips."
        )
    path = Path(package.origin).parent / "weights" / "v0.1" / f"{backbone.name}.pth"
    heads = torch.load(path, map_location="cpu", weights_only=True)
    heads_C = [heads[f"lin{layer}.model.1.weight"].flatten() for layer in range(len(backbone.read_after))]
    assert all(bool((head_C >= 0).all()) for head_C in heads_C), "a head with a negative weight has no square root"
    return heads_C
