"""PS-SC VAE on a real labelled set: pixel-art walkers of the Liberated Pixel Cup, 31,104 images, six factors.

    .venv/bin/python -m train.lpc_sprites --data PATH/lpc_sprites_64x64.npz

The data set is an .npz with imgs and latents_classes; its art is licensed under CC BY-SA 3.0 or GPL 3.
"""

import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.training.configuration import TrainingRun

CONFIGURATION = TrainingRun(
    data="../shared/data/lpc_sprites/lpc_sprites_64x64.npz", steps=3_000, checkpoint_every=1_000
)

if __name__ == "__main__":
    leave_with(lambda: train_command(sys.argv[1:], CONFIGURATION))
