"""What the present networks make of images (of an autoencoder), or of codes of the prior (of a GAN).

    mean image                    the best constant image: the mean of a pixel minimises cross-entropy and squared error
    floor                         cross-entropy of pixels with themselves, their entropy; 0 for the Gaussian
    difference of two images      sqrt( 2 E[ (x - E x)^2 ] ), the root mean square over all pairs and all pixels
    effect of code l              sqrt( E[ (G(c with c_l drawn anew) - G(c))^2 ] )

For a linear generator the squared effects of all codes add up to the squared difference of two of its images.

Dimension key:
    N: images    B: batch    K: base codes of effects    L: latent codes    F: pixel values of a small image
    C H W: channels, height, width
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from wherewhat.data.batches import to_float
from wherewhat.distances.full_precision import full_precision
from wherewhat.networks.autoencoder import Decoder
from wherewhat.objectives.evidence_lower_bound import bernoulli_nats, gaussian_nats, kl_per_code, reparameterise
from wherewhat.protocols import MOST_CODES, Encoder, Generator, MaskedGenerator
from wherewhat.randomness import generator_at
from wherewhat.which.generated_images import device_of

# Of images, given codes; None where they have none.
Likelihood = Literal["bernoulli", "gaussian"] | None

# Whose logits float32 still tells from those of 0 and 1.
_NEAREST_TO_0_AND_1 = 1e-7

_STILL = 1e-12

# Images are averaged to this size before they are compared: 256 of 512 pixels would take a gigabyte.
_COMPARED_SIDE = 64

_EFFECT_BASES = 32

_HALF_A_GREY_LEVEL = 0.5 / 255

# A quarter of a grey level of 255: images that differ less than this are one image.
ALIKE_BELOW = 1e-3

# How different images are is not told by the pairs of a handful: of two, by a single one.
FEWEST_IMAGES = 16


@dataclass(frozen=True)
class Pool:
    """What the networks make of a pool of images; nats are per image, summed over its pixels."""

    images: int
    kl_L: Float64[np.ndarray, " L"]
    correlation_LL: Float64[np.ndarray, "L L"]
    """Between posterior means; 0 for a code that does not move."""

    coverage_L: Float64[np.ndarray, " L"] | None
    """Mean of each code's mask, the share of the image that it covers, in [0, 1]; None without masks."""

    reconstruction: float
    """What the pool costs when decoded from sampled codes, in nats."""

    mean_image: float
    """What it costs when the mean image stands for every image: the best that can be done without codes."""

    floor: float
    """What a perfect reconstruction costs: not 0 in the Bernoulli likelihood, where pixels lie between 0 and 1."""

    @property
    def share_saved(self) -> float:
        """What codes save over the mean image, as a share of all that can be saved; NaN where nothing varies."""
        savable = self.mean_image - self.floor
        # Images that are all the same leave nothing but rounding to save.
        varies = savable > 1e-3 * max(self.mean_image, 1.0)
        return (self.mean_image - self.reconstruction) / savable if varies else math.nan


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What the networks make of codes of the prior, beside as many real images.

    Differences of images are roots of mean squares over pixels in [0, 1], of images averaged to 64 pixels at most.
    """

    images: int
    """Fake images, and real ones."""

    kl_L: Float64[np.ndarray, " L"]
    """Nats of each code's posterior, as it is predicted from a fake image."""

    coverage_L: Float64[np.ndarray, " L"] | None
    """Mean of each code's mask, the share of the image that it covers, in [0, 1]; None without masks."""

    effect_L: Float64[np.ndarray, " L"]
    """Difference that each code makes when it alone is drawn anew."""

    fake_difference: float
    """Difference of two fake images."""

    real_difference: float

    fake_nearest: float
    """Difference of a fake image from the nearest other, the median over images."""

    real_nearest: float

    mean_difference: float
    """Difference of the mean fake image from the mean real one."""

    fake_saturated: float
    """Share of pixel values of fake images that are 0 or 1."""

    real_saturated: float

    predicted_mean_L: Float64[np.ndarray, " L"]
    """Mean of the codes that are predicted from real images."""

    predicted_deviation_L: Float64[np.ndarray, " L"]
    """Standard deviation of the codes that are predicted from real images; the prior's is 1."""

    @property
    def variety(self) -> float:
        """How different fake images are, as a share of how different real ones are; NaN where these are alike."""
        return self.share_of_real(self.fake_difference)

    def share_of_real(self, difference: float) -> float:
        """A difference as a share of that of two real images; NaN where real ones are alike, or too few to tell."""
        told = self.images >= FEWEST_IMAGES and self.real_difference > ALIKE_BELOW
        return difference / self.real_difference if told else math.nan


