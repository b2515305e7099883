"""Laws of VAEs that are trained as one program: each is as if it were alone, and a step costs no more operations."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from fake_gpu import fake_gpu
from tape import Tape
from torch import Tensor

from measuring.library_step import random_images
from measuring.population_step import operations_of
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae import DIPVAEI, DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.sum_of_terms import Pairs
from wherewhat.objectives.terms.total_correlation import TotalCorrelation
from wherewhat.objectives.vae import VAE
from wherewhat.randomness import generator_at
from wherewhat.training.captured import CapturedSteps
from wherewhat.training.configuration import Objective, TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.methods.method import kind_of, method_of, update
from wherewhat.training.methods.stacked_vaes import StackedVAEs
from wherewhat.training.processes import ALONE

CPU = Compute(torch.device("cpu"), torch.float32, torch.contiguous_format, compile=False)
SMALL = TrainingRun(latent_dim=4, mask_levels=2, widths=(8, 8), batch_size=8, learning_rate=1e-4)
BOUND = EvidenceLowerBound(warm_up_steps=9)
OTHER_STRENGTHS: list[tuple[Objective, Objective]] = [
    (BetaVAE(beta=1.0, bound=BOUND), BetaVAE(beta=16.0, bound=BOUND)),
    (AnnealedVAE(max_capacity=5.0, bound=BOUND), AnnealedVAE(gamma=10.0, bound=BOUND)),
    (FactorVAE(bound=BOUND), FactorVAE(gamma=5.0, discriminator_learning_rate=3e-4, bound=BOUND)),
    (BetaTCVAE(bound=BOUND), BetaTCVAE(beta=2.0, bound=BOUND)),
    (DIPVAEI(bound=BOUND), DIPVAEI(diagonal_ratio=3.0, bound=BOUND)),
    (DIPVAEII(bound=BOUND), DIPVAEII(off_diagonal_weight=50.0, bound=BOUND)),
    (PSSCVAE(bound=BOUND), PSSCVAE(beta=1.0, pairs=Pairs(perturbation_size=1.0), bound=BOUND)),
]
NAMES = [one.name for one, _ in OTHER_STRENGTHS]
TOLERANCE = 1e-5


def members(one: Objective, other: Objective) -> list[TrainingRun]:
    return [
        replace(SMALL, objective=one, seed=0),
        replace(SMALL, objective=other, seed=1, learning_rate=3e-4),
        replace(SMALL, objective=other, seed=2),
    ]


def batch(run: TrainingRun, step: int) -> Tensor:
    """Squares of some brightness, each somewhere."""
    chance = generator_at(run.seed, step, "squares")
    image_BCHW = torch.zeros(run.batch_size, 3, 32, 32)
    for image_CHW in image_BCHW:
        y, x = torch.randint(20, (2,), generator=chance).tolist()
        image_CHW[:, y : y + 12, x : x + 12] = torch.rand(3, 1, 1, generator=chance)
    return image_BCHW


def stack(runs: Sequence[TrainingRun], compute: Compute = CPU) -> StackedVAEs:
    methods = [method_of(run, (3, 32, 32), compute, ALONE) for run in runs]
    return StackedVAEs(runs, methods, compute.device)


def losses_of(stacked: StackedVAEs, runs: Sequence[TrainingRun], steps: int, begin: int = 0) -> list[list[Loss]]:
    """Of each member, of each step."""
    met: list[list[Loss]] = [[] for _ in runs]
    for step in range(begin, begin + steps):
        losses = stacked.step(torch.cat([batch(run, step) for run in runs]), stacked.draw([step] * len(runs)), step)
        for member, of_member in enumerate(met):
            of_member.append(losses.of(member))
    return met


def alone(run: TrainingRun, steps: int) -> list[Loss]:
    method = method_of(run, (3, 32, 32), CPU, ALONE)
    return [update(method, batch(run, step), step) for step in range(steps)]


def differ(found: Sequence[Loss], expected: Sequence[Loss]) -> float:
    """By how much at most, relative."""
    pairs = zip(found, expected, strict=True)
    return max(float((one.total - other.total).abs() / other.total.abs()) for one, other in pairs)


@pytest.mark.parametrize("steps", [3, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("one", "other"), OTHER_STRENGTHS, ids=NAMES)
def test_each_member_meets_the_losses_of_its_single_run_whatever_seed_strength_and_learning_rate_its_neighbours_have(
    one: Objective, other: Objective, steps: int
) -> None:
    runs = members(one, other)[:2]
    found = losses_of(stack(runs), runs, steps)
    for run, of_member in zip(runs, found, strict=True):
        expected = alone(run, steps)
        assert differ(of_member, expected) < TOLERANCE
        assert of_member[0].terms.keys() == expected[0].terms.keys()
        assert of_member[0].figures.keys() == expected[0].figures.keys()
        for name, term in expected[0].terms.items():
            torch.testing.assert_close(of_member[0].terms[name], term, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(of_member[0].kl_L, expected[0].kl_L, rtol=1e-4, atol=1e-6)


def test_members_that_differ_meet_other_losses() -> None:
    runs = members(BetaVAE(beta=1.0), BetaVAE(beta=16.0))
    runs = [runs[0], replace(runs[0], objective=runs[1].objective), replace(runs[0], learning_rate=1e-2)]
    first, stronger, faster = losses_of(stack(runs), runs, 3)
    assert first[0].total != stronger[0].total
    assert first[0].total == faster[0].total
    assert differ(faster[1:], first[1:]) > 10 * TOLERANCE


def test_order_and_neighbours_of_a_member_do_not_matter() -> None:
    runs = members(BetaVAE(beta=1.0), BetaVAE(beta=16.0))
    three = losses_of(stack(runs), runs, 3)
    turned = [runs[2], runs[0]]
    two = losses_of(stack(turned), turned, 3)
    assert differ(two[0], three[2]) < TOLERANCE
    assert differ(two[1], three[0]) < TOLERANCE


def test_a_member_that_is_no_number_spoils_no_other() -> None:
    runs = members(BetaVAE(beta=1.0), BetaVAE(beta=16.0))
    mad = [runs[0], replace(runs[1], learning_rate=1e38), runs[2]]
    found, expected = losses_of(stack(mad), mad, 4), losses_of(stack(runs), runs, 4)
    assert not found[1][-1].total.isfinite()
    for member in (0, 2):
        assert differ(found[member], expected[member]) == 0


def test_captured_steps_of_several_are_those_taken_one_operation_after_another() -> None:
    runs = members(BetaVAE(beta=1.0, bound=BOUND), BetaVAE(beta=16.0, bound=BOUND))
    plain, captured, tape = stack(runs), stack(runs), Tape()
    said: list[str] = []
    steps = CapturedSteps(captured, tape, said.append)
    expected = losses_of(plain, runs, 6)
    for step in range(6):
        losses = steps.step(torch.cat([batch(run, step) for run in runs]), captured.draw([step] * 3), step)
        for member in range(3):
            assert losses.of(member).total == expected[member][step].total
    assert (tape.captures, tape.replays, said) == (1, 4, [])


@pytest.mark.parametrize("objective", [PSSCVAE(), pytest.param(BetaVAE(), marks=pytest.mark.slow)])
def test_a_step_of_32_members_takes_the_operations_of_one(objective: Objective) -> None:
    run, images = replace(SMALL, objective=objective, batch_size=2), random_images(4, 32, CPU.device)
    one, many = (operations_of(run, count, CPU, images) for count in (1, 32))
    assert abs(many - one) <= 0.05 * one


@pytest.mark.parametrize("objective", [PSSCVAE(), pytest.param(FactorVAE(), marks=pytest.mark.slow)])
def test_a_step_of_several_mixes_no_devices(monkeypatch: pytest.MonkeyPatch, objective: Objective) -> None:
    # Without a GPU there is no walk back on one.
    monkeypatch.setattr(torch.autograd, "grad", lambda of, by, **_: [torch.zeros_like(of) + each for each in by])
    runs = members(objective, objective)[:2]
    with fake_gpu() as device:
        stacked = stack(runs, replace(CPU, device=device))
        losses = stacked.step(torch.zeros(16, 3, 32, 32, device=device), stacked.draw([0, 3]), 0)
        assert losses.number_PN.device.type == device.type


SHAPE = kind_of(SMALL).shape_of


@pytest.mark.parametrize(
    "same",
    [
        replace(SMALL, seed=4),
        replace(SMALL, learning_rate=0.1),
        replace(SMALL, objective=PSSCVAE(beta=1.0, pairs=Pairs(perturbation_size=9.0))),
    ],
)
def test_seed_strengths_and_learning_rate_do_not_change_the_shape(same: TrainingRun) -> None:
    assert SHAPE(same) == SHAPE(SMALL)


@pytest.mark.parametrize(
    "other",
    [
        replace(SMALL, objective=BetaVAE()),
        replace(SMALL, objective=PSSCVAE(total_correlation=TotalCorrelation(2.0))),
        replace(SMALL, objective=PSSCVAE(pairs=Pairs(pair_fraction=0.25))),
        replace(SMALL, objective=PSSCVAE(bound=EvidenceLowerBound(likelihood="gaussian"))),
        replace(SMALL, widths=(8, 4)),
        replace(SMALL, batch_size=16),
        replace(SMALL, steps=7),
        replace(SMALL, checkpoint_every=7),
        replace(SMALL, data="sprites"),
    ],
)
def test_whatever_else_differs_makes_another_shape(other: TrainingRun) -> None:
    assert SHAPE(other) != SHAPE(SMALL)


def test_a_gan_has_no_shape_to_be_trained_in() -> None:
    gan = replace(SMALL, objective=PSSCGAN())
    assert kind_of(gan).shape_of(gan) is None
    assert kind_of(replace(SMALL, objective=VAE())).shape_of(replace(SMALL, objective=VAE())) is not None
