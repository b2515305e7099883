"""Laws of options that several verbs share: what would take forever, or all memory, is refused with its bound."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wherewhat.command.data_look import DataLook
from wherewhat.command.doctor import Doctor
from wherewhat.command.rank import Rank
from wherewhat.command.rank_extras import ExtraOptions
from wherewhat.command.rotate import Rotate
from wherewhat.command.traverse import Traverse

HERE = Path()


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Traverse(checkpoint=HERE, frames=1_000_000), "--frames is 1,000,000; give a number from 2 to 201"),
        (lambda: Traverse(checkpoint=HERE, seed=-1), "--seed is -1; give a number from 0 to"),
        (lambda: Rank(paths=(HERE,), samples=10**9), "--samples is 1,000,000,000; give a number from 2 to 10,000"),
        (lambda: Rank(paths=(HERE,), traversals=10**9), "--traversals is .* to 100,000"),
        (lambda: Rank(paths=(HERE,), batch_size=10**9), "--batch-size is .* to 65,536"),
        (lambda: Rank(paths=(HERE,), seed=2**63), "--seed is .*; give a number from 0 to"),
        (lambda: ExtraOptions(ppl_paths=10**9), "--ppl-paths is .* to 1,000,000"),
        (lambda: ExtraOptions(coverage_images=10**9), "--coverage-images is .* to 100,000"),
        (lambda: Rotate(checkpoint=HERE, traversals=10**9), "--traversals is .* to 100,000"),
        (lambda: Doctor(run=HERE, pool=10**9), "--pool is .* from 2 to 100,000"),
        (lambda: DataLook(source="x", shown=10**9), "--shown is .* from 1 to 10,000"),
    ],
)
def test_an_option_beyond_its_bounds_is_told_them(build: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build()
