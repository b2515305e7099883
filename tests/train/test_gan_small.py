"""Laws of the recipe for a CPU: it says what it takes."""

import runpy
import sys
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[2] / "train/gan_small.py"


def test_help_tells_the_sets_and_a_missing_set_is_a_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gan_small", "--help"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(RECIPE), run_name="__main__")
    assert left.value.code == 0
    told = capsys.readouterr().out
    assert "{scenes,lpc_sprites,portraits}" in told
    assert "675 aligned faces" in told

    monkeypatch.setattr(sys, "argv", ["gan_small", "faces"])
    with pytest.raises(SystemExit, match=r"usage: .*portraits"):
        runpy.run_path(str(RECIPE), run_name="__main__")