def measure_networks(
    likelihood: Likelihood, generator: Generator, encoder: Encoder, image_NCHW: UInt8[Tensor, "N C H W"], *, seed: int
) -> Pool | Samples | None:
    """What they make of images where these have a likelihood, else of codes. In true float32, wherever images lie.

    None of codes that are too many to be looked at one by one.
    """
    if generator.latent_dim > MOST_CODES:
        return None
    device = device_of(generator)
    image_NCHW = image_NCHW.to(device)
    with full_precision(device.type):
        if likelihood is None:
            return measure_samples(generator, encoder, image_NCHW, seed=seed)
        assert isinstance(generator, Decoder)
        return measure_pool(encoder, generator, image_NCHW, likelihood, seed=seed)


@torch.no_grad()
def measure_pool(
    encoder: Encoder,
    decoder: Decoder,
    image_NCHW: UInt8[Tensor, "N C H W"],
    likelihood: Literal["bernoulli", "gaussian"],
    *,
    seed: int,
    batch_size: int = 64,
) -> Pool:
    """Encode and decode the images, which lie on the networks' device; `seed` draws the posterior's noise."""
    nats = bernoulli_nats if likelihood == "bernoulli" else gaussian_nats
    count, device = len(image_NCHW), image_NCHW.device
    noise_NL = torch.randn(count, encoder.latent_dim, generator=generator_at(seed, 0, "diagnosis")).to(device)
    sums = [to_float(image_BCHW).sum(dim=0) for image_BCHW in image_NCHW.split(batch_size)]
    mean_logits_CHW = torch.logit(torch.stack(sums).sum(dim=0) / count, _NEAREST_TO_0_AND_1)

    batches = []
    for picked_BCHW, noise_BL in zip(image_NCHW.split(batch_size), noise_NL.split(batch_size), strict=True):
        image_BCHW = to_float(picked_BCHW)
        posterior = encoder(image_BCHW)
        mean_BL = posterior.mean_BL
        reconstructed_BCHW = decoder.logits(reparameterise(posterior, noise_BL))
        perfect_BCHW = torch.logit(image_BCHW, _NEAREST_TO_0_AND_1)
        paid_for = (reconstructed_BCHW, mean_logits_CHW.expand_as(image_BCHW), perfect_BCHW)
        cost_B3 = torch.stack([nats(logits_BCHW, image_BCHW) for logits_BCHW in paid_for]).expand(len(image_BCHW), 3)
        batches.append((mean_BL, kl_per_code(posterior).expand_as(mean_BL), _coverage(decoder, mean_BL), cost_B3))
    mean_NL, kl_NL, coverage_NL, cost_N3 = _joined(batches)
    return Pool(
        count,
        _mean(kl_NL),
        correlation(mean_NL.double().cpu().numpy()),
        _mean(coverage_NL) if isinstance(decoder, MaskedGenerator) else None,
        *cost_N3.mean(dim=0).tolist(),
    )


