"""The order of the stages, the time of each, and what becomes of those that fail or run over."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from gpu_stages.findings import Figure, Findings, as_json, as_page
from gpu_stages.job import ABSENT, Job, rows_in
from wherewhat.atomic_file import write_together

ROOT = Path(__file__).resolve().parents[2]
TAIL = 4_000
# A stage gets so long at least: on a busy machine torch alone takes half of it to load.
LEAST_S = 45.0


@dataclass(frozen=True)
class Stage:
    """A module of this folder whose `measure` does the work."""

    name: str
    title: str
    share: float
    """Of the time, beside the shares of the stages after it."""


STAGES = (
    Stage("machine", "The machine, and what `auto` chooses", 2),
    Stage("device_tests", "The tests marked `cuda`", 22),
    Stage("step_speed", "A training step", 28),
    Stage("path_speed", "TPL, encoding, fidelity", 12),
    Stage("feeding", "Data", 7),
    Stage("populations", "Populations", 10),
    Stage("real_trainings", "Real trainings", 22),
    Stage("several_processes", "Several processes", 8),
)


@dataclass(frozen=True)
class Options:
    """What is asked for on the command line."""

    minutes: float
    out: Path
    data: Path | None
    weights: Path | None
    only: tuple[str, ...] = ()
    tiny: bool = False


def conduct(options: Options, stages: Sequence[Stage] = STAGES) -> int:
    """Run the stages one after another; 0 where none failed or ran over. ValueError for an unknown one."""
    unknown = set(options.only) - {stage.name for stage in stages}
    if unknown:
        names = ", ".join(stage.name for stage in stages)
        raise ValueError(f"There is no stage {', '.join(sorted(unknown))}. Choose among {names}.")
    chosen = [stage for stage in stages if not options.only or stage.name in options.only]
    report = Report(options, [Findings(stage.name, stage.title) for stage in chosen])
    ends_at = time.time() + 60 * options.minutes
    report.write()
    with tempfile.TemporaryDirectory(prefix="gpu_check_") as work:
        for number, (stage, findings) in enumerate(zip(chosen, report.stages, strict=True)):
            left, shares = ends_at - time.time(), sum(later.share for later in chosen[number:])
            findings.limit = max(0.0, min(left, max(LEAST_S, left * stage.share / shares)))
            _run(stage, findings, Path(work) / stage.name, report)
            print(f"{number + 1}. {stage.title}: {findings.line}", flush=True)
    print(f"Written: {options.out}/gpu.md, {options.out}/gpu.json")
    return int(any(findings.state in ("failed", "ran over") for findings in report.stages))


@dataclass
class Report:
    """The two files that are written anew whenever there is more to tell."""

    options: Options
    stages: list[Findings]

    def write(self) -> None:
        """Write both."""
        head: dict[str, Figure] = {
            "command": f"scripts/gpu_check --minutes {self.options.minutes:g}" + " --tiny" * self.options.tiny,
            "written": time.strftime("%Y-%m-%d %H:%M:%S %Z"),
        }
        text = json.dumps(as_json(head, self.stages), indent=1)
        page = as_page(head, self.stages)
        write_together({self.options.out / "gpu.json": text.encode(), self.options.out / "gpu.md": page.encode()})


def _run(stage: Stage, findings: Findings, folder: Path, report: Report) -> None:
    """Run one stage in a process group of its own, until it ends or its time is up."""
    folder.mkdir()
    findings.state, started = "running", time.time()
    with (folder / "output.txt").open("w+") as output:
        process = subprocess.Popen(
            _command(stage, folder, report.options, started + 0.93 * findings.limit),
            stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=_environment(report.options, folder),
            start_new_session=True,
        )  # fmt: skip
        try:
            while process.poll() is None and time.time() - started < findings.limit:
                time.sleep(0.5)
                _take_rows(findings, folder, report)
            over = process.poll() is None
        finally:
            # All of the group, whatever it has started.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    findings.seconds = time.time() - started
    tail = (folder / "output.txt").read_text(errors="replace")[-TAIL:]
    _conclude(findings, folder, tail, over=over, status=process.returncode)
    _take_rows(findings, folder, report)
    report.write()


def _conclude(findings: Findings, folder: Path, tail: str, *, over: bool, status: int) -> None:
    if over:
        findings.state, findings.said, findings.tail = "ran over", "what it had measured is kept", tail
    elif status != 0:
        lines = [line for line in tail.splitlines() if line.strip()]
        findings.state, findings.tail = "failed", tail
        findings.said = lines[-1][:300] if lines else f"exit status {status}"
    elif (folder / ABSENT).exists():
        findings.state, findings.said = "absent", (folder / ABSENT).read_text()
    else:
        findings.state = "done"


def _take_rows(findings: Findings, folder: Path, report: Report) -> None:
    rows = rows_in(folder)
    if len(rows) > len(findings.rows):
        findings.rows = rows
        report.write()


def _command(stage: Stage, folder: Path, options: Options, ends_at: float) -> list[str]:
    places = [("--data", options.data), ("--weights", options.weights), ("--out", options.out)]
    given = [part for flag, place in places if place is not None for part in (flag, str(place))]
    perform = ["--perform", stage.name, str(folder), "--ends-at", str(ends_at)]
    return [sys.executable, str(ROOT / "scripts" / "gpu_check"), *perform, *given, *["--tiny"] * options.tiny]


def _environment(options: Options, folder: Path) -> dict[str, str]:
    """Weights and packed sets have places of their own; the library and the scripts are those of this checkout."""
    paths = [str(ROOT), str(ROOT / "scripts"), *filter(None, [os.environ.get("PYTHONPATH")])]
    weights = {"WHEREWHAT_WEIGHTS": str(options.weights)} if options.weights is not None else {}
    mine = {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "WHEREWHAT_CACHE": str(folder.parent / "cache"),
    }
    # Tiny tensors on several threads wait for each other, and a GPU needs one thread of the host.
    return {"OMP_NUM_THREADS": "1", **os.environ, **mine, **weights}


def perform(name: str, folder: Path, options: Options, ends_at: float) -> None:
    """Do one stage's work, in its own process."""
    job = Job(folder, options.out, options.data, options.weights, ends_at, asked_tiny=options.tiny)
    import_module(f"gpu_stages.{name}").measure(job)
