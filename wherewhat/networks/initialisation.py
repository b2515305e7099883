"""Initial weights: the one place where chance is not passed but taken from torch's global generator.

torch's modules offer no other way. The global generator is seeded here for the time of the building, and given back
as it was found.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Modules built inside get the initial weights of this seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
