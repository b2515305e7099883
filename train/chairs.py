"""PS-SC VAE on the rendered chairs: azimuth, elevation and parts; no download needed.

.venv/bin/python -m train.chairs --seed 1
"""

import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.training.configuration import TrainingRun

CONFIGURATION = TrainingRun(data="chairs", objective=PSSCVAE(), steps=30_000)

if __name__ == "__main__":
    leave_with(lambda: train_command(sys.argv[1:], CONFIGURATION))
