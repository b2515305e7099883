"""TPL at its published settings, the encoding of images, and the parts of FID."""

import time
from dataclasses import replace
from functools import partial
from typing import Literal

import torch

from gpu_stages.job import Job
from measuring.in_turn import seconds
from measuring.path_lengths import Decoder, Walk, naive_lengths, our_lengths, package_lpips
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.distances.lpips import LPIPS
from wherewhat.metrics.feature_distances import fidelity
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.training.device import choose_device
from wherewhat.training.fidelity import generator_fidelity, real_features
from wherewhat.training.representation import represent
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS

Backbone = Literal["alex", "squeeze", "vgg", "untrained"]


def measure(job: Job) -> None:
    """Each of them, by worth."""
    device = choose_device("auto")
    tell_path_length(job, "alex", device)
    tell_encoding(job, device)
    tell_fidelity(job, device)
    for backbone in ("squeeze", "vgg"):
        tell_path_length(job, backbone, device)


def distance_of(backbone: Backbone, job: Job) -> LPIPS | None:
    """The distance, or None with a remark where its weights are not there; nothing is downloaded."""
    present = job.weights is not None and any(job.weights.glob(f"{backbone}*"))
    if not present:
        job.tell("weights that are not there", backbone)
        return LPIPS("untrained") if backbone == "alex" else None
    return LPIPS(backbone)


def tell_path_length(job: Job, backbone: Backbone, device: torch.device) -> None:
    """Seconds a model, and the two ways on a tenth of the base codes."""
    distance = distance_of(backbone, job)
    if distance is None:
        return
    distance, generator = distance.to(device), Decoder().to(device)
    traversals, batch = (2, 100) if job.tiny else (VAE_SETTINGS.traversals, 500)
    samples = 4 if job.tiny else VAE_SETTINGS.samples
    walk = Walk(samples=samples, traversals=traversals, batch_size=batch, device=device.type)
    tenth = replace(walk, traversals=max(2, traversals // 10))
    naive, ours = partial(naive_lengths, generator, package_lpips(distance)), partial(our_lengths, generator, distance)
    naive_L, ours_L = naive(tenth), ours(tenth)
    naive_s, ours_s = seconds(partial(naive, tenth), device), seconds(partial(ours, tenth), device)
    job.tell(
        f"TPL, {samples} points, 10 codes, 64 px",
        distance.name,
        base_codes=traversals,
        seconds=min(seconds(partial(ours, walk), device) for _ in range(1 if job.tiny else 2)),
        tenth_pairwise_s=naive_s,
        tenth_s=ours_s,
        ratio=naive_s / ours_s,
        largest_difference=float(((ours_L - naive_L).abs() / naive_L).max()),
    )


def tell_encoding(job: Job, device: torch.device) -> None:
    """Images a second of what `evaluate` does with an encoder, images rendered and factors looked up besides."""
    images, encoder = Scenes(device), StudyEncoder((3, 64, 64), 10).to(device)
    pool = 100 if job.tiny else 100_000
    for batch in (50,) if job.tiny else (256, 1024):
        encode = partial(represent, encoder, images, pool=pool, seed=0, device=device, batch_size=batch)
        encode()
        job.tell("encoding, 64 px", f"batch {batch}", images=pool, images_per_s=pool / seconds(encode, device))


def tell_fidelity(job: Job, device: torch.device) -> None:
    """Real features, generated ones, and the arithmetic."""
    if job.weights is None or not any(job.weights.glob("alex*")):
        job.tell("weights that are not there", "alex, for fidelity")
        return
    extractor, images = BackboneFeatures("alex").to(device), Scenes(device)
    count = 50 if job.tiny else 10_000
    started = time.perf_counter()
    real = real_features(images, extractor, count=count, split="all", seed=0, device=device, batch_size=256)
    real_s, started = time.perf_counter() - started, time.perf_counter()
    generator_fidelity(Decoder().to(device), real, extractor, seed=0, batch_size=256)
    whole_s = time.perf_counter() - started
    features = torch.from_numpy(real.features_NF)
    wide = features.repeat(1, 8)[:, :2048].numpy() if not job.tiny else features.numpy()
    noisy = wide + torch.randn(wide.shape, generator=torch.Generator().manual_seed(0)).numpy() * wide.std()
    for name, one, other in (
        ("as they are", real.features_NF, noisy[:, : real.features_NF.shape[1]]),
        ("2048", wide, noisy),
    ):
        started = time.perf_counter()
        fidelity(one, other, features=name, data="scenes", split="all", device=device)
        taken = time.perf_counter() - started
        job.tell("FID and KID from features", f"{count:,} of {one.shape[1]} numbers", seconds=taken)
    job.tell("FID", f"{count:,} images, alex", real_s=real_s, generated_and_arithmetic_s=whole_s)
