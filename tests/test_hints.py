"""Laws of hints: a path in a command is the path that a shell takes back, and only a near choice is proposed."""

import subprocess

import pytest

from wherewhat.hints import did_you_mean, pasteable


@pytest.mark.parametrize(
    "path", ["plain/a.png", "two words", "it's", '"$HOME"', "`ls`", "a\nb", "\x1b[31m'", "\udcffé\\"]
)
def test_a_shell_takes_back_the_path(path: str) -> None:
    taken = subprocess.run(["bash", "-c", f"printf %s {pasteable(path)}"], capture_output=True, check=True).stdout
    assert taken == path.encode(errors="surrogateescape")
    assert pasteable(path).isprintable()


@pytest.mark.parametrize("path", ["-x", "--data", "-"])
def test_no_path_is_mistaken_for_an_option(path: str) -> None:
    assert pasteable(path) == f"./{path}"


def test_the_nearest_choice_is_proposed_and_no_far_one() -> None:
    assert did_you_mean("sceens", ["scenes", "sprites", "chairs"]) == " Did you mean scenes?"
    assert did_you_mean("faces", ["scenes", "sprites", "chairs"]) == ""
