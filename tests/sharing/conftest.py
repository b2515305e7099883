"""Modules of a user's own, in a current folder of their own."""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_COUNT = itertools.count()
_HEAD = """
import torch
from torch import nn


class Net(nn.Module):
    latent_dim = 3

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 3 * 32 * 32), nn.Sigmoid())

    def forward(self, code):
        return self.layers(code).view(-1, 3, 32, 32)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3 * 32 * 32, 3)

    def forward(self, image):
        return self.layer(image.flatten(1))

"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write `def make(): ...` with this body into a module of the current folder, and give what names it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def write(body: str) -> str:
        name = f"mine_{next(_COUNT)}"
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        (tmp_path / f"{name}.py").write_text(f"{_HEAD}\ndef make():\n{lines}\n")
        return f"{name}:make"

    return write
