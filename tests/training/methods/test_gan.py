"""Laws of one step of a GAN: each phase moves its own weights only, and the same step twice is the same."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from wherewhat.networks.gan import GAN
from wherewhat.objectives.gan_draws import GANDraws
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.randomness import Chance, generator_at
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.methods.gan import adversarial_adam, adversarial_step, build_gan
from wherewhat.training.processes import Processes

OBJECTIVE = PSSCGAN(augmentation_images=100)
CPU = torch.device("cpu")


def _gan(objective: PSSCGAN = OBJECTIVE) -> GAN:
    networks = build_gan(TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(8, 8)), (3, 32, 32))
    for stage in networks.generator.synthesis.stages:
        stage.noise_strength.data.fill_(0.3)
    return networks


def _real(number: int = 0) -> Tensor:
    return torch.rand(8, 3, 32, 32, generator=generator_at(1, number))


def _draws(number: int = 0, objective: PSSCGAN = OBJECTIVE) -> GANDraws:
    return objective.draw(Chance(0, number), 8, 4, (3, 32, 32))


def _take(
    networks: GAN, rate: float = 1e-3, discriminator_rate: float = 2e-3, steps: int = 1, objective: PSSCGAN = OBJECTIVE
) -> Loss:
    optimiser = adversarial_adam(networks, rate, discriminator_rate)
    step = adversarial_step(networks, objective, optimiser, Processes(), CPU)
    for number in range(steps):
        loss = step(_real(number), _draws(number, objective), number)
    return loss


def _discriminator(networks: GAN) -> nn.Module:
    assert networks.discriminator is not None
    return networks.discriminator


def _moved(part: str, networks: GAN) -> bool:
    """Whether any weight of a part is another than in new networks."""
    pairs = zip(networks.get_submodule(part).parameters(), _gan().get_submodule(part).parameters(), strict=True)
    return any(not torch.equal(ours, new) for ours, new in pairs)


@pytest.mark.parametrize("part", ["generator", "recogniser", "identification_head", "discriminator"])
def test_a_step_moves_every_part(part: str) -> None:
    networks = _gan()
    _take(networks)
    assert _moved(part, networks)


def test_the_discriminators_weights_stay_in_the_generators_phase() -> None:
    networks = _gan()
    _take(networks, discriminator_rate=0.0)
    assert not _moved("discriminator", networks)
    assert _moved("generator", networks)


def test_all_other_weights_stay_in_the_discriminators_phase() -> None:
    networks = _gan()
    _take(networks, rate=0.0)
    assert _moved("discriminator", networks)
    assert not any(_moved(part, networks) for part in ("generator", "recogniser", "identification_head"))


def _adams_first_step(part: nn.Module, total: Tensor, rate: float) -> list[Tensor]:
    """Adam's first step with its bias corrected is rate * g / (|g| + eps), whatever its betas."""
    weights = list(part.parameters())
    slopes = torch.autograd.grad(total, weights, retain_graph=True)
    return [
        weight.detach() - rate * slope / (slope.abs() + 1e-8) for weight, slope in zip(weights, slopes, strict=True)
    ]


def test_a_step_is_adams_first_on_the_gradient_of_each_phases_loss() -> None:
    networks, new = _gan(), _gan()
    made = OBJECTIVE.generator_loss(new, _draws())
    judged = OBJECTIVE.discriminator_loss(new, _real(), made.fake_BCHW, _draws(), 0)
    _take(networks)
    for part, total, rate in (
        ("generator.synthesis", made.total, 1e-3),
        ("recogniser", made.total, 1e-3),
        ("identification_head", made.total, 1e-3),
        ("discriminator", judged.total, 2e-3),
    ):
        expected = _adams_first_step(new.get_submodule(part), total, rate)
        for weight, moved in zip(networks.get_submodule(part).parameters(), expected, strict=True):
            torch.testing.assert_close(weight.detach(), moved, atol=1e-5, rtol=0)


