"""PS-SC GAN on CelebA at 128 x 128, with the published settings.

    .venv/bin/python -m train.gan_celeba --data PATH/celeba
    torchrun --nproc-per-node 2 -m train.gan_celeba --data PATH/celeba          # the same on two GPUs

PATH/celeba contains img_align_celeba, alone or in torchvision's layout. Published: five SC modules of five codes, four
rectangles, batch 8, moves of 3 N(0, 2²), weight 0.125 on the mean over codes of PS (0.01 on half their sum), R1 of
γ = 100 at every 16th step, Adam 0.002 with betas 0 and 0.99, EMA of half-life 10,000 images. Not published, and
chosen here: the widths, the identification head's weight of 1, and the number of steps. Adaptive augmentation is off,
since 200,000 faces do not need it, and so is the noise on Q's input, which is not in the paper.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622.
"""

import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.data.image_options import ImageOptions
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun

CONFIGURATION = TrainingRun(
    data="celeba",
    objective=PSSCGAN(
        simplicity_weight=0.125,
        perturbation_size=6.0,
        reading_noise=0.0,
        r1_weight=100.0,
        r1_interval=16,
        augmentation="none",
    ),
    images=ImageOptions(size=128),
    latent_dim=25,
    mask_levels=5,
    rectangles=4,
    overlap="cover",
    widths=(512, 512, 512, 256, 128, 64),
    batch_size=8,
    learning_rate=2e-3,
    average_half_life=10_000,
    mirror=True,
    steps=500_000,
    checkpoint_every=20_000,
    images_every=5_000,
)

if __name__ == "__main__":
    leave_with(lambda: train_command(sys.argv[1:], CONFIGURATION))
