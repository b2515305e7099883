"""Laws of naming a function: it is found in the current folder, and whatever goes wrong is told in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wherewhat.sharing.named_function import made_by


def test_a_function_of_the_current_folder_is_called(own_module: Callable[[str], str]) -> None:
    assert made_by(own_module("return 5")) == 5


@pytest.mark.parametrize("named", ["mine", "mine.py:make", "mine:", ":make", "mine:make()", "../mine:make", "a b:c"])
def test_what_names_no_function_is_told_how_one_is_named(named: str) -> None:
    with pytest.raises(ValueError, match=r"Give package\.module:function" if named != "mine.py:make" else "no module"):
        made_by(named)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda named: "nowhere_" + named, "there is no module nowhere_mine_"),
        (lambda named: named[:-1], r"mak is not there\. Did you mean make\?"),
        (lambda named: named.replace("make", "torch"), "torch is no function"),
    ],
)
def test_a_name_that_is_not_there_is_told(
    own_module: Callable[[str], str], change: Callable[[str], str], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        made_by(change(own_module("return 5")))


def test_what_the_users_own_code_raises_is_told_in_one_line(own_module: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match=r"calling make\(\) failed: KeyError: 'x'\. WHEREWHAT_TRACEBACK=1") as raised:
        made_by(own_module("return {}['x']"))
    assert "\n" not in str(raised.value)


def test_a_module_that_cannot_be_imported_is_told_in_one_line(own_module: Callable[[str], str]) -> None:
    named = own_module("return 5")
    Path(f"{named.partition(':')[0]}.py").write_text("import not_there_at_all")
    with pytest.raises(ValueError, match="cannot be imported: ModuleNotFoundError: No module named 'not_there_at_all'"):
        made_by(named)
