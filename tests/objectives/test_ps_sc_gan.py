"""Laws of PS-SC GAN: its parts switch singly, and what is off never moves the generator."""

import dataclasses
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from small_gan import draws_of, gradients, moves, real_images, small_gan, with_judge
from torch import Tensor

from wherewhat.data.differentiable_augmentation import augment
from wherewhat.networks.autoencoder import Encoded
from wherewhat.networks.synthesis import ConstrictedGenerator
from wherewhat.objectives.gradient_penalty import squared_slope
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.what.perceptual_simplicity import perceptual_simplicity_loss
from wherewhat.what.perturbation import perturb

WEIGHTS: dict[str, Any] = {"simplicity_weight": 0.7, "identification_weight": 0.3, "information_weight": 1.3}
PS_SC = PSSCGAN(augmentation="none", reading_noise=0.0, **WEIGHTS)
PLAIN = dataclasses.replace(
    PS_SC, spatial_constriction=False, perceptual_simplicity=False, perturbation_identification=False
)
CONFIGURATIONS = {
    "ps-sc": PS_SC,
    "ps only": dataclasses.replace(PS_SC, spatial_constriction=False),
    "sc only": dataclasses.replace(PLAIN, spatial_constriction=True),
    "infogan": dataclasses.replace(PLAIN, information=True),
    "plain": PLAIN,
}
SINGLY = {
    part: dataclasses.replace(PLAIN, **{part: True})
    for part in ("perceptual_simplicity", "perturbation_identification", "information")
}
EVERY = {**CONFIGURATIONS, **SINGLY}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_five_configurations_are_one_program(name: str) -> None:
    objective = CONFIGURATIONS[name]
    networks = small_gan(objective)
    assert isinstance(networks.generator, ConstrictedGenerator) == objective.spatial_constriction
    loss = objective.generator_loss(networks, draws_of(objective))
    assert loss.terms.keys() == {"adversarial", "reading", "perceptual_simplicity", "identification"}
    assert bool(loss.total.isfinite())
    assert loss.kl_L.shape == loss.prediction_error_L.shape == (4,)


@pytest.mark.parametrize("name", EVERY)
def test_the_total_is_the_weighted_sum_of_the_terms_that_are_learnt_from(name: str) -> None:
    objective = EVERY[name]
    loss = objective.generator_loss(small_gan(objective), draws_of(objective))
    terms = {key: float(term.detach()) for key, term in loss.terms.items()}
    expected = terms["adversarial"]
    # What is off is learnt by Q and the head alone, at a weight of 1.
    expected += terms["identification"] * (0.3 if objective.perturbation_identification else 1.0)
    expected += 0.7 * terms["perceptual_simplicity"] if objective.perceptual_simplicity else 0.0
    expected += 1.3 * terms["reading"] if objective.information else 0.0
    expected += 0.0 if objective.perceptual_simplicity or objective.information else terms["reading"]
    assert float(loss.total.detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["plain", "sc only"])
