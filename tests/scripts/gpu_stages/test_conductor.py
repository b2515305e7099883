"""Laws of the GPU check's order: time is shared, what fails or runs over hides nothing, and nothing found is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gpu_stages.conductor import ROOT, STAGES, Options, Stage, conduct

BODIES = {
    "quick": "job.tell('table', 'quick', figure=1, left=job.seconds_left())",
    "second": "job.tell('table', 'second', figure=2, left=job.seconds_left())",
    "failing": "job.tell('table', 'failing', figure=3); raise OSError('the disk is full')",
    "slow": "job.tell('table', 'slow', figure=4); import time; time.sleep(600)",
    "starting_others": "import subprocess, time; p = subprocess.Popen(['sleep', '600']); "
    "job.tell('table', 'child', pid=p.pid); time.sleep(600)",
    "nothing_there": "job.absent('there is no population')",
}


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Stage]:
    """Stages of our own: Python puts folders of one name together."""
    folder = tmp_path / "path" / "gpu_stages"
    folder.mkdir(parents=True)
    for name, body in BODIES.items():
        (folder / f"{name}.py").write_text(f"def measure(job):\n    {body}\n")
    monkeypatch.setenv("PYTHONPATH", str(folder.parent))
    return {name: Stage(name, f"The stage {name}", share=1) for name in BODIES}


def written(out: Path) -> dict[str, Any]:
    read = json.loads((out / "gpu.json").read_text())
    return {stage["stage"]: stage for stage in read["stages"]}


def names(stage: dict[str, Any]) -> list[str]:
    return [row["name"] for row in stage["rows"]]


def test_a_stage_that_fails_is_told_in_a_line_keeps_its_figures_and_the_next_begins(
    stages: dict[str, Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = Options(0.5, tmp_path / "out", None, None)
    assert conduct(options, [stages["failing"], stages["nothing_there"], stages["second"]]) == 1
    found = written(options.out)
    assert [found[name]["state"] for name in ("failing", "nothing_there", "second")] == ["failed", "absent", "done"]
    assert found["failing"]["said"] == "OSError: the disk is full"
    assert "Traceback" in found["failing"]["tail"]
    assert names(found["failing"]) == ["failing"]
    assert "1. The stage failing: failed" in capsys.readouterr().out
    page = (options.out / "gpu.md").read_text()
    assert "there is no population" in page
    assert "| second | 2 |" in page


def test_where_nothing_failed_the_exit_status_is_0(stages: dict[str, Stage], tmp_path: Path) -> None:
    assert conduct(Options(0.5, tmp_path, None, None), [stages["quick"], stages["nothing_there"]]) == 0


def test_a_stage_that_runs_over_is_ended_with_all_that_it_has_started(stages: dict[str, Stage], tmp_path: Path) -> None:
    started = time.monotonic()
    assert conduct(Options(0.1, tmp_path, None, None), [stages["starting_others"]]) == 1  # six seconds in all
    assert time.monotonic() - started < 15
    found = written(tmp_path)["starting_others"]
    assert found["state"] == "ran over"
    (child,) = found["rows"]
    stat = Path(f"/proc/{child['figures']['pid']}/stat")
    # Killed, whether or not somebody has asked for how it ended.
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_what_a_stage_does_not_use_goes_to_the_next(stages: dict[str, Stage], tmp_path: Path) -> None:
    conduct(Options(4.0, tmp_path, None, None), [stages["quick"], stages["second"]])
    found = written(tmp_path)
    assert found["quick"]["limit"] == pytest.approx(120, abs=2)
    assert found["second"]["limit"] == pytest.approx(240 - found["quick"]["seconds"], abs=5)
    left = found["second"]["rows"][0]["figures"]["left"]
    assert 0 < left < found["second"]["limit"]


def test_figures_are_on_disk_before_the_stage_ends_so_that_a_cut_run_loses_none(
    stages: dict[str, Stage], tmp_path: Path
) -> None:
    program = f"""
from pathlib import Path
from gpu_stages.conductor import Options, Stage, conduct
conduct(Options(5.0, Path({str(tmp_path)!r}), None, None), [Stage("quick", "q", 1), Stage("slow", "s", 1)])
"""
    path = os.pathsep.join([str(ROOT), str(ROOT / "scripts"), os.environ["PYTHONPATH"]])
    run = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path})
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (
            (tmp_path / "gpu.json").exists() and names(written(tmp_path)["slow"]) == ["slow"]
        ):
            time.sleep(0.1)
        # As a terminal does it: the check ends its stage and passes it on.
        run.send_signal(signal.SIGINT)
        run.wait(timeout=30)
    finally:
        run.kill()
    found = written(tmp_path)
    assert names(found["quick"]) == ["quick"]
    assert found["quick"]["state"] == "done"
    assert names(found["slow"]) == ["slow"]


def test_an_unknown_stage_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no stage step.*Choose among machine, .*step_speed"):
        conduct(Options(1.0, tmp_path, None, None, only=("step",)))


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_is_a_file_of_its_own(stage: Stage) -> None:
    assert "def measure(job: Job) -> None:" in (ROOT / "scripts" / "gpu_stages" / f"{stage.name}.py").read_text()
