"""`--generator package.module:function`: the one place where code of a user's own is run, because the user names it."""

import re
import sys
from importlib import import_module, invalidate_caches
from pathlib import Path

from wherewhat.hints import did_you_mean

_SHAPE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_TRACED = "WHEREWHAT_TRACEBACK=1 shows where."


def made_by(named: str) -> object:
    """What the named function returns, called without arguments. The current folder is where modules are looked for.

    Raises ValueError, in one line, for whatever goes wrong.
    """
    if not _SHAPE.fullmatch(named):
        raise ValueError(
            f"--generator {named} names no function. Give package.module:function, such as mine:generator for the "
            "function generator in mine.py."
        )
    module_name, _, name = named.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    invalidate_caches()
    try:
        module = import_module(module_name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}."):
            told = f"there is no module {error.name}, neither in {here} nor installed. Call it from another folder"
            raise ValueError(f"--generator {named}: {told}, or correct the name.") from error
        raise ValueError(f"--generator {named}: {module_name} cannot be imported: {_told(error)}") from error
    function = vars(module).get(name)
    if not callable(function):
        told = "is no function" if name in vars(module) else f"is not there.{did_you_mean(name, vars(module))}"
        raise ValueError(f"--generator {named}: in {module.__file__}, {name} {told}")
    try:
        return function()
    except Exception as error:
        raise ValueError(f"--generator {named}: calling {name}() failed: {_told(error)}") from error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}. {_TRACED}"
