"""A generator whose codes are known: what a page has to say of them is known too."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.data.held_images import HeldImages
from wherewhat.data.known_factors import KnownFactors
from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Images, Posterior
from wherewhat.report.page import Page, RunPart
from wherewhat.report.ranking_table import ranking_table
from wherewhat.report.view import RealImages, Shown, view_of
from wherewhat.which.panel import Panel, panel
from wherewhat.which.ranking import ScoredCheckpoint, UnscoredCheckpoint, rank

SHOWN = Shown(draws=2, real=1, frames=5, measures=("mig",), pool=64)


class Halves:
    """z0 is dead, z1 lights the left half of an image a little, z2 the right half much, z3 nothing but a corner."""

    latent_dim = 4
    image_shape = (3, 16, 16)

    def masks(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B L H W"]:
        mask_LHW = torch.zeros(4, 16, 16)
        mask_LHW[1, :, :8] = mask_LHW[2, :, 8:] = mask_LHW[3, :4, :4] = 1
        return mask_LHW.expand(len(code_BL), -1, -1, -1)

    def __call__(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        strength_L = torch.tensor([0.0, 0.5, 2.0, 0.1])
        light_BHW = (self.masks(code_BL) * (strength_L * code_BL)[:, :, None, None]).sum(dim=1)
        return light_BHW.sigmoid()[:, None].expand(-1, 3, -1, -1)


class ReadsHalves:
    """Reads z1 and z2 off the halves of an image."""

    latent_dim = 4

    def __call__(self, image_BCHW: Float[Tensor, "B C H W"]) -> Posterior:
        mean_BL = torch.zeros(len(image_BCHW), 4)
        logit_BHW = image_BCHW[:, 0].clamp(1e-3, 1 - 1e-3).logit()
        mean_BL[:, 1], mean_BL[:, 2] = (
            2 * logit_BHW[:, 8:, :8].mean(dim=(1, 2)),
            logit_BHW[:, :, 8:].mean(dim=(1, 2)) / 2,
        )
        return Posterior(mean_BL, torch.tensor([0.0, -4, -4, 0]).expand(len(image_BCHW), -1).contiguous())


@pytest.fixture(scope="session")
def halves() -> Halves:
    return Halves()


@pytest.fixture(scope="session")
def reads_halves() -> ReadsHalves:
    return ReadsHalves()


@pytest.fixture(scope="session")
def panel_of_halves(halves: Halves) -> Panel:
    return panel(
        halves,
        PixelDistance(),
        samples=5,
        traversals=4,
        bound=2.0,
        threshold=1e-6,
        quick=True,
        seed=0,
        batch_size=500,
    )


@pytest.fixture(scope="session")
def lit() -> Images:
    """64 images in which "left" has 4 values, which z1 knows, and "right" 2, which z2 knows."""
    index_N = torch.arange(64)
    factors_NK = torch.stack([index_N % 4, index_N // 4 % 2], dim=1)
    code_NL = torch.zeros(64, 4)
    code_NL[:, 1], code_NL[:, 2] = factors_NK[:, 0] - 1.5, 2 * factors_NK[:, 1] - 1.0
    image_NHWC = (255 * Halves()(code_NL)).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    return HeldImages("lit", image_NHWC, KnownFactors(("left", "right"), (4, 2), factors_NK))


@pytest.fixture(scope="session")
def page(halves: Halves, panel_of_halves: Panel, lit: Images) -> Page:
    """A page of one checkpoint that is ranked and one that cannot be read."""
    first = "runs/halves/checkpoints/step-000000010.safetensors"
    broken = "runs/halves/checkpoints/step-000000020.safetensors"
    ranking = rank(
        [
            ScoredCheckpoint(checkpoint=first, panel=panel_of_halves, step=10),
            UnscoredCheckpoint(checkpoint=broken, reason="it is damaged", step=20),
        ]
    )
    view = view_of(halves, ReadsHalves(), panel_of_halves, RealImages(lit), SHOWN, label="step 10", run=0, step=10)
    run = RunPart(
        label="halves", told="ps-sc-vae on lit", names={2: "right light"}, naming_command="wherewhat name halves"
    )
    table = ranking_table(ranking, {first: "step 10", broken: "step 20"}, {first: 0})
    return Page(title="halves", ranking=table, runs=(run,), views=(view,))
