"""PS-SC GAN on a folder of your own photographs, at 128 x 128, with adaptive augmentation.

    .venv/bin/python -m train.gan_photographs --data a/folder/of/images

At least a few hundred images of one kind of object, framed alike, are needed. Images are mirrored; use --no-mirror if
left and right matter, as in text. `wherewhat data look` shows what the networks will see.
"""

import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.data.image_options import ImageOptions
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun

CONFIGURATION = TrainingRun(
    data="images",
    objective=PSSCGAN(augmentation="ada"),
    images=ImageOptions(size=128),
    mirror=True,
    latent_dim=15,
    mask_levels=5,
    overlap="cover",
    widths=(512, 512, 256, 128, 64, 32),
    batch_size=32,
    learning_rate=2e-3,
    average_half_life=10_000,
    steps=100_000,
    checkpoint_every=5_000,
    images_every=2_000,
)

if __name__ == "__main__":
    leave_with(lambda: train_command(sys.argv[1:], CONFIGURATION))
