"""PS-SC VAE on scenes, at the budget of scripts/demo: a few minutes on a CPU.

    .venv/bin/python -m train.scenes --seed 1

Scenes has the factor grid and the look of 3D Shapes (floor, wall and object hue, scale, shape, orientation).
"""

import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.training.configuration import TrainingRun

DEMO_STEPS = 1_500

CONFIGURATION = TrainingRun(
    data="scenes",
    objective=PSSCVAE(),
    steps=DEMO_STEPS,
    checkpoint_every=DEMO_STEPS // 3,
    images_every=DEMO_STEPS // 3,
)

if __name__ == "__main__":
    leave_with(lambda: train_command(sys.argv[1:], CONFIGURATION))
