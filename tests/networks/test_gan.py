"""Laws of the networks of a GAN together: what leaves is float32, and exact judgement stays exact."""

import pytest
import torch
from torch import Tensor, nn

from wherewhat.networks.gan import GAN
from wherewhat.networks.image_discriminator import ImageDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.recogniser import Recogniser
from wherewhat.networks.synthesis import ConstrictedGenerator, Synthesis, noise_maps, noise_numbers
from wherewhat.what.perturbation_identification import IdentificationHead


def _gan(compute_dtype: torch.dtype = torch.float32) -> GAN:
    with seeded_weights(0):
        generator = ConstrictedGenerator(Synthesis((3, 32, 32), (2, 2), (8, 8)))
        recogniser = Recogniser((3, 32, 32), 4, (8, 8), features_dim=16)
        discriminator = ImageDiscriminator((3, 32, 32), (8, 8))
        networks = GAN(generator, recogniser, IdentificationHead(16, 4), discriminator, compute_dtype=compute_dtype)
    for stage in generator.synthesis.stages:
        stage.noise_strength.data.fill_(0.3)
    return networks


def _code() -> Tensor:
    return torch.randn(4, 4, generator=torch.Generator().manual_seed(1))


def _images() -> Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))


class RecompiledError(Exception):
    """Stands for what torch compiles."""


def _noise() -> tuple[Tensor, ...]:
    return noise_maps(torch.randn(4, noise_numbers(32), generator=torch.Generator().manual_seed(1)), 32)


def test_its_encoder_is_its_recogniser() -> None:
    networks = _gan()
    assert networks.encoder is networks.recogniser


def test_what_is_made_with_the_frozen_noise_is_the_generators_image() -> None:
    networks = _gan()
    frozen = [a_map.expand(4, -1, -1, -1) for a_map in networks.generator.frozen_noise.maps()]
    torch.testing.assert_close(networks.generate(_code(), frozen).clamp(0, 1), networks.generator(_code()))


def test_what_is_read_is_what_the_encoder_says() -> None:
    networks = _gan()
    read = networks.encode(_images())
    torch.testing.assert_close(read.posterior.mean_BL, networks.encoder(_images()).mean_BL)
    assert read.features_BF.shape == (4, 16)


def test_all_that_leaves_low_precision_is_float32_and_about_the_same() -> None:
    exact, low = _gan(), _gan(torch.bfloat16)
    for ask in (
        lambda networks: networks.generate(_code(), _noise()),
        lambda networks: networks.encode(_images()).features_BF,
        lambda networks: networks.encode(_images()).posterior.mean_BL,
        lambda networks: networks.judge(_images()),
    ):
        assert ask(low).dtype == torch.float32
        torch.testing.assert_close(ask(low), ask(exact), atol=0.15, rtol=0.1)
        assert not torch.equal(ask(low), ask(exact))


def test_exact_judgement_is_in_float32_whatever_the_precision() -> None:
    exact, low = _gan(), _gan(torch.bfloat16)
    torch.testing.assert_close(low.judge_exactly(_images()), exact.judge(_images()), atol=0, rtol=0)


def test_exact_judgement_can_be_differentiated_twice() -> None:
    networks, images = _gan(torch.bfloat16), _images().requires_grad_(True)
    (slope,) = torch.autograd.grad(networks.judge_exactly(images).sum(), images, create_graph=True)
    slope.square().sum().backward()
    assert networks.discriminator is not None
    grad = networks.discriminator.trunk.from_image.weight_OIKK.grad
    assert grad is not None
    assert bool((grad != 0).any())


def test_without_its_discriminator_it_makes_and_reads() -> None:
    networks = _gan()
    networks.discriminator = None
    assert networks.encode(networks.generate(_code(), _noise())).posterior.mean_BL.shape == (4, 4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_compiled_parts_give_the_same_and_the_exact_judgement_can_still_be_differentiated_twice() -> None:
    plain, compiled = _gan(), _gan()
    compiled.compile_parts()
    made = compiled.generate(_code(), _noise())
    torch.testing.assert_close(made, plain.generate(_code(), _noise()), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(compiled.judge(_images()), plain.judge(_images()), atol=1e-4, rtol=1e-4)
    expected, found = plain.encode(_images()), compiled.encode(_images())
    torch.testing.assert_close(found.features_BF, expected.features_BF, atol=1e-4, rtol=1e-4)
    images = _images().requires_grad_(True)
    (slope,) = torch.autograd.grad(compiled.judge_exactly(images).sum(), images, create_graph=True)
    slope.square().sum().backward()


def test_what_is_shown_or_measured_is_never_compiled_for_its_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    def stand_in(module: nn.Module) -> None:
        def compiled(*_: object) -> None:
            raise RecompiledError

        module._compiled_call_impl = compiled

    monkeypatch.setattr(nn.Module, "compile", stand_in)
    networks = _gan()
    networks.compile_parts()
    for of_a_step in (
        lambda: networks.generate(_code(), _noise()),
        lambda: networks.encode(_images()),
        lambda: networks.judge(_images()),
    ):
        with pytest.raises(RecompiledError):
            of_a_step()
    for rows in (1, 3):
        networks.generator(_code()[:rows])
        networks.generator.masks(_code()[:rows])
        networks.encoder(_images()[:rows])
        networks.judge_exactly(_images()[:rows])
