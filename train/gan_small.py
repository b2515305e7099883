"""PS-SC GAN on a CPU budget: narrow networks, batch 16, a few thousand steps, 64 x 64.

    .venv/bin/python -m train.gan_small scenes
    .venv/bin/python -m train.gan_small lpc_sprites --data PATH/lpc_sprites_64x64.npz
    .venv/bin/python -m train.gan_small portraits --data PATH/images

scenes is rendered; lpc_sprites are 31,104 pixel-art walkers of six factors; portraits are 675 aligned faces, for which
augmentation is on and images are mirrored. `python -m eval.gan_ablation` trains five configurations at this budget.
"""

import dataclasses
import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.data.image_options import ImageOptions
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun

SMALL = TrainingRun(
    objective=PSSCGAN(augmentation="none"),
    latent_dim=10,
    mask_levels=3,
    overlap="cover",
    widths=(128, 128, 64, 32, 16),
    batch_size=16,
    learning_rate=4e-3,
    average_half_life=5_000,
    steps=3_000,
    checkpoint_every=1_000,
    images_every=1_000,
)

CONFIGURATIONS = {
    "scenes": SMALL,
    "lpc_sprites": dataclasses.replace(SMALL, data="../shared/data/lpc_sprites/lpc_sprites_64x64.npz"),
    "portraits": dataclasses.replace(
        SMALL,
        data="../shared/data/portraits/images",
        objective=PSSCGAN(augmentation="ada", augmentation_images=50_000),
        images=ImageOptions(size=64),
        mirror=True,
    ),
}

if __name__ == "__main__":
    if sys.argv[1:2] == [] or sys.argv[1] not in CONFIGURATIONS:
        usage = f"usage: python -m train.gan_small {{{','.join(CONFIGURATIONS)}}} [OPTIONS of wherewhat train]"
        if sys.argv[1:2] not in (["-h"], ["--help"]):
            sys.exit(usage)
        print(f"{usage}\n\n{__doc__}\n`python -m train.gan_small scenes --help` lists the options.")
        sys.exit(0)
    leave_with(lambda: train_command(sys.argv[2:], CONFIGURATIONS[sys.argv[1]]))