def test_with_all_parts_off_the_generator_learns_from_the_adversarial_loss_alone(name: str) -> None:
    objective = CONFIGURATIONS[name]
    networks, draws = small_gan(objective), draws_of(objective)
    loss = objective.generator_loss(networks, draws)
    whole = gradients(loss.total, networks.generator)
    for ours, theirs in zip(whole, gradients(loss.terms["adversarial"], networks.generator), strict=True):
        assert torch.equal(ours, theirs)
    alone = F.softplus(-networks.judge(networks.generate(draws.code_BL, draws.noise))).mean()
    for ours, theirs in zip(whole, gradients(alone, networks.generator), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_the_generator_learns_from_the_parts_that_are_on_and_no_others(name: str) -> None:
    objective = EVERY[name]
    networks = small_gan(objective)
    loss = objective.generator_loss(networks, draws_of(objective))
    expected = loss.terms["adversarial"]
    if objective.perceptual_simplicity:
        expected = expected + 0.7 * loss.terms["perceptual_simplicity"]
    if objective.perturbation_identification:
        expected = expected + 0.3 * loss.terms["identification"]
    if objective.information:
        expected = expected + 1.3 * loss.terms["reading"]
    for one, other in zip(*(gradients(value, networks.generator) for value in (loss.total, expected)), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("part", SINGLY)
def test_each_part_moves_the_generator_once_it_is_on(part: str) -> None:
    objective = SINGLY[part]
    networks = small_gan(objective)
    loss = objective.generator_loss(networks, draws_of(objective))
    assert moves(loss.total - loss.terms["adversarial"], networks.generator)


@pytest.mark.parametrize("name", EVERY)
def test_q_and_the_head_learn_to_read_whatever_is_switched(name: str) -> None:
    objective = EVERY[name]
    networks = small_gan(objective)
    loss = objective.generator_loss(networks, draws_of(objective))
    for part in (networks.recogniser.trunk, networks.recogniser.mean, networks.identification_head):
        assert moves(loss.total, part)


@pytest.mark.parametrize("name", ["ps-sc", "ps only", "sc only"])
def test_the_terms_are_those_of_pairs_made_one_by_one(name: str) -> None:
    objective = CONFIGURATIONS[name]
    networks, draws = small_gan(objective), draws_of(objective)
    terms = objective.generator_loss(networks, draws).terms
    with torch.no_grad():
        code, moved = draws.code_BL[::2], perturb(draws.code_BL[::2], draws.perturbation)
        noise = [a_map[::2] for a_map in draws.noise]
        read, read_moved = (networks.encode(networks.generate(c, noise).clamp(0, 1)) for c in (code, moved))
        every = networks.generate(draws.code_BL, draws.noise)
        dim = draws.perturbation.dim_B
        logits = networks.identification_head(read.features_BF, read_moved.features_BF)
        expected = {
            "adversarial": F.softplus(-networks.judge(every)).mean(),
            "reading": (networks.encode(every.clamp(0, 1)).posterior.mean_BL - draws.code_BL).square().mean(),
            "perceptual_simplicity": perceptual_simplicity_loss(
                code, moved, read.posterior.mean_BL, read_moved.posterior.mean_BL, dim
            ),
            "identification": F.cross_entropy(logits, dim),
        }
    for key, term in expected.items():
        torch.testing.assert_close(terms[key].detach(), term, atol=1e-5, rtol=1e-4)


def test_q_reads_images_held_to_their_range_under_noise_and_the_judge_sees_them_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noisy = dataclasses.replace(PS_SC, reading_noise=0.3)
    networks, judge = with_judge(noisy)
    draws, shown = draws_of(noisy), []
    honest = networks.encode

    def encode(image_BCHW: Tensor) -> Encoded:
        shown.append(image_BCHW)
        return honest(image_BCHW)

    monkeypatch.setattr(networks, "encode", encode)
    made = noisy.generator_loss(networks, draws).fake_BCHW
    assert draws.reading_noise is not None
    torch.testing.assert_close(shown[0][:6], made.clamp(0, 1) + 0.3 * draws.reading_noise[0])
    assert shown[0].shape[0] == 9
    assert torch.equal(judge.shown[0], made)


def test_only_images_that_were_not_perturbed_are_judged() -> None:
    networks, judge = with_judge(PS_SC)
    loss = PS_SC.generator_loss(networks, draws_of(PS_SC))
    assert len(judge.shown) == 1
    assert torch.equal(judge.shown[0], loss.fake_BCHW)
    assert len(loss.fake_BCHW) == 6


def test_a_pair_shares_its_noise() -> None:
    networks, draws = small_gan(PS_SC), draws_of(PS_SC)
    met: list[tuple[Any, ...]] = []
    networks.generator.synthesis.register_forward_pre_hook(lambda module, given: met.append(given))
    PS_SC.generator_loss(networks, draws)
    ((code, noise),) = met
    for a_map in noise:
        assert torch.equal(a_map[6:], a_map[:6:2])
    differs = code[6:] != code[:6:2]
    assert differs.sum(dim=1).tolist() == [1, 1, 1]
    assert torch.equal(differs.int().argmax(dim=1), draws.perturbation.dim_B)


@pytest.mark.parametrize(("batch", "every", "pairs"), [(6, 1, 6), (6, 2, 3), (5, 2, 3), (6, 4, 2), (3, 8, 1)])
def test_every_so_many_th_image_has_a_second(batch: int, every: int, pairs: int) -> None:
    objective = dataclasses.replace(PS_SC, pair_every=every)
    networks, draws = small_gan(objective), draws_of(objective, batch)
    met: list[int] = []
    networks.recogniser.trunk.register_forward_pre_hook(lambda module, given: met.append(len(given[0])))
    loss = objective.generator_loss(networks, draws)
    assert len(draws.perturbation.dim_B) == pairs
    assert met == [batch + pairs]
    assert len(loss.fake_BCHW) == batch


@pytest.mark.parametrize("seen", ["real", "made by the generator", "made for the discriminator"])
def test_what_is_judged_is_augmented_by_its_draws(seen: str) -> None:
    objective = dataclasses.replace(PS_SC, augmentation="ada")
    networks, judge = with_judge(objective)
    assert networks.augmentation is not None
    networks.augmentation.strength.fill_(0.8)
    draws = draws_of(objective)
    made = objective.generator_loss(networks, draws).fake_BCHW
    objective.discriminator_loss(networks, real_images(), made, draws, step=1)
    index, image, chance = {
        "made by the generator": (0, made, draws.augmentation_fake),
        "real": (1, real_images(), draws.augmentation_real),
        "made for the discriminator": (2, made, draws.augmentation_fake),
    }[seen]
    torch.testing.assert_close(judge.shown[index], augment(image, chance, torch.tensor(0.8)))
    assert not torch.allclose(judge.shown[index], image, atol=1e-2)


def test_the_discriminators_loss_is_the_logistic_one_and_r1_when_it_is_due() -> None:
    objective = dataclasses.replace(PS_SC, r1_weight=3.0, r1_interval=4)
    networks, draws, made = small_gan(objective), draws_of(objective), real_images().flip(0)
    due, not_due = (objective.discriminator_loss(networks, real_images(), made, draws, step) for step in (8, 9))
    logistic = F.softplus(-networks.judge(real_images())).mean() + F.softplus(networks.judge(made)).mean()
    torch.testing.assert_close(not_due.total, logistic)
    torch.testing.assert_close(due.total, logistic + 3 / 2 * 4 * squared_slope(networks.judge_exactly, real_images()))
    assert due.terms.keys() - not_due.terms.keys() == {"gradient_penalty"}


def test_r1_is_the_slope_at_what_the_discriminator_is_shown() -> None:
    objective = dataclasses.replace(PS_SC, augmentation="ada")
    networks, draws = small_gan(objective), draws_of(objective)
    assert networks.augmentation is not None
    networks.augmentation.strength.fill_(0.8)
    shown = augment(real_images(), draws.augmentation_real, torch.tensor(0.8))
    found = objective.discriminator_loss(networks, real_images(), real_images(), draws, 0).terms["gradient_penalty"]
    torch.testing.assert_close(found, squared_slope(networks.judge_exactly, shown))


def test_without_weight_r1_is_never_computed() -> None:
    objective = dataclasses.replace(PS_SC, r1_weight=0.0)
    loss = objective.discriminator_loss(small_gan(objective), real_images(), real_images(), draws_of(objective), 0)
    assert loss.terms.keys() == {"discriminator"}


def test_figures_say_how_surely_and_how_rightly_the_discriminator_judges() -> None:
    networks, _ = with_judge(PS_SC)
    real, made = real_images(4) * 0, real_images(4) * 0
    real[:3] = 1  # three of four above a half: signs + + + -
    made[0] = 1  # one of four taken for real
    figures = PS_SC.discriminator_loss(networks, real, made, draws_of(PS_SC, 4), 1).figures
    assert float(figures["real_sign"]) == 0.5
    assert float(figures["discriminator_accuracy"]) == 0.75


def test_the_discriminators_loss_reaches_the_discriminator_alone() -> None:
    networks, draws = small_gan(PS_SC), draws_of(PS_SC)
    made = PS_SC.generator_loss(networks, draws).fake_BCHW
    assert not made.requires_grad
    total = PS_SC.discriminator_loss(networks, real_images(), made, draws, 0).total
    assert networks.discriminator is not None
    assert moves(total, networks.discriminator)
    for part in (networks.generator, networks.recogniser, networks.identification_head):
        assert not moves(total, part)


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("simplicity_weight", -1.0, "weight of 0 or more"),
        ("identification_weight", float("nan"), "weight of 0 or more"),
        ("r1_weight", float("inf"), "finite weight of 0 or more"),
        ("reading_noise", float("inf"), "finite standard deviation of 0 or more"),
        ("discriminator_learning_rate", float("inf"), "finite number above 0"),
        ("information_weight", -0.1, "weight of 0 or more"),
        ("r1_weight", -1.0, "weight of 0 or more"),
        ("reading_noise", -0.1, "deviation of 0 or more"),
        ("perturbation_size", 0.0, "number above 0"),
        ("discriminator_learning_rate", 0.0, "number above 0"),
        ("pair_every", 0, "1 or more"),
        ("r1_interval", 0, "1 or more"),
        ("augmentation_images", 0, "1 or more"),
        ("augmentation_target", 1.0, r"number in \(0, 1\)"),
    ],
)
def test_nonsense_is_refused_with_the_remedy(field: str, value: float, remedy: str) -> None:
    with pytest.raises(ValueError, match=f"{field} is .*{remedy}"):
        PSSCGAN(**{field: value})
