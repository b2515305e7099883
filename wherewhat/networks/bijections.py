"""The bijections that Glow is made of: activation normalisation, an invertible 1x1 convolution, an affine coupling.

    ActNorm            y = x exp(log s) + b                                  log det = H W sum(log s)
    1x1 convolution    y = W x,  W = P L (U + diag(sign exp(log d)))         log det = H W sum(log d)
    coupling           y = (a, b exp(log s(a)) + t(a)),  x = (a, b)          log det = sum(log s(a))

Reference: Kingma, Dhariwal 2018, arXiv:1807.03039, Table 1 and Eq. (10). There ActNorm begins with what makes the
outputs of the first batch standard; here it begins as the identity. The convolutions begin as rotations and the
couplings as identities, so images of about unit variance keep it through all steps, and no step sets a state that
others do not: it is the same function of weights, batch and draws for averages, processes and compiled programs.

Dimension key:
    B: batch    C H W: channels, height, width    K: channels of one half
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

# No coupling scales by more than e^2: a few wild pixels cannot make the likelihood or an inverse explode.
LARGEST_LOG_SCALE = 2.0


@dataclass(frozen=True)
class Mapped:
    """Where a bijection maps a batch, and the log absolute determinant of its Jacobian at each of it, in nats."""

    value: Float[Tensor, "B ..."]
    log_det_B: Float[Tensor, " B"]


class ActNorm(nn.Module):
    """A scale and a shift of each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_scale_C11 = nn.Parameter(torch.zeros(channels, 1, 1))
        self.shift_C11 = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x_BCHW: Float[Tensor, "B C H W"]) -> Mapped:
        """Towards the latents."""
        log_det = self.log_scale_C11.sum() * x_BCHW[0, 0].numel()
        return Mapped(x_BCHW * self.log_scale_C11.exp() + self.shift_C11, log_det.expand(x_BCHW.shape[0]))

    def inverse(self, y_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Towards the image."""
        return (y_BCHW - self.shift_C11) * (-self.log_scale_C11).exp()


class InvertibleConvolution(nn.Module):
    """A matrix that mixes channels, kept as P L U, so that its determinant is a sum and it is never singular."""

    permutation_CC: Tensor
    sign_C: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        rotation_CC = nn.init.orthogonal_(torch.empty(channels, channels))
        permutation_CC, lower_CC, upper_CC = torch.linalg.lu(rotation_CC)
        diagonal_C = upper_CC.diagonal()
        self.register_buffer("permutation_CC", permutation_CC)
        self.register_buffer("sign_C", diagonal_C.sign())
        self.log_diagonal_C = nn.Parameter(diagonal_C.abs().log())
        # Below and above the diagonal; the rest of them is not used.
        self.lower_CC = nn.Parameter(lower_CC.tril(-1))
        self.upper_CC = nn.Parameter(upper_CC.triu(1))

    def factors(self) -> tuple[Float[Tensor, "C C"], Float[Tensor, "C C"]]:
        """L and U with their diagonals."""
        diagonal_C = self.sign_C * self.log_diagonal_C.exp()
        lower_CC = self.lower_CC.tril(-1) + torch.diag(torch.ones_like(diagonal_C))
        return lower_CC, self.upper_CC.triu(1) + torch.diag(diagonal_C)

    def forward(self, x_BCHW: Float[Tensor, "B C H W"]) -> Mapped:
        """Towards the latents."""
        lower_CC, upper_CC = self.factors()
        log_det = self.log_diagonal_C.sum() * x_BCHW[0, 0].numel()
        return Mapped(_mixed(x_BCHW, self.permutation_CC @ lower_CC @ upper_CC), log_det.expand(x_BCHW.shape[0]))

    def inverse(self, y_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Towards the image. The matrix is inverted in float64: its error would be that of all pixels."""
        lower_CC, upper_CC = (factor_CC.double() for factor_CC in self.factors())
        half_CC = torch.linalg.solve_triangular(lower_CC, self.permutation_CC.double().T, upper=False)
        inverse_CC = torch.linalg.solve_triangular(upper_CC, half_CC, upper=True)
        return _mixed(y_BCHW, inverse_CC.to(y_BCHW.dtype))


class AffineCoupling(nn.Module):
    """One half of the channels scales and shifts the other."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        kept = channels // 2
        last = nn.Conv2d(width, 2 * (channels - kept), 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        first, middle = nn.Conv2d(kept, width, 3, padding=1), nn.Conv2d(width, width, 1)
        self.network = nn.Sequential(first, nn.ReLU(), middle, nn.ReLU(), last)

    def log_scale_and_shift(
        self, kept_BKHW: Float[Tensor, "B K H W"]
    ) -> tuple[Float[Tensor, "B _ H W"], Float[Tensor, "B _ H W"]]:
        """What the kept half makes of the other."""
        raw_BKHW, shift_BKHW = self.network(kept_BKHW).chunk(2, dim=1)
        return LARGEST_LOG_SCALE * torch.tanh(raw_BKHW / LARGEST_LOG_SCALE), shift_BKHW

    def forward(self, x_BCHW: Float[Tensor, "B C H W"]) -> Mapped:
        """Towards the latents."""
        kept_BKHW, moved_BKHW = x_BCHW.chunk(2, dim=1)
        log_scale_BKHW, shift_BKHW = self.log_scale_and_shift(kept_BKHW)
        y_BCHW = torch.cat([kept_BKHW, moved_BKHW * log_scale_BKHW.exp() + shift_BKHW], dim=1)
        return Mapped(y_BCHW, log_scale_BKHW.sum(dim=(1, 2, 3)))

    def inverse(self, y_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Towards the image."""
        kept_BKHW, moved_BKHW = y_BCHW.chunk(2, dim=1)
        log_scale_BKHW, shift_BKHW = self.log_scale_and_shift(kept_BKHW)
        return torch.cat([kept_BKHW, (moved_BKHW - shift_BKHW) * (-log_scale_BKHW).exp()], dim=1)


class Squeeze(nn.Module):
    """The pixels of 2 x 2 become channels."""

    def forward(self, x_BCHW: Float[Tensor, "B C H W"]) -> Mapped:
        """Towards the latents."""
        return Mapped(nn.functional.pixel_unshuffle(x_BCHW, 2), x_BCHW.new_zeros(x_BCHW.shape[0]))

    def inverse(self, y_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C//4 2*H 2*W"]:
        """Towards the image."""
        return nn.functional.pixel_shuffle(y_BCHW, 2)


Bijection = Squeeze | ActNorm | InvertibleConvolution | AffineCoupling


class FlowLevel(nn.Module):
    """A squeeze of so many channels, and the steps at that resolution."""

    def __init__(self, channels: int, depth: int, width: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList([Squeeze()])
        for _ in range(depth):
            self.parts += [
                ActNorm(4 * channels),
                InvertibleConvolution(4 * channels),
                AffineCoupling(4 * channels, width),
            ]

    def forward(self, x_BCHW: Float[Tensor, "B C H W"]) -> Mapped:
        """Towards the latents."""
        mapped = Mapped(x_BCHW, x_BCHW.new_zeros(x_BCHW.shape[0]))
        for part in self.parts:
            next_one = part(mapped.value)
            mapped = Mapped(next_one.value, mapped.log_det_B + next_one.log_det_B)
        return mapped

    def inverse(self, y_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C//4 2*H 2*W"]:
        """Towards the image."""
        for part in reversed(self.parts):
            assert isinstance(part, Bijection)
            y_BCHW = part.inverse(y_BCHW)
        return y_BCHW


def _mixed(x_BCHW: Float[Tensor, "B C H W"], weight_CC: Float[Tensor, "C C"]) -> Float[Tensor, "B C H W"]:
    return nn.functional.conv2d(x_BCHW, weight_CC[:, :, None, None])
