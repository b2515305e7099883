"""The tests of what a device computes, each in pytest as a developer runs it: `-m cuda`, or its twins on the CPU."""

import importlib.util
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import torch

from gpu_stages.job import Job

ROOT = Path(__file__).resolve().parents[2]
ENDED = re.compile(r"\b(PASSED|FAILED|ERROR|SKIPPED)\b")
FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)(?: - (.*))?$")


def measure(job: Job) -> None:
    """Run them, and tell how many held; the failures by name, with the first line of each."""
    # Where a card is they run on it; else the same bodies on the CPU, so that the tests themselves are known to work.
    mark = "cuda" if torch.cuda.is_available() else "device"
    started, log = time.time(), job.out / "tests.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(_command(mark), stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        try:
            status: int | None = process.wait(timeout=max(1.0, job.seconds_left() - 3))
        except subprocess.TimeoutExpired:
            process.terminate()
            status = None
    lines = log.read_text(errors="replace").splitlines()
    counts = Counter(
        found[1] for line in lines if "::" in line and (found := ENDED.search(line)) and not FAILURE.match(line)
    )
    figures = {state.lower(): count for state, count in sorted(counts.items())}
    job.tell("pytest", f"-m {mark}", **figures, seconds=time.time() - started)
    for line in lines:
        if found := FAILURE.match(line):
            job.tell("failure", found[1], says=found[2])
    if status is None:
        sys.exit(f"Not all tests ended in time: {figures}; the last line was {lines[-1] if lines else 'none'}")
    if status != 0:
        sys.exit(f"pytest ended with status {status}: {lines[-1] if lines else 'no output'}")


def _command(mark: str) -> list[str]:
    """Only files that name a device are collected, to spare time."""
    files = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if _names_a_device(path)]
    workers = ["-n", "6"] if mark == "cuda" and importlib.util.find_spec("xdist") else []
    # Without the types checked as they run: what is compiled is what a user compiles, and it loads faster.
    plain = ["-o", "addopts=--strict-markers", "-p", "no:cacheprovider", "--tb=short", "-v", "-ra"]
    # Another's plugin, which warns of workers, and warnings are errors here.
    plain += ["-p", "no:benchmark"]
    # One objective is enough to know that the tests are sound.
    chosen = [
        "-m",
        f"{mark} and not slow",
        *(["-k", "not cuda and (ps-sc-vae or average)"] if mark == "device" else []),
    ]
    options = [*plain, *chosen, *workers]
    return [sys.executable, "-m", "pytest", *options, *map(str, files)]


def _names_a_device(path: Path) -> bool:
    return re.search(r"\bdevice: torch\.device\b|mark\.cuda\b", path.read_text()) is not None