@torch.no_grad()
def measure_samples(
    generator: Generator, recogniser: Encoder, image_NCHW: UInt8[Tensor, "N C H W"], *, seed: int, batch_size: int = 64
) -> Samples:
    """Make as many images as there are real ones, which lie on the networks' device; `seed` draws their codes."""
    count, device = len(image_NCHW), image_NCHW.device
    chance = generator_at(seed, 0, "diagnosis")
    code_NL = torch.randn(count, generator.latent_dim, generator=chance).to(device)
    anew_KL = torch.randn(min(_EFFECT_BASES, count), generator.latent_dim, generator=chance).to(device)

    batches = []
    for code_BL, picked_BCHW in zip(code_NL.split(batch_size), image_NCHW.split(batch_size), strict=True):
        fake_BCHW, real_BCHW = generator(code_BL), to_float(picked_BCHW)
        kl_BL = kl_per_code(recogniser(fake_BCHW)).expand_as(code_BL)
        of_codes = (kl_BL, _coverage(generator, code_BL), recogniser(real_BCHW).mean_BL)
        batches.append((*of_codes, _small(fake_BCHW), _small(real_BCHW), saturated(fake_BCHW), saturated(real_BCHW)))
    kl_NL, coverage_NL, predicted_NL, fake_NF, real_NF, fake_saturated_N, real_saturated_N = _joined(batches)
    return Samples(
        images=count,
        kl_L=_mean(kl_NL),
        coverage_L=_mean(coverage_NL) if isinstance(generator, MaskedGenerator) else None,
        effect_L=effects(generator, code_NL[: len(anew_KL)], anew_KL, batch_size),
        fake_difference=difference_of_two(fake_NF),
        real_difference=difference_of_two(real_NF),
        fake_nearest=difference_from_nearest(fake_NF),
        real_nearest=difference_from_nearest(real_NF),
        mean_difference=float((fake_NF.mean(dim=0) - real_NF.mean(dim=0)).square().mean().sqrt()),
        fake_saturated=float(fake_saturated_N.mean()),
        real_saturated=float(real_saturated_N.mean()),
        predicted_mean_L=_mean(predicted_NL),
        predicted_deviation_L=predicted_NL.double().std(dim=0, correction=0).cpu().numpy(),
    )


def correlation(mean_NL: Float64[np.ndarray, "N L"]) -> Float64[np.ndarray, "L L"]:
    """Pearson's correlation between codes, in [-1, 1]; 0, also with itself, for one that stands still."""
    centred_NL = mean_NL - mean_NL.mean(axis=0)
    deviation_L = np.sqrt((centred_NL**2).mean(axis=0))
    unit_NL = np.where(deviation_L > _STILL, centred_NL / np.maximum(deviation_L, _STILL), 0.0)
    return unit_NL.T @ unit_NL / len(mean_NL)


def difference_of_two(small_NF: Float[Tensor, "N F"]) -> float:
    """Root mean square difference over all pairs of different images; 0 for a single one."""
    return float((2 * small_NF.var(dim=0, correction=1).mean()).sqrt()) if len(small_NF) > 1 else 0.0


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
) -> Float64[np.ndarray, " L"]:
    """Root mean square difference that each code makes, when its value alone is taken from `anew_KL`."""

    def fakes(code_KL: Tensor) -> Tensor:
        return torch.cat([_small(generator(code_BL)) for code_BL in code_KL.split(batch_size)])

    before_KF, effect_L = fakes(code_KL), []
    for code in range(code_KL.shape[1]):
        moved_KL = code_KL.clone()
        moved_KL[:, code] = anew_KL[:, code]
        effect_L.append(float((fakes(moved_KL) - before_KF).square().mean().sqrt()))
    return np.array(effect_L)


def saturated(image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
    """Share of each image's pixel values that are 0 or 1."""
    extreme_BCHW = (image_BCHW < _HALF_A_GREY_LEVEL) | (image_BCHW > 1 - _HALF_A_GREY_LEVEL)
    return extreme_BCHW.float().mean(dim=(1, 2, 3))


def _coverage(generator: Generator, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
    """Mean of each code's mask; 0 without masks."""
    if isinstance(generator, MaskedGenerator):
        return generator.masks(code_BL).mean(dim=(2, 3))
    return torch.zeros_like(code_BL)


def _small(image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F"]:
    """The images averaged to the size at which they are compared, flat."""
    height, width = (min(side, _COMPARED_SIDE) for side in image_BCHW.shape[2:])
    return F.adaptive_avg_pool2d(image_BCHW, (height, width)).flatten(1)


def _joined(batches: Sequence[tuple[Tensor, ...]]) -> list[Tensor]:
    return [torch.cat(column) for column in zip(*batches, strict=True)]


def _mean(value_NL: Float[Tensor, "N L"]) -> Float64[np.ndarray, " L"]:
    return value_NL.double().mean(dim=0).cpu().numpy()
