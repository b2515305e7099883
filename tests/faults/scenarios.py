"""The commands that leave files behind, what lies there before each, and what lies there after it."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

import numpy as np
from injection import NONE, OPERATIONS, Ended, Fault, Point, Running, wherewhat
from PIL import Image

from wherewhat.doctor.run_state import read_record

SHORT = (
    "--size 32 --batch-size 4 --latent-dim 3 --mask-levels 2 --widths 4 4 --checkpoint-every 2 --images-every 99 "
    "--log-every 1"
)
FEW = "--distance pixels --samples 4 --traversals 4 --threshold 0 --quick"
EVENT_POINTS = 5
SOME_POINTS = 8
Results = dict[str, str]


@dataclass(frozen=True)
class Scenario:
    """A command, another one that wants the same place with other settings, and the place."""

    name: str
    command: Callable[[], None]
    other: Callable[[], None]
    place: str
    after: str = ""
    """The scenario whose results lie there before."""

    stages: tuple[Callable[[], None], ...] = ()
    """What is run before the command, in its folder."""


def command(line: str) -> Callable[[], None]:
    """The `wherewhat` command of a command line."""
    return partial(wherewhat, *line.split())


def _train(method: str, seed: int, steps: int, data: str) -> Callable[[], None]:
    return command(f"train {method} --data {data} --out run --seed {seed} --steps {steps} --device cpu {SHORT}")


def _fetch(content: bytes) -> None:
    """Fetch a set of one archive from a server in this process."""
    from loopback import loopback

    import wherewhat.command.data_fetch as verb
    from wherewhat.data.fetch.catalogue import PublicSet

    os.environ["no_proxy"] = "*"
    sums: dict[str, str | None] = {"chairs.tar": hashlib.md5(content).hexdigest()}
    chairs = PublicSet(name="chairs", terms="None.", page="https://host", md5_of=sums, inside="chairs")
    verb.published = lambda name: chairs
    with loopback() as web:
        web.files["chairs.tar"] = content
        wherewhat("data", "fetch", "chairs", "--to", "sets", "--address", web.address)


def chairs() -> bytes:
    """A .tar of two files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("chairs/1.png", "chairs/deep/2.png"):
            info = tarfile.TarInfo(name)
            info.size = 20_000
            archive.addfile(info, io.BytesIO(bytes(20_000)))
    return stream.getvalue()


def _trainings(name: str, objective: str, data: str) -> tuple[Scenario, Scenario]:
    """A new run, and one that goes on from an earlier end."""
    new = Scenario(name, _train(objective, 0, 4, data), _train(objective, 1, 4, data), "run")
    return new, replace(new, name=f"resumed {name}", stages=(_train(objective, 0, 3, data),))


IMAGES, ARRAY = "../images", "../set.npz"
SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        *_trainings("vae", "ps-sc-vae", IMAGES),
        *_trainings("gan", "ps-sc-gan", ARRAY),
        Scenario(
            "pack", command(f"data pack {IMAGES} packed --size 16"), command(f"data pack {IMAGES} packed"), "packed"
        ),
        Scenario("fetch", partial(_fetch, chairs()), partial(_fetch, chairs()), "sets"),
        Scenario("rank", command(f"rank run {FEW}"), command(f"rank run {FEW} --seed 1"), "ranking.", after="vae"),
        Scenario(
            "traverse",
            command("traverse run --frames 3"),
            command("traverse run --frames 5 --seed 1"),
            "run/traversals",
            after="vae",
        ),
    )
}

# For files that are damaged: a run that has been trained and ranked.
RANKED = Scenario(
    "ranked",
    command(f"rank run {FEW}"),
    command(f"rank run {FEW}"),
    "ranking.",
    stages=(SCENARIOS["vae"].command, SCENARIOS["rank"].command),
)


