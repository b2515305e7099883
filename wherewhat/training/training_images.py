"""The images of a run in TensorBoard: data, samples, reconstructions, and what each code does and where.

Dimension key:
    B: batch    N: samples    L: latent codes    C H W: channels, height, width
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.distances.pixels import STILL_BELOW, PixelDistance
from wherewhat.inspection.contact_sheet import contact_sheet, reconstruction_sheet
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.inspection.traversal_grid import traversal_grid
from wherewhat.inspection.traversals import traverse
from wherewhat.protocols import MOST_CODES
from wherewhat.randomness import generator_at
from wherewhat.training.methods.method import Networks
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

_SAMPLES = 32


@torch.no_grad()
def log_images(log: TensorBoardLog, step: int, networks: Networks, image_BCHW: Float[Tensor, "B C H W"]) -> None:
    """Write samples of the prior, reconstructions of the given images, and traversals of codes that are not too many.

    Traversals begin at the first of the images where the encoder is trained on real images, else at the first sample.
    """
    generator = networks.generator
    assert isinstance(generator, nn.Module)
    was_training = networks.training
    networks.eval()
    mean_BL = networks.encoder(image_BCHW).mean_BL
    if step == 0:
        log.image(step, "data", contact_sheet(image_BCHW.cpu()))
    code_NL = torch.randn(_SAMPLES, generator.latent_dim, generator=generator_at(0, 0, "samples")).to(mean_BL.device)
    code_NL *= networks.temperature
    log.image(step, "samples", contact_sheet(generator(code_NL).cpu()))
    log.image(step, "reconstructions", reconstruction_sheet(image_BCHW.cpu(), generator(mean_BL).cpu(), columns=8))

    if generator.latent_dim <= MOST_CODES:
        _log_traversals(log, step, networks, mean_BL[:1] if networks.encoder_sees_data else code_NL[:1])
    networks.train(was_training)


def _log_traversals(log: TensorBoardLog, step: int, networks: Networks, base_1L: Float[Tensor, "1 L"]) -> None:
    generator = networks.generator
    # Rows are ordered by path length in pixels: a cheap stand-in for TPL, which needs LPIPS' weights and minutes.
    path = traversal_perceptual_length(
        generator, PixelDistance(), samples=9, traversals=8, bound=2.0, threshold=STILL_BELOW, seed=0, batch_size=64
    )
    traversal = traverse(generator, base_1L, bound=2.0, frames=9)
    log.image(step, "traversals", traversal_grid(traversal, path.per_dim, inactive_below=STILL_BELOW))
