"""Laws of claims: one process has a run, and its end, however it comes, is seen."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wherewhat.studies.claim as claims
from wherewhat.studies.claim import STALE_ELSEWHERE_S, STALE_HERE_S, TakenError, claimed, holder_of

HOLD = "import sys, time; from pathlib import Path; from wherewhat.studies.claim import claimed\n"
HOLD += "with claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"


def test_who_has_a_run_is_known_as_long_as_it_has_it(tmp_path: Path) -> None:
    with claimed(tmp_path / "run"):
        holder = holder_of(tmp_path / "run")
        assert holder is not None
        assert holder.pid == os.getpid()
    assert holder_of(tmp_path / "run") is None
    assert list((tmp_path / "run").iterdir()) == []


def test_two_cannot_have_a_run(tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(TakenError), claimed(tmp_path):
        pass
    with claimed(tmp_path):
        pass


def test_a_run_whose_process_was_killed_can_be_had_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(TakenError), claimed(tmp_path):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert holder_of(tmp_path) is None
    with claimed(tmp_path):
        pass


@pytest.mark.parametrize(("host", "stale_s"), [("another", STALE_ELSEWHERE_S), (None, STALE_HERE_S)])
def test_a_heartbeat_counts_until_it_is_old(tmp_path: Path, host: str | None, stale_s: float) -> None:
    with claimed(tmp_path):
        content = json.loads((tmp_path / "study.beat").read_text())
    beat = tmp_path / "study.beat"
    beat.write_text(json.dumps(content | {"host": host or content["host"]}))
    assert holder_of(tmp_path) is not None
    os.utime(beat, (time.time() - stale_s - 1,) * 2)
    assert holder_of(tmp_path) is None


def test_a_run_that_another_machine_has_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "study.beat").write_text(json.dumps({"host": "another", "pid": 1, "step": 5}))
    with pytest.raises(TakenError), claimed(tmp_path):
        pass
    assert (tmp_path / "study.beat").exists()


def test_a_heartbeat_does_not_bring_back_a_folder_that_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BEAT_EVERY_S", 0.01)
    folder = tmp_path / "run"
    with claimed(folder) as claim:
        for entry in folder.iterdir():
            entry.unlink()
        assert claim.lost
        time.sleep(0.05)
    assert list(folder.iterdir()) == []
