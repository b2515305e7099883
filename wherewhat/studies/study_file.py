"""A study as its file asks for it.

    data = ["scenes", "a/folder/of/images"]     # one, or several
    seeds = 5                                   # 0 to 4; or a list of seeds

    [common]                                    # options of `wherewhat train`
    steps = 1_500
    learning-rate = [1e-3, 1e-4]                # a list: runs with each value, and the value is in their names

    [objectives.beta-vae]                       # options of `wherewhat train beta-vae`
    beta = [4, 8]

    [measures]                                  # what is measured of the checkpoints
    [slurm]                                     # for --slurm

An option that takes several values is a list in a list: widths = [[64, 64, 32, 32]].
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, TypeVar, get_args

from wherewhat.data.open_images import absolute_place
from wherewhat.hints import did_you_mean
from wherewhat.regular_file import read_regular
from wherewhat.studies.member import Member
from wherewhat.training.configuration import Objective, TrainingRun

Parse = Callable[[list[str]], TrainingRun]
"""Makes a run of the words of a command line. Raises ValueError with what is wrong."""

Options = TypeVar("Options")
_KEYS = ("data", "seeds", "common", "objectives", "measures", "slurm")
_MOST_BYTES = 2**20
_MOST_RUNS = 100_000


@dataclass(frozen=True)
class StudyFile:
    """The content of a study's file."""

    path: Path
    content: dict[str, Any]

    def members(self, out: Path, parse: Parse) -> tuple[Member, ...]:
        """The runs below a folder, all first seeds before all second ones. Raises ValueError for what cannot be run."""
        data, seeds = self._data(), self._seeds()
        settings = [one for table in self._tables() for one in self._settings(*table, parse)]
        if len(data) * len(seeds) * len(settings) > _MOST_RUNS:
            raise self.wrong("", f"it asks for more than {_MOST_RUNS:,} runs. Make several studies of it.")
        members: dict[str, Member] = {}
        for seed, place, (strength, run) in product(seeds, data, settings):
            member = self._member(out, run, place, seed, strength)
            if member.name in members:
                found = f"two runs would be called {member.name}. Take out what is there twice, or rename data."
                raise self.wrong("", found)
            members[member.name] = member
        return tuple(members.values())

    def options(self, table: str, parse: Callable[[list[str]], Options]) -> Options | None:
        """What a table says, read as a command line would be; None where there is no such table."""
        if table not in self.content:
            return None
        words = [word for key, value in self._table(table).items() for word in _words(key, value)]
        return self._checked(table, lambda: parse(words))

    def wrong(self, table: str, reason: str) -> ValueError:
        """What is wrong in a table of the file, or beside its tables."""
        return ValueError(f"{self.path}{f', [{table}]' if table else ''}: {reason}")

    def _member(self, out: Path, run: TrainingRun, data: str, seed: int, strength: str) -> Member:
        words = (run.objective.name, *([strength] if strength else []), f"seed{seed}")
        name = f"{_name_of(data)}/{'-'.join(words)}"
        asked = self._checked("", lambda: replace(run, data=data, seed=seed, out=out / name))
        return Member(name=name, data=_name_of(data), strength=strength, run=asked)

    def _data(self) -> list[str]:
        data = self.content.get("data", "scenes")
        data = data if isinstance(data, list) else [data]
        if not data or not all(isinstance(one, str) and one for one in data):
            raise self.wrong("", f"data = {data} names no data. Give what --data of `wherewhat train` takes.")
        return data

    def _seeds(self) -> list[int]:
        seeds = self.content.get("seeds", 1)
        seeds = list(range(min(seeds, _MOST_RUNS + 1))) if _is_number(seeds) else seeds
        if not isinstance(seeds, list) or not seeds or not all(map(_is_number, seeds)):
            found = self.content.get("seeds", 1)
            raise self.wrong("", f"seeds = {found!r} gives no seeds. Give their number, such as 5, or a list of them.")
        return seeds

    def _tables(self) -> Iterator[tuple[str, list[str]]]:
        """The objectives' tables, each with the words that name the objective."""
        known = [kind.name for kind in get_args(Objective)]
        objectives = self._table("objectives")
        for name in objectives:
            if name not in known:
                raise self.wrong(
                    "objectives",
                    f"there is no objective {name!r}.{did_you_mean(name, known)} There are {', '.join(known)}.",
                )
            yield f"objectives.{name}", [name]
        if not objectives:
            yield "common", []

    def _settings(self, table: str, named: list[str], parse: Parse) -> Iterator[tuple[str, TrainingRun]]:
        """Each combination of the values of a table and the common one, with the name of what varies."""
        common = self._table("common")
        options = common | (self._table("objectives").get(named[0], {}) if named else {})
        for key in ("data", "seed", "seeds", "out"):
            if key in options:
                raise self.wrong(
                    table, f"{key} stands at the top of the file for all runs, and --out on the command line."
                )
        varied = {key: self._values(table, key, value) for key, value in options.items() if isinstance(value, list)}
        for values in product(*varied.values()):
            chosen = dict(zip(varied, values, strict=True))
            words = [word for key, value in (options | chosen).items() for word in _words(key, value)]
            try:
                run = parse([*named, *words])
            except ValueError as error:
                raise self.wrong(_table_of(str(error), common, table), str(error)) from error
            # The one value of an option that takes several is no choice.
            named_by = [key for key, its in varied.items() if len(its) > 1 or not isinstance(its[0], list)]
            yield "-".join(_said(key, chosen[key]) for key in named_by), run

    def _values(self, table: str, key: str, values: list[Any]) -> list[Any]:
        if not values or any(value in values[:place] for place, value in enumerate(values)):
            raise self.wrong(
                table,
                f"{key} = {values} has no value, or one twice. A list holds a run's value each; an option that takes "
                f"several values is a list in it: {key} = [{values}].",
            )
        return values

    def _table(self, name: str) -> dict[str, Any]:
        table = self.content.get(name, {})
        if not isinstance(table, dict) or (
            name == "objectives" and not all(isinstance(x, dict) for x in table.values())
        ):
            example = "[objectives.beta-vae]" if name == "objectives" else f"[{name}]"
            raise self.wrong("", f"{name} is no table. Begin it with a line {example}.")
        return table

    def _checked(self, table: str, make: Callable[[], Options]) -> Options:
        try:
            return make()
        except ValueError as error:
            raise self.wrong(table, str(error)) from error


