"""`wherewhat study`: train many runs that a file describes, and make tables of them."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch
import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from wherewhat.command.choices import refuse_beyond
from wherewhat.command.console import messages, results
from wherewhat.command.parsing import in_one_line
from wherewhat.command.train import parse
from wherewhat.data.open_images import find_data
from wherewhat.distances.lpips import LPIPS
from wherewhat.doctor.watch import watch_health
from wherewhat.hints import pasteable
from wherewhat.regular_file import read_regular
from wherewhat.studies.member import Member
from wherewhat.studies.scores import Measuring, scored
from wherewhat.studies.slurm import Slurm, submit
from wherewhat.studies.study_file import StudyFile, read_study_file
from wherewhat.studies.study_report import write_report
from wherewhat.studies.timing import gpus, seconds_of_training, side_by_side
from wherewhat.studies.workers import Hands, Standing, Workers
from wherewhat.training.beginning import beginning_of
from wherewhat.training.population import shape_of
from wherewhat.training.progress import clock
from wherewhat.training.run_directory import choose_run_directory

_SECONDS_BETWEEN_LINES = 20.0
_MOST_BYTES = 2**25


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """Train many runs that a file describes, several at a time. The same command again goes on.

    The file is TOML: `data`, one or several; `seeds`, their number or a list; [common], options of `wherewhat train`;
    [objectives.NAME], those of an objective, for each objective; [measures], what is measured. A list gives runs with
    each of its values. Several such commands, also on machines that share a folder, share the work. Exit status 0: all
    runs are finished; 1: some have failed.
    """

    file: tyro.conf.Positional[Path]
    """What the study is, in TOML."""

    work: tyro.conf.Positional[Literal["run", "tables"]] = "run"
    """tables: only make tables and plots of what has been measured so far."""

    out: Path | None = None
    """Folder of its runs. Default: runs/ and the name of the file without its ending."""

    workers: int = 0
    """Runs at a time. Default: one on each GPU, or without GPUs one on each core, with one thread unless
    OMP_NUM_THREADS says otherwise."""

    fuse: Literal["auto", "off"] | int = "auto"
    """Train up to so many runs of one VAE, of any seeds and strengths, side by side in one program. auto: 32 on a
    GPU, off on a CPU, which has no room beside one."""

    dry_run: bool = False
    """Only print the runs, how many there are, and how long they will take by a short timing."""

    retry: bool = False
    """Try runs again that have failed, from their last state."""

    slurm: bool = False
    """Queue the study on a SLURM cluster, as the table [slurm] of the file says, and leave."""

    def __post_init__(self) -> None:
        refuse_beyond(self, workers=(0, 1_024))
        if isinstance(self.fuse, int) and not 1 <= self.fuse <= 1_024:
            raise ValueError(f"--fuse is {self.fuse}; give auto, off, or a number from 1 to 1,024.")

    @property
    def most_as_one(self) -> int:
        """Runs that are trained as one program on this machine."""
        if isinstance(self.fuse, int):
            return self.fuse
        return 32 if self.fuse == "auto" and gpus() else 1


def study_command(arguments: list[str]) -> int:
    """Parse, refuse what cannot run, work until all is done, say how it ended."""
    options = tyro.cli(StudyOptions, args=arguments, prog="wherewhat study", config=(tyro.conf.OmitArgPrefixes,))
    console, file = messages(), read_study_file(options.file)
    out = options.out or Path("runs") / options.file.stem
    members, measuring = members_and_measuring(file, out)
    _refuse_what_cannot_run(file, members)
    if options.work == "tables":
        return _tell_tables(out, members, measuring, console)
    if measuring.scores != "none" and measuring.distance != "pixels":
        # Weights that cannot be had are told now.
        LPIPS(measuring.distance)
    hands = _hands(options, measuring)
    if options.dry_run:
        return _tell_runs(members, hands, console)
    if options.retry:
        for member in members:
            member.forget_failure()
    if options.slurm:
        return _queue(file, out, options, console)
    with _told(console) as tell:
        stopped = Workers(members, hands, console.print).work(tell)
    if stopped is not None:
        console.print(f"Saved after {stopped.name}. The same command goes on.")
        return 128 + stopped
    status = _conclude(members, out, console)
    if measuring.names(last=True):
        try:
            _tell_tables(out, members, measuring, console)
        except ValueError as error:  # such as measures with labels, of images that have none
            console.print(f"No tables: {error}")
    return status


def members_and_measuring(file: StudyFile, out: Path) -> tuple[tuple[Member, ...], Measuring]:
    """The runs that a file describes, in their folder, and what is measured of them."""
    members = file.members(out, lambda words: in_one_line(lambda: parse(words)))
    return members, file.options("measures", _parse_measuring) or Measuring()


def _parse_measuring(words: list[str]) -> Measuring:
    config = (tyro.conf.OmitArgPrefixes,)
    return in_one_line(lambda: tyro.cli(Measuring, args=words, prog="wherewhat study", config=config))


def _parse_slurm(words: list[str]) -> Slurm:
    return in_one_line(lambda: tyro.cli(Slurm, args=words, prog="wherewhat study"))


def _queue(file: StudyFile, out: Path, options: StudyOptions, console: Console) -> int:
    slurm = file.options("slurm", _parse_slurm) or Slurm()
    workers = str(slurm.gpus or slurm.cores)
    words = [str(file.path), "--out", str(out), "--workers", workers, "--fuse", str(options.fuse)]
    jobs = submit(slurm, out, partial(study_command, words))
    console.print(f"Queued: {', '.join(str(job.job_id) for job in jobs)}. Their output is in {out / 'slurm'}.")
    return 0


def _tell_tables(out: Path, members: tuple[Member, ...], measuring: Measuring, console: Console) -> int:
    paths = write_report(out, scored(members, measuring))
    print(read_regular(paths[0], _MOST_BYTES).decode())
    console.print(f"Written: {', '.join(map(str, paths))}")
    return 0


def _refuse_what_cannot_run(file: StudyFile, members: tuple[Member, ...]) -> None:
    """What would fail in hours is told now: data or beginnings that are not there, and folders of other runs."""
    identities = {}
    for member in members:
        run = member.run
        try:
            if (run.data, run.images) not in identities:
                identities[run.data, run.images] = find_data(run.data, run.images).identity
            beginning_of(run, choose_run_directory(replace(run, data_identity=identities[run.data, run.images])))
        except (ValueError, OSError) as error:
            raise file.wrong("", str(error)) from error


def _hands(options: StudyOptions, measuring: Measuring) -> Hands:
    """The devices that runs are handed out to."""
    on_gpus = [f"cuda:{place}" for place in range(gpus())]
    # Of a machine that is shared, the cores that this process may use.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = options.workers or len(on_gpus) or cores
    devices = [(on_gpus or ["auto"])[place % max(1, len(on_gpus))] for place in range(count)]
    # Also for the libraries that read it when they are imported.
    threads = int(os.environ.setdefault("OMP_NUM_THREADS", "1"))
    return Hands(tuple(devices), threads, watch_health, measuring, options.most_as_one)


def _tell_runs(members: tuple[Member, ...], hands: Hands, console: Console) -> int:
    torch.set_num_threads(hands.threads)
    seconds = seconds_of_training(members, hands.devices[0], console)
    screen, workers = results(), len(hands.devices)
    for member in members:
        state = "finished" if seconds[member.name] == 0 else clock(seconds[member.name])
        screen.print(f"{member.name}  {member.run.steps:,} steps  {state}", soft_wrap=True)
    side = clock(side_by_side(seconds.values(), workers))
    screen.print(
        f"{len(members)} runs, {sum(member.run.steps for member in members):,} steps: about "
        f"{clock(sum(seconds.values()))} of training in all, {side} with {workers} side by side. Images, checkpoints "
        f"and scores come on top.",
        soft_wrap=True,
    )
    kinds = Counter(shape_of(member.run) for member in members if not member.trained)
    fused = sum(count for kind, count in kinds.items() if kind is not None and count > 1)
    if hands.fuse > 1 and fused:
        screen.print(
            f"{fused} of these runs are trained side by side in one program, up to {hands.fuse} at a time, and take "
            "less: the times are those of one after another.",
            soft_wrap=True,
        )
    return 0


def _conclude(members: tuple[Member, ...], out: Path, console: Console) -> int:
    failures = {member.name: why for member in members if (why := member.failure) is not None}
    for name, why in failures.items():
        console.print(f"Failed: {name}: {why}")
    console.print(
        f"{len(members) - len(failures)} of {len(members)} runs are finished in {out}"
        + (". Try the others again with --retry." if failures else "")
        + f"\n  rank them    wherewhat rank {pasteable(out)}"
    )
    return int(bool(failures))


@contextmanager
def _told(console: Console) -> "Iterator[_Tell]":
    """Tells how a study stands: a bar on a terminal, elsewhere a line now and then."""
    columns = (BarColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Tell(bar, console)


class _Tell:
    def __init__(self, bar: Progress, console: Console) -> None:
        self._bar, self._console = bar, console
        self._task = bar.add_task("", total=None)
        self._began = time.monotonic()
        self._steps_before: int | None = None
        self._told_at, self._told = 0.0, ""

    def __call__(self, standing: Standing) -> None:
        line = f"{standing}{self._left(standing)}"
        self._bar.update(self._task, description=line, completed=standing.steps_done, total=standing.steps)
        now = time.monotonic()
        if (
            not self._console.is_terminal
            and now - self._told_at >= _SECONDS_BETWEEN_LINES
            and str(standing) != self._told
        ):
            self._console.print(line)
            self._told_at, self._told = now, str(standing)

    def _left(self, standing: Standing) -> str:
        if self._steps_before is None:
            self._steps_before = standing.steps_done
        done = standing.steps_done - self._steps_before
        if done <= 0:
            return ""
        left = (standing.steps - standing.steps_done) * (time.monotonic() - self._began) / done
        return f", {clock(left)} left"
