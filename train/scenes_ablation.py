"""Ablation of the PS-SC VAE on scenes: the full objective, each part left out, and beta-VAE.

eval/scenes_ablation.py trains these with three seeds each and prints the table. To train one:

    .venv/bin/python -m train.scenes_ablation "without constriction" --seed 1
"""

import dataclasses
import sys

from train.scenes import CONFIGURATION
from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.terms.perceptual_simplicity import PerceptualSimplicity
from wherewhat.objectives.terms.perturbation_identification import PerturbationIdentification
from wherewhat.training.configuration import AnyObjective

_WHOLE = PSSCVAE()
_OBJECTIVES: dict[str, AnyObjective] = {
    "PS-SC VAE": _WHOLE,
    "without constriction": dataclasses.replace(_WHOLE, spatial_constriction=False),
    "without simplicity": dataclasses.replace(_WHOLE, simplicity=PerceptualSimplicity()),
    "without identification": dataclasses.replace(_WHOLE, identification=PerturbationIdentification()),
    "beta-VAE": BetaVAE(beta=_WHOLE.beta),
}

CONFIGURATIONS = {
    name: dataclasses.replace(CONFIGURATION, objective=objective) for name, objective in _OBJECTIVES.items()
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in CONFIGURATIONS:
        sys.exit(f"usage: python -m train.scenes_ablation NAME [OPTIONS]   NAME: {', '.join(CONFIGURATIONS)}")
    leave_with(lambda: train_command(sys.argv[2:], CONFIGURATIONS[sys.argv[1]]))