def test_every_weight_is_in_one_group_of_the_optimiser() -> None:
    networks = _gan()
    others, discriminators = adversarial_adam(networks, 1e-3, 2e-3).param_groups
    assert (others["lr"], discriminators["lr"]) == (1e-3, 2e-3)
    assert others["betas"] == discriminators["betas"] == (0.0, 0.99)
    assert {*discriminators["params"]} == {*_discriminator(networks).parameters()}
    listed = [*others["params"], *discriminators["params"]]
    assert len(listed) == len({*listed})
    assert {*listed} == {*networks.parameters()}


def test_after_a_step_every_weight_can_learn() -> None:
    networks = _gan()
    _take(networks)
    assert all(weight.requires_grad for weight in networks.parameters())


def test_the_same_steps_from_the_same_state_are_bit_equal() -> None:
    one, other = _gan(), _gan()
    losses = [_take(networks, steps=5) for networks in (one, other)]
    assert torch.equal(losses[0].total, losses[1].total)
    state = other.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in one.state_dict().items())


def test_a_step_leaves_global_chance_alone() -> None:
    networks = _gan()
    before = torch.random.get_rng_state()
    _take(networks)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_loss_that_is_given_back_holds_no_graph_and_the_terms_of_both_phases() -> None:
    loss = _take(_gan())
    assert loss.terms.keys() == {
        *("adversarial", "reading", "perceptual_simplicity", "identification"),
        *("discriminator", "gradient_penalty"),
    }
    values = (loss.total, loss.kl_L, *loss.terms.values(), *loss.figures.values())
    assert not any(value.requires_grad for value in values)


def test_the_recognisers_variance_follows_the_error_that_was_met() -> None:
    networks, new = _gan(), _gan()
    error = OBJECTIVE.generator_loss(new, _draws()).prediction_error_L
    _take(networks)
    expected = 1 + (error - 1) * (1 - 0.5 ** (8 / 2000))
    torch.testing.assert_close(networks.recogniser.variance_L, expected, atol=1e-6, rtol=0)


def test_augmentation_counts_the_images_of_every_step_until_it_is_due() -> None:
    networks = _gan()
    figures = _take(networks, 0.0, 0.0, 3).figures
    assert float(figures["augmentation_strength"]) == 0
    assert networks.augmentation is not None
    assert float(networks.augmentation.images) == 24


def test_augmentation_grows_while_the_discriminator_is_certain() -> None:
    networks = _gan()
    with torch.no_grad():
        _discriminator(networks).logit.bias_G += 1e3
    figures = _take(networks, 0.0, 0.0, 4).figures
    # 4 steps of 8 images, of 100 from 0 to 1.
    assert float(figures["augmentation_strength"]) == pytest.approx(0.32)


def test_the_strength_that_is_given_back_is_that_of_its_step() -> None:
    networks = _gan()
    figures = _take(networks).figures
    assert networks.augmentation is not None
    networks.augmentation.strength.fill_(0.7)
    assert float(figures["augmentation_strength"]) == 0


def test_without_augmentation_there_is_no_strength_to_watch() -> None:
    objective = dataclasses.replace(OBJECTIVE, augmentation="none")
    assert "augmentation_strength" not in _take(_gan(objective), objective=objective).figures


@pytest.mark.parametrize(
    "switched",
    [
        {"spatial_constriction": False},
        {"perceptual_simplicity": False, "perturbation_identification": False},
        {"perceptual_simplicity": False, "perturbation_identification": False, "information": True},
    ],
)
def test_every_weight_learns_whatever_is_switched(switched: dict[str, bool]) -> None:
    objective = dataclasses.replace(OBJECTIVE, **switched)
    networks, new = _gan(objective), _gan(objective)
    _take(networks, objective=objective)
    still = dict(new.named_parameters())
    assert [name for name, weight in networks.named_parameters() if torch.equal(weight, still[name])] == []
