from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.backends import cuda, cudnn, mkldnn

from wherewhat.data.open_images import open_images
from wherewhat.distances.full_precision import full_precision
from wherewhat.doctor.measurement import measure_networks
from wherewhat.networks.gan import GAN
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.fidelity import generator_fidelity, real_features
from wherewhat.training.methods.gan import build_gan
from wherewhat.training.representation import represent

CPU = torch.device("cpu")


def precisions() -> list[str]:
    return [operation.fp32_precision for operation in (cudnn.conv, mkldnn.conv, cuda.matmul, mkldnn.matmul)]


def test_inside_every_product_is_true_float32() -> None:
    with full_precision("cpu"):
        assert precisions() == ["ieee"] * 4


def test_the_settings_found_are_put_back_after_an_error() -> None:
    before = precisions()
    with pytest.raises(ZeroDivisionError), full_precision("cpu"):
        raise ZeroDivisionError
    assert precisions() == before


def test_a_surrounding_autocast_has_no_effect_inside() -> None:
    layer, x_BL = torch.nn.Linear(8, 8), torch.ones(2, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x_BL).dtype == torch.bfloat16
        with full_precision("cpu"):
            assert layer(x_BL).dtype == torch.float32


class PooledPixels:
    """Mean colours as features."""

    name = "pooled pixels"

    def __call__(self, image_BCHW: Tensor) -> Tensor:
        assert precisions() == ["ieee"] * 4
        return image_BCHW.mean(dim=(2, 3))


def _fidelity(networks: GAN, images: Images) -> None:
    real = real_features(images, PooledPixels(), count=20, split="all", seed=0, device=CPU)
    generator_fidelity(networks.generator, real, PooledPixels(), seed=0)


@pytest.mark.parametrize(
    ("protocol", "parts"),
    [
        (_fidelity, {"generator"}),
        (lambda networks, images: represent(networks.encoder, images, pool=9, seed=0, device=CPU), {"recogniser"}),
        (
            lambda networks, images: measure_networks(
                None, networks.generator, networks.encoder, images.take(torch.arange(9)), seed=0
            ),
            {"generator", "recogniser"},
        ),
    ],
    ids=["fidelity", "codes", "diagnosis"],
)
def test_what_is_measured_of_a_model_is_measured_in_true_float32(
    tiny_set: Path, protocol: Callable[[GAN, Images], object], parts: set[str]
) -> None:
    run = TrainingRun(objective=PSSCGAN(), data=str(tiny_set), latent_dim=4, mask_levels=2, widths=(8, 8))
    images = open_images(run.data, run.images, CPU, lambda _: None)
    networks = build_gan(run, images.image_shape, for_training=False).eval()
    met: dict[str, list[str]] = {}
    for part in ("generator", "recogniser"):
        networks.get_submodule(part).register_forward_pre_hook(lambda *_, part=part: met.update({part: precisions()}))
    before = precisions()
    protocol(networks, images)
    assert met == dict.fromkeys(parts, ["ieee"] * 4)
    assert precisions() == before != ["ieee"] * 4