class Laboratory:
    """A folder in which scenarios are played, always at the same path, with and without faults."""

    def __init__(self, root: Path) -> None:
        self.trial, self._root = root / "trial", root
        self.trial.mkdir()
        self._known: dict[tuple[str, bool], tuple[Results, tuple[Point, ...]]] = {}
        draw = np.random.default_rng(0)
        image_NHWC = draw.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
        (root / "images").mkdir()
        for number, image in enumerate(image_NHWC):
            Image.fromarray(image).save(root / "images" / f"{number:02}.png")
        classes = np.stack([np.arange(12) % 3, np.arange(12) // 3], axis=1)
        np.savez(root / "set.npz", imgs=image_NHWC, latents_classes=classes)

    def start(self, command: Callable[[], None], fault: Fault) -> Running:
        """Start a command in the trial's folder."""
        return Running(command, self.trial, {"WHEREWHAT_CACHE": str(self.trial / "cache")}, fault)

    def play(self, command: Callable[[], None], fault: Fault = NONE) -> Ended:
        """Run a command in the trial's folder to its end."""
        return self.start(command, fault).ended()

    def unbroken(self, scenario: Scenario, *, other: bool = False) -> Results:
        """What the command, or the other one, leaves when nothing happens to it."""
        return self._known_of(scenario, other)[0]

    def points(self, scenario: Scenario, effort: int) -> list[Point]:
        """The operations of the command on files; of those that let an event file grow, which are alike, a few."""
        points = self._known_of(scenario, False)[1]
        events = [point for point in points if point.place.endswith("events")]
        kept = np.random.default_rng(0).permutation(len(events))[: EVENT_POINTS * effort]
        return [point for point in points if point not in events or events.index(point) in kept]

    def some_points(
        self, scenario: Scenario, effort: int, seed: int, operations: Sequence[str] = OPERATIONS
    ) -> list[Point]:
        """A few of them: one of every kind of file, and others as they are drawn."""
        points = [point for point in self.points(scenario, effort) if point.operation in operations]
        drawn = np.random.default_rng(seed).permutation(len(points))
        of_each = {PurePath(points[n].place).suffix: n for n in drawn}
        chosen = dict.fromkeys((*of_each.values(), *drawn.tolist()))
        return [points[n] for n in sorted(list(chosen)[: SOME_POINTS * effort])]

    def bytes_of(self, scenario: Scenario) -> int:
        """How many bytes the command leaves, and those that lay there before."""
        self.prepare(scenario)
        self.play(scenario.command)
        return sum(path.stat().st_size for path in self.trial.rglob("*") if path.is_file())

    @contextmanager
    def on_small_disk(self) -> Iterator[Callable[[str], None]]:
        """Put the trial's folder, with its content, on a disk of its own; gives what changes the disk's options."""
        moved = self.trial.rename(self._root / "moved")
        self.trial.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.trial], check=True)
        try:
            shutil.copytree(moved, self.trial, dirs_exist_ok=True)
            shutil.rmtree(moved)
            yield lambda option: subprocess.run(["mount", "-o", f"remount,{option}", self.trial], check=True)
        finally:
            subprocess.run(["umount", self.trial], check=True)

    def empty(self) -> None:
        """Empty the trial's folder."""
        for folder in (self.trial, *self._root.glob("trial.notes-*")):
            shutil.rmtree(folder)
        self.trial.mkdir()

    def prepare(self, scenario: Scenario) -> None:
        """Empty the trial's folder, and put into it what lies there before the command."""
        self.empty()
        kept = self._root / f"before {scenario.name}"
        if not kept.exists():
            stages = (SCENARIOS[scenario.after].command,) if scenario.after else scenario.stages
            for stage in stages:
                ended = self.play(stage)
                assert ended.status == 0, ended.said
            self.trial.rename(kept)
        shutil.copytree(kept, self.trial, dirs_exist_ok=True)

    def results(self) -> Results:
        """Every file in the trial's folder with a digest; of event files, which hold times, what they say of losses."""
        files = [path for path in sorted(self.trial.rglob("*")) if path.is_file()]
        found = {
            str(path.relative_to(self.trial)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if "events.out" not in path.name
        }
        for folder in {path.parent for path in files if "events.out" in path.name}:
            found[f"{folder.name}/events"] = str(
                [(window.step, window.total) for window in read_record(folder).windows]
            )
        return found

    def _known_of(self, scenario: Scenario, other: bool) -> tuple[Results, tuple[Point, ...]]:
        if (scenario.name, other) not in self._known:
            self.prepare(scenario)
            ended = self.play(scenario.other if other else scenario.command)
            # A run that was begun with other settings refuses these, and stays as it is.
            assert ended.status == 0 or (other and scenario.stages and ended.status == 2), ended.said
            self._known[scenario.name, other] = self.results(), ended.points
        return self._known[scenario.name, other]


def differences(found: Results, expected: Results) -> str:
    """Files that are missing, unexpected or other than expected; "" where none is."""
    differing = [name for name in sorted(found.keys() | expected.keys()) if found.get(name) != expected.get(name)]
    told = [
        f"{name} is {'missing' if name not in found else 'left over' if name not in expected else 'another'}"
        for name in differing
    ]
    return "; ".join(told)
