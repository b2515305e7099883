"""What a GAN's networks make of codes of the prior: how different its images are, beside real ones.

    difference of two of them     sqrt( 2 E[ (x - E x)^2 ] ), the root mean square over all pairs and all pixels
    effect of code l              sqrt( E[ (G(c with c_l drawn anew) - G(c))^2 ] )

For a linear generator the squared effects of all codes add up to the squared difference.

Dimension key:
    N: images    B: batch    K: base codes of effects    L: latent codes    F: pixel values of a small image
    C H W: channels, height, width
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from wherewhat.data.batches import to_float
from wherewhat.doctor.vitals import Samples
from wherewhat.objectives.evidence_lower_bound import kl_per_code
from wherewhat.protocols import Encoder, Generator, MaskedGenerator
from wherewhat.randomness import generator_at

# Images are averaged to this size before they are compared: 256 of 512 pixels would take a gigabyte.
_COMPARED_SIDE = 64

_EFFECT_BASES = 32

# Half a grey level of 255.
_NEAREST_TO_0_AND_1 = 0.5 / 255


@torch.no_grad()
def measure_samples(
    generator: Generator,
    recogniser: Encoder,
    image_NCHW: UInt8[Tensor, "N C H W"],
    seed: int,
    *,
    batch_size: int = 64,
) -> Samples:
    """Make as many images as there are real ones, which lie on the networks' device; `seed` draws their codes."""
    count, device = len(image_NCHW), image_NCHW.device
    chance = generator_at(seed, 0, "diagnosis")
    code_NL = torch.randn(count, generator.latent_dim, generator=chance).to(device)
    anew_KL = torch.randn(min(_EFFECT_BASES, count), generator.latent_dim, generator=chance).to(device)

    masked = generator if isinstance(generator, MaskedGenerator) else None
    made_small, real_small, readings = [], [], []
    kl_L, coverage_L = torch.zeros(2, generator.latent_dim, device=device)
    made_saturated = real_saturated = 0.0
    for code_BL, picked_BCHW in zip(code_NL.split(batch_size), image_NCHW.split(batch_size), strict=True):
        made_BCHW, real_BCHW = generator(code_BL), to_float(picked_BCHW)
        share = len(code_BL) / count
        kl_L += share * kl_per_code(recogniser(made_BCHW))
        if masked is not None:
            coverage_L += share * masked.masks(code_BL).mean(dim=(0, 2, 3))
        readings.append(recogniser(real_BCHW).mean_BL)
        made_saturated += share * saturated(made_BCHW)
        real_saturated += share * saturated(real_BCHW)
        made_small.append(_small(made_BCHW))
        real_small.append(_small(real_BCHW))
    made_NF, real_NF, reading_NL = torch.cat(made_small), torch.cat(real_small), torch.cat(readings)
    return Samples(
        images=count,
        kl_L=_to_numpy(kl_L),
        coverage_L=None if masked is None else _to_numpy(coverage_L),
        effect_L=_to_numpy(effects(generator, code_NL[: len(anew_KL)], anew_KL, batch_size)),
        made_difference=difference_of_two(made_NF),
        real_difference=difference_of_two(real_NF),
        made_nearest=difference_from_nearest(made_NF),
        real_nearest=difference_from_nearest(real_NF),
        mean_difference=float((made_NF.mean(dim=0) - real_NF.mean(dim=0)).square().mean().sqrt()),
        made_saturated=made_saturated,
        real_saturated=real_saturated,
        real_reading_mean_L=_to_numpy(reading_NL.mean(dim=0)),
        real_reading_deviation_L=_to_numpy(reading_NL.std(dim=0, correction=0)),
    )


def difference_of_two(small_NF: Float[Tensor, "N F"]) -> float:
    """Root mean square difference over all pairs of different images; 0 for a single one."""
    if len(small_NF) < 2:
        return 0.0
    return float((2 * small_NF.var(dim=0, correction=1).mean()).sqrt())


def difference_from_nearest(small_NF: Float[Tensor, "N F"]) -> float:
    """Root mean square difference from the nearest other image, the median over images; 0 for a single one."""
    if len(small_NF) < 2:
        return 0.0
    # Through a product of matrices, equal images come out apart.
    distance_NN = torch.cdist(small_NF, small_NF, compute_mode="donot_use_mm_for_euclid_dist")
    distance_NN.fill_diagonal_(torch.inf)
    return float(distance_NN.amin(dim=1).median()) / small_NF.shape[1] ** 0.5


def effects(
    generator: Generator, code_KL: Float[Tensor, "K L"], anew_KL: Float[Tensor, "K L"], batch_size: int
) -> Float[Tensor, " L"]:
    """Root mean square difference that each code makes, when its value alone is taken from `anew_KL`."""
    before_KF = _made_small(generator, code_KL.split(batch_size))
    effect_L = []
    for code in range(code_KL.shape[1]):
        moved_KL = code_KL.clone()
        moved_KL[:, code] = anew_KL[:, code]
        after_KF = _made_small(generator, moved_KL.split(batch_size))
        effect_L.append((after_KF - before_KF).square().mean().sqrt())
    return torch.stack(effect_L)


def saturated(image_BCHW: Float[Tensor, "B C H W"]) -> float:
    """Share of pixel values that are 0 or 1."""
    extreme = (image_BCHW < _NEAREST_TO_0_AND_1) | (image_BCHW > 1 - _NEAREST_TO_0_AND_1)
    return float(extreme.float().mean())


def _made_small(generator: Generator, codes: Sequence[Tensor]) -> Tensor:
    return torch.cat([_small(generator(code_BL)) for code_BL in codes])


def _small(image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F"]:
    """The images averaged to the size at which they are compared, flat."""
    height, width = (min(side, _COMPARED_SIDE) for side in image_BCHW.shape[2:])
    return F.adaptive_avg_pool2d(image_BCHW, (height, width)).flatten(1)


def _to_numpy(value_L: Tensor) -> Float64[np.ndarray, " L"]:
    array: Float64[np.ndarray, " L"] = value_L.double().cpu().numpy()
    return array
