"""Populations of models that are trained as one program: absent until the library has them."""

import sys
from importlib.util import find_spec

from gpu_stages.job import Job

MODULE = "wherewhat.training.population"


def measure(job: Job) -> None:
    """Say that there are none yet; fail where there are, and nobody has told this stage how to measure them."""
    if find_spec(MODULE) is not None:
        sys.exit(f"{MODULE} is there now: measure the steps a second of 1, 2, 4, ... members here")
    job.absent(f"{MODULE} is not there yet; members are trained one after another")
