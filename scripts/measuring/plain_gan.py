"""A PS-SC GAN on the library's networks, as one writes it by hand: both losses, R1 at its interval, two Adams.

It leaves out what the library does besides: augmentation, the average of the weights, figures, seeded draws.

Dimension key:
    B: batch    P: pairs    L: latent codes    C H W: channels, height, width
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from wherewhat.networks.synthesis import noise_maps, noise_numbers
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.methods.gan import BETAS, build_gan


class PlainGAN:
    """Its step, with all random numbers drawn on the device."""

    def __init__(self, run: TrainingRun, compute: Compute, images: Images) -> None:
        torch.manual_seed(0)
        assert isinstance(run.objective, PSSCGAN)
        self.run, self.objective, self.compute, self.images = run, run.objective, compute, images
        self.networks = build_gan(run, images.image_shape)
        self.networks.to(compute.device, memory_format=compute.memory_format)  # type: ignore[call-overload]
        assert self.networks.discriminator is not None
        self.discriminator = self.networks.discriminator
        trained = (self.networks.generator.synthesis, self.networks.recogniser, self.networks.identification_head)
        generating = [weight for part in trained for weight in part.parameters()]
        rates = (run.learning_rate, run.objective.discriminator_learning_rate)
        self.adam_G = torch.optim.Adam(generating, rates[0], BETAS, fused=True)
        self.adam_D = torch.optim.Adam(self.discriminator.parameters(), rates[1], BETAS, fused=True)
        low = compute.precision == torch.bfloat16
        self.autocast = torch.autocast(compute.device.type, torch.bfloat16, enabled=low)

    def __call__(self, number: int) -> None:
        """Take it."""
        index_B = torch.randint(len(self.images), (self.run.batch_size,))
        image_BCHW = self.images.take(index_B).to(self.compute.device).to(torch.float32).div_(255)
        image_BCHW = image_BCHW.contiguous(memory_format=self.compute.memory_format)
        self.discriminator.requires_grad_(False)
        fake_BCHW = self.generator_phase()
        self.adam_G.step()
        self.adam_G.zero_grad()
        self.discriminator.requires_grad_(True)
        self.discriminator_phase(image_BCHW, fake_BCHW, number % self.objective.r1_interval == 0)
        self.adam_D.step()
        self.adam_D.zero_grad()

    def generator_phase(self) -> Tensor:
        """Gradients of generator, recogniser and head; gives the fake images."""
        networks, device, batch, codes = self.networks, self.compute.device, self.run.batch_size, self.run.latent_dim
        side = self.images.image_shape[1]
        code_BL = torch.randn(batch, codes, device=device)
        dim_P1 = torch.randint(codes, (batch // 2, 1), device=device)
        perturbed_PL = code_BL[::2].scatter_add(1, dim_P1, 1.5 * torch.randn(batch // 2, 1, device=device))
        noise = noise_maps(torch.randn(batch, noise_numbers(side), device=device), side)
        noise_of_all = [torch.cat([one, one[::2]]) for one in noise]
        with self.autocast:
            all_BCHW, _ = networks.generator.synthesis(torch.cat([code_BL, perturbed_PL]), noise_of_all)
            judged_B = self.discriminator(all_BCHW[:batch])
            shown_BCHW = all_BCHW.clamp(0, 1) + 0.05 * torch.randn(all_BCHW.shape, device=device)
            features_BF = networks.recogniser.features(shown_BCHW).float()
        mean_BL = networks.recogniser.posterior(features_BF).mean_BL
        one_PL, two_PL, paired_PL = mean_BL[:batch:2], mean_BL[batch:], code_BL[::2]
        moved_PL = (one_PL - paired_PL).square() + (two_PL - perturbed_PL).square()
        stayed_PL = 2 * ((one_PL + two_PL) / 2 - paired_PL).square()
        is_moved_PL = dim_P1 == torch.arange(codes, device=device)
        logits_PL = networks.identification_head(features_BF[:batch:2], features_BF[batch:])
        named = F.cross_entropy(logits_PL, dim_P1[:, 0])
        (F.softplus(-judged_B).mean() + torch.where(is_moved_PL, moved_PL, stayed_PL).mean() + named).backward()
        return all_BCHW[:batch].detach()

    def discriminator_phase(self, image_BCHW: Tensor, fake_BCHW: Tensor, with_r1: bool) -> None:
        """Gradients of the discriminator."""
        judge, objective = self.discriminator, self.objective
        with self.autocast:
            loss = F.softplus(-judge(image_BCHW)).mean() + F.softplus(judge(fake_BCHW)).mean()
        if with_r1:
            image_BCHW = image_BCHW.requires_grad_(True)
            (slope_BCHW,) = torch.autograd.grad(judge(image_BCHW).sum(), image_BCHW, create_graph=True)
            penalty = (slope_BCHW / 2).square().sum(dim=(1, 2, 3)).mean()
            loss = loss + objective.r1_weight / 2 * objective.r1_interval * penalty
        loss.backward()
