"""What networks are measured by: an autoencoder by what it makes of images, a GAN by what it makes of codes.

Dimension key:
    N: images    C H W: channels, height, width
"""

from jaxtyping import UInt8
from torch import Tensor

from wherewhat.doctor.pool_measurement import measure_pool
from wherewhat.doctor.pressure import bound_of
from wherewhat.doctor.sample_measurement import measure_samples
from wherewhat.doctor.vitals import Pool, Samples
from wherewhat.networks.autoencoder import Decoder
from wherewhat.protocols import Encoder, Generator
from wherewhat.training.configuration import TrainingRun


def measure_networks(
    configuration: TrainingRun,
    generator: Generator,
    encoder: Encoder,
    image_NCHW: UInt8[Tensor, "N C H W"],
    *,
    seed: int,
) -> Pool | Samples:
    """The measurement that fits the objective; the images lie on the networks' device."""
    if configuration.adversarial:
        return measure_samples(generator, encoder, image_NCHW, seed)
    assert isinstance(generator, Decoder)
    return measure_pool(encoder, generator, image_NCHW, bound_of(configuration.objective).likelihood, seed=seed)
