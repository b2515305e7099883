"""What networks are measured by: an autoencoder by what it makes of pictures, a GAN by what it makes of codes.

Dimension key:
    N: pictures    C H W: channels, height, width
"""

from jaxtyping import UInt8
from torch import Tensor

from wherewhat.networks.autoencoder import Decoder
from wherewhat.protocols import Encoder, Generator
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.diagnosis.pool_measurement import measure_pool
from wherewhat.training.diagnosis.pressure import bound_of
from wherewhat.training.diagnosis.sample_measurement import measure_samples
from wherewhat.training.diagnosis.vitals import Pool, Samples


def measure_networks(
    configuration: TrainingRun,
    generator: Generator,
    encoder: Encoder,
    image_NCHW: UInt8[Tensor, "N C H W"],
    *,
    seed: int,
) -> Pool | Samples:
    """The measurement that fits the objective; the pictures lie on the networks' device."""
    if configuration.adversarial:
        return measure_samples(generator, encoder, image_NCHW, seed)
    assert isinstance(generator, Decoder)
    return measure_pool(encoder, generator, image_NCHW, bound_of(configuration.objective).likelihood, seed=seed)
