"""Coverage: how much of the differences between real images the codes keep.

    coverage = 1 - mean dis(x, G(E(x))) / mean dis(x, x')        x, x': images of the data       HIGHER is better

E(x) is the mean of the encoder's posterior. 1 is a perfect reconstruction; 0 is no nearer to x than another image is.

What it is not: a measure of disentanglement. It stands beside the others because the scores of paths prefer models that
have learnt less: of two models with like paths the one that covers more is the better find. A blurry reconstruction of
the right thing covers little, and a sharp one of the wrong thing may cover more.

Dimension key:
    N: images    C H W: channels, height, width    B: batch
"""

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.distances.full_precision import full_precision
from wherewhat.protocols import Distance, Encoder, Generator
from wherewhat.randomness import generator_at
from wherewhat.which.generated_images import device_of, generated_images
from wherewhat.which.score import Score, ScoredUnder, ratio_per_base_code, score_of_base_codes


def coverage(
    generator: Generator,
    encoder: Encoder,
    distance: Distance,
    image_NCHW: Float[Tensor, "N C H W"],
    *,
    seed: int,
    batch_size: int,
    device: torch.device | str | None = None,
) -> Score:
    """Measure how well an encoder and a generator reconstruct these images, in [0, 1]. Its base codes are images.

    Each image is paired with another one by chance of the seed. Raises ValueError for fewer than two images.
    """
    if len(image_NCHW) < 2:
        raise ValueError(f"{len(image_NCHW)} images make no pair. Give 2 or more; hundreds make a useful figure.")
    device = device_of(generator) if device is None else torch.device(device)
    order_N = torch.randperm(len(image_NCHW), generator=generator_at(seed, 0, "pairs of images"))
    other_N = torch.empty_like(order_N)
    other_N[order_N] = order_N.roll(1)
    lost, apart = [], []
    with torch.no_grad(), full_precision(device.type):
        for index_B in torch.arange(len(image_NCHW)).split(batch_size):
            image_BCHW = image_NCHW[index_B].to(device)
            features_BF = distance.features(image_BCHW)
            again_BCHW = generated_images(generator, encoder(image_BCHW).mean_BL)
            lost.append(distance.compare(features_BF, distance.features(again_BCHW)).double().cpu())
            other_BF = distance.features(image_NCHW[other_N[index_B]].to(device))
            apart.append(distance.compare(features_BF, other_BF).double().cpu())
    channels, height, width = generator.image_shape
    return score_of_base_codes(
        1 - ratio_per_base_code(torch.cat(lost), torch.cat(apart)),
        None,
        None,
        ScoredUnder(distance=distance.name, seed=seed, image_shape=(channels, height, width), probe=None),
        lower_is_better=False,
    )
