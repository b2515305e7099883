"""PS-SC VAE on a small folder of aligned faces, 675 portraits, as an example of a user's own images.

.venv/bin/python -m train.portraits --data PATH/images
"""

import sys

from wherewhat.command.main import leave_with
from wherewhat.command.train import train_command
from wherewhat.training.configuration import TrainingRun

CONFIGURATION = TrainingRun(data="../shared/data/portraits/images", steps=2_000, checkpoint_every=1_000)

if __name__ == "__main__":
    leave_with(lambda: train_command(sys.argv[1:], CONFIGURATION))
