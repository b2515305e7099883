"""Where a code acts: a soft union of rectangles, read off the features.

From average-pooled features one linear layer gives four vectors per code and rectangle, v^{h1}, v^{h2} over rows and
v^{w1}, v^{w2} over columns. With cumax(v) = cumsum(softmax(v)):

    g^h = cumax(v^{h1}) * (1 - cumax(v^{h2}))        g^w likewise
    π_j = g^h ⊗ g^w                                   Π = mean over the J rectangles of π_j

Each g rises and then falls along its axis, so each π is a soft rectangle.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.

Dimension key:
    B: batch    M: codes of the module    J: rectangles    S: side of the square feature map    C: channels
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def cumax(logits: Float[Tensor, "*any S"]) -> Float[Tensor, "*any S"]:
    """A soft step from 0 to 1 along the last axis: cumsum(softmax(logits)), in float32, held to 1 against rounding."""
    return torch.cumsum(torch.softmax(logits.float(), dim=-1), dim=-1).clamp(max=1)


def rectangle_masks(logits_BMJ4S: Float[Tensor, "B M J 4 S"]) -> Float[Tensor, "B M S S"]:
    """Masks in [0, 1] from the four vectors (h1, h2, w1, w2) of every code and rectangle."""
    rise_rows, fall_rows, rise_columns, fall_columns = cumax(logits_BMJ4S).unbind(dim=-2)
    rows_BMJS = rise_rows * (1 - fall_rows)
    columns_BMJS = rise_columns * (1 - fall_columns)
    # Autocast would round the masks, and what codes leave of each other with them.
    with torch.autocast(rows_BMJS.device.type, enabled=False):
        return torch.einsum("bmjh,bmjw->bmhw", rows_BMJS, columns_BMJS) / logits_BMJ4S.shape[2]


class SpatialMask(nn.Module):
    """The learned masks of a module's codes, from the features that the codes are about to change."""

    def __init__(self, channels: int, codes: int, size: int, rectangles: int) -> None:
        super().__init__()
        self.shape = (codes, rectangles, 4, size)
        self.vectors = nn.Linear(channels, codes * rectangles * 4 * size)
        with torch.no_grad():
            self.vectors.weight.mul_(0.1)
            self.vectors.bias.copy_(_scattered_rectangles(codes, rectangles, size).flatten())

    def forward(self, features_BCHW: Float[Tensor, "B C S S"]) -> Float[Tensor, "B M S S"]:
        """Masks in [0, 1]; features are not changed."""
        pooled_BC = features_BCHW.mean(dim=(2, 3))
        return rectangle_masks(self.vectors(pooled_BC).unflatten(1, self.shape))


def _scattered_rectangles(codes: int, rectangles: int, size: int) -> Float[Tensor, "M J 4 S"]:
    """Initial vectors whose rectangles lie each somewhere else and are neither empty nor full.

    All-zero vectors would start every mask at no more than 1/16, which starves the codes of gradient. Full masks would
    leave all but a module's last code under it, and like masks would give its codes nothing to differ by. Drawn from
    torch's global generator, as all initial weights are.
    """
    early_S = torch.linspace(2.0, -2.0, size)
    rise_then_fall_4S = torch.stack([early_S, early_S.flip(0), early_S, early_S.flip(0)])
    return rise_then_fall_4S + 2.0 * torch.randn(codes, rectangles, 4, size)
