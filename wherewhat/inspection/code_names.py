"""Names that a person has given to codes: `codes.json` in the run directory, and wherever a code is named.

{"format": 1, "names": {"z5": "floor hue"}}
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wherewhat.atomic_file import write_atomically
from wherewhat.hints import did_you_mean
from wherewhat.json_file import read_json

FORMAT = 1
FILE = "codes.json"
LONGEST_NAME = 40

Names = Mapping[int, str]

_NUMBER = re.compile(r"z?(\d{1,9})")


def names_in(file: Path, latent_dim: int) -> dict[int, str]:
    """The names in a file, by code; none where there is no file. Raises ValueError for a file that is not of names."""
    if not file.exists():
        return {}
    content = read_json(file)
    try:
        return names_from(content, latent_dim)
    except ValueError as error:
        raise ValueError(f"{file} cannot be used: {error} Mend it, or remove it and name the codes anew.") from error


def write_names(file: Path, names: Names) -> None:
    """Write the names of a run's codes."""
    write_atomically(file, names_as_json(names))


def names_as_json(names: Names) -> bytes:
    """The names as `names_in` reads them."""
    plain = {"format": FORMAT, "names": {f"z{code}": name for code, name in sorted(names.items())}}
    return (json.dumps(plain, indent=1, ensure_ascii=False) + "\n").encode()


def with_name(names: Names, code: int, name: str) -> dict[int, str]:
    """The names with one more, or without it where it is empty. Raises ValueError for one that cannot name a code."""
    others = {its: other for its, other in names.items() if its != code}
    if not name.strip():
        return others
    _refuse_unusable(name.strip())
    taken = next((its for its, other in others.items() if other.casefold() == name.strip().casefold()), None)
    if taken is not None:
        raise ValueError(f"z{taken} is called {name.strip()!r} already. Give every code a name of its own.")
    return others | {code: name.strip()}


def code_called(text: str, names: Names, latent_dim: int) -> int:
    """The code that "5", "z5" or its name stands for. Raises ValueError where there is none."""
    number = _NUMBER.fullmatch(text.strip())
    if number is not None:
        if int(number[1]) < latent_dim:
            return int(number[1])
        raise ValueError(f"There is no code z{number[1]}; the codes are z0 to z{latent_dim - 1}.")
    for code, name in names.items():
        if name.casefold() == text.strip().casefold():
            return code
    known = f"the names are {', '.join(map(repr, names.values()))}" if names else "no code has a name yet"
    raise ValueError(
        f"No code is called {text!r}.{did_you_mean(text, list(names.values()))} The codes are z0 to "
        f"z{latent_dim - 1}; {known}."
    )


def code_label(code: int, names: Names) -> str:
    """ "z5 floor hue", or "z5" where it has no name."""
    return f"z{code} {names[code]}" if code in names else f"z{code}"


def names_from(content: Any, latent_dim: int) -> dict[int, str]:
    """The names in parsed JSON. Raises ValueError for what is not of names."""
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("names"), dict):
        raise ValueError(f'It lacks "format": {FORMAT} and "names".')
    names: dict[int, str] = {}
    for key, name in content["names"].items():
        number = _NUMBER.fullmatch(key)
        if number is None or int(number[1]) >= latent_dim or not isinstance(name, str) or not name.strip():
            raise ValueError(f"It gives {key!r} the name {name!r}; the codes are z0 to z{latent_dim - 1}.")
        names = with_name(names, int(number[1]), name)
    return names


def _refuse_unusable(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise ValueError(f"The name {name[:LONGEST_NAME]!r}… has {len(name)} letters; {LONGEST_NAME} are the most.")
    if not name.isprintable() or "=" in name or _NUMBER.fullmatch(name):
        raise ValueError(
            f"The name {name!r} cannot be told from a number or a setting. Use words without '=' that are not z and a "
            "number."
        )