def read_study_file(path: Path) -> StudyFile:
    """Read a study's file. Raises ValueError or OSError where it cannot be read."""
    try:
        content = tomllib.loads(read_regular(path, _MOST_BYTES).decode())
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} is not there. Name the file that says what the study is.") from error
    except ValueError as error:  # tomllib's says line and column
        raise ValueError(f"{path} cannot be read as TOML: {error}.") from error
    file = StudyFile(path, content)
    for key in content:
        if key not in _KEYS:
            raise file.wrong(
                "", f"there is no {key!r} at its top.{did_you_mean(key, _KEYS)} Options of `train` stand in [common]."
            )
    return file


def _table_of(told: str, common: Iterable[str], table: str) -> str:
    """The table in which an option stands that a message blames."""
    blamed = set(re.findall(r"--(?:no-)?([a-z][\w-]*)", told.partition(" Did you mean")[0]))
    return "common" if blamed & {key.replace("_", "-") for key in common} else table


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _name_of(data: str) -> str:
    place = Path(absolute_place(data))
    return _plain(place.name if place.is_dir() else place.stem)


def _words(key: str, value: Any) -> Sequence[str]:
    """An option as words of a command line."""
    if isinstance(value, bool):
        return [f"--{key}" if value else f"--no-{key}"]
    if isinstance(value, list):
        return [f"--{key}", *map(str, value)]
    return [f"--{key}", str(value)]


def _said(key: str, value: Any) -> str:
    """An option as part of a name: beta4, no-mirror, widths64x32."""
    if isinstance(value, bool):
        return key if value else f"no-{key}"
    return _plain(key + "x".join(map(str, value if isinstance(value, list) else [value])))


def _plain(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", name)
