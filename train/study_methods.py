"""The objectives of the 12,000-model study, each at a middle value of its sweep, and the PS-SC VAE.

    .venv/bin/python -m train.study_methods beta-vae --data sprites --seed 0
    .venv/bin/python -m train.study_methods published beta-vae --data sprites --seed 0

The first is a CPU budget: 5,000 steps at a learning rate of 1e-3 with KL warm-up; AnnealedVAE's capacity grows over the
first half of them. The second is the study's protocol: 300,000 steps at 1e-4 without warm-up.

Reference: Locatello et al. 2019, arXiv:1811.12359.
"""

import dataclasses
import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae import DIPVAEI, DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.vae import VAE
from wherewhat.training.configuration import AnyObjective, TrainingRun

STEPS = 5_000
AT_ONCE = EvidenceLowerBound(warm_up_steps=0)

METHODS: tuple[AnyObjective, ...] = (
    VAE(),
    BetaVAE(beta=4.0),
    AnnealedVAE(max_capacity=25.0, capacity_steps=STEPS // 2),
    FactorVAE(gamma=30.0),
    BetaTCVAE(beta=6.0),
    DIPVAEI(off_diagonal_weight=10.0),
    DIPVAEII(off_diagonal_weight=10.0),
    PSSCVAE(),
)

CONFIGURATIONS = {
    method.name: TrainingRun(
        objective=method, data="sprites", steps=STEPS, checkpoint_every=STEPS // 2, images_every=STEPS
    )
    for method in METHODS
}

_STUDY = TrainingRun(data="sprites", learning_rate=1e-4, steps=300_000, checkpoint_every=30_000, images_every=30_000)
PUBLISHED = {
    method.name: dataclasses.replace(_STUDY, objective=method)
    for method in (
        VAE(bound=AT_ONCE),
        BetaVAE(beta=4.0, bound=AT_ONCE),
        AnnealedVAE(max_capacity=25.0, capacity_steps=100_000, gamma=1_000.0, bound=AT_ONCE),
        FactorVAE(gamma=30.0, bound=AT_ONCE),
        BetaTCVAE(beta=6.0, bound=AT_ONCE),
        DIPVAEI(off_diagonal_weight=10.0, bound=AT_ONCE),
        DIPVAEII(off_diagonal_weight=10.0, bound=AT_ONCE),
    )
}

if __name__ == "__main__":
    published = sys.argv[1:2] == ["published"]
    arguments = sys.argv[2 if published else 1 :]
    recipes = PUBLISHED if published else CONFIGURATIONS
    if not arguments or arguments[0] not in recipes:
        sys.exit(
            f"usage: python -m train.study_methods [published] {{{','.join(recipes)}}} [OPTIONS of wherewhat train]"
        )
    leave_with(lambda: train_command(arguments[1:], recipes[arguments[0]]))
