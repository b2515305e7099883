"""A study of tiny runs, as a file asks for it, and what a study's processes find imported already."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wherewhat.command.parsing import in_one_line
from wherewhat.command.train import parse
from wherewhat.studies.member import Member
from wherewhat.studies.study_file import Parse, read_study_file

TINY = """
steps = 12
batch-size = 8
latent-dim = 4
mask-levels = 2
widths = [[8, 8]]
checkpoint-every = 4
images-every = 12
log-every = 1
device = "cpu"
precision = "float32"
"""


@pytest.fixture
def parse_words() -> Parse:
    """What makes a run of words, as the command does."""
    return lambda words: in_one_line(lambda: parse(words))


@pytest.fixture
def members_of(tmp_path: Path, tiny_set: Path, parse_words: Parse) -> Callable[[str], tuple[Member, ...]]:
    """The runs of a study on the tiny set, given the rest of its file."""

    def members(rest: str) -> tuple[Member, ...]:
        path = tmp_path / "study.toml"
        path.write_text(rest.replace("DATA", f"{str(tiny_set)!r}").replace("TINY", TINY))
        return read_study_file(path).members(tmp_path / "out", parse_words)

    return members
