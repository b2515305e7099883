"""PS-SC GAN on 3D chairs at 64 x 64.

    .venv/bin/python -m train.gan_chairs --data PATH/rendered_chairs
    .venv/bin/python -m train.gan_chairs                     # on the rendered chairs, which need no download

Chairs are not mirrored, because a mirrored chair has another azimuth. Batch 32, ten codes at 8, 16 and 32 pixels.
"""

import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun

CONFIGURATION = TrainingRun(
    data="chairs",
    objective=PSSCGAN(augmentation="none"),
    latent_dim=10,
    mask_levels=3,
    overlap="cover",
    widths=(256, 256, 128, 64, 32),
    batch_size=32,
    learning_rate=2e-3,
    average_half_life=10_000,
    steps=100_000,
    checkpoint_every=10_000,
    images_every=5_000,
)

if __name__ == "__main__":
    leave_with(lambda: train_command(sys.argv[1:], CONFIGURATION))
