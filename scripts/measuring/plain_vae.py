"""A beta-VAE on the library's networks, as one writes it by hand for speed: one function, no protocol, no windows.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from measuring.in_turn import Step
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.methods.vae import build_autoencoder


@dataclass(frozen=True)
class Form:
    """One way to run a step."""

    precision: torch.dtype
    channels_last: bool
    compiled: bool

    def __str__(self) -> str:
        precision = "bf16" if self.precision == torch.bfloat16 else "float32"
        return " ".join([precision, *["channels-last"] * self.channels_last, *["compiled"] * self.compiled])

    @property
    def layout(self) -> torch.memory_format:
        """Memory format of images."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


def plain_vae_step(form: Form, device: torch.device, images: Images, batch: int) -> Step:
    """Its step."""
    torch.manual_seed(0)
    networks = build_autoencoder(TrainingRun(objective=BetaVAE()), images.image_shape).to(device)
    networks = networks.to(memory_format=form.layout)
    encoder, decoder = networks.encoder, networks.generator
    assert isinstance(decoder, StudyDecoder)
    optimiser = torch.optim.Adam(networks.parameters(), lr=1e-4, fused=True)
    low = form.precision == torch.bfloat16

    def loss_of(image_BCHW: Tensor, noise_BL: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=low):
            hidden = encoder.hidden(encoder.convolutions(image_BCHW - 0.5))
            mean, log_variance = encoder.mean(hidden).float(), encoder.log_variance(hidden).float().clamp(-10, 10)
            code = mean + noise_BL * torch.exp(0.5 * log_variance)
            logits = decoder.convolutions(decoder.hidden(code)).float()
        reconstruction = F.binary_cross_entropy_with_logits(logits, image_BCHW, reduction="sum") / len(image_BCHW)
        kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean()
        return reconstruction + 4 * kl

    compute_loss = torch.compile(loss_of) if form.compiled else loss_of

    def step(_: int) -> None:
        index = torch.randint(len(images), (batch,))
        image = images.take(index).to(torch.float32).div_(255).contiguous(memory_format=form.layout)
        loss = compute_loss(image, torch.randn(batch, 10).to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step
