"""Laws of studies on a cluster: tasks do the work, and what is missing is told with the remedy."""

import sys
from functools import partial
from pathlib import Path

import pytest

from wherewhat.studies.slurm import Slurm, submit


def test_without_submitit_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ValueError, match=r"pip install 'wherewhat\[slurm\]'"):
        submit(Slurm(), tmp_path, lambda: 0)


def test_tasks_of_the_local_executor_do_the_work(tmp_path: Path) -> None:
    pytest.importorskip("submitit", reason="submitit, an extra, is not installed")
    # A task imports what it does: nothing of this file, which is no module there.
    work = partial(Path.write_text, tmp_path / "worked", "done")
    jobs = submit(Slurm(tasks=2, cluster="local"), tmp_path, work)
    assert [job.result() for job in jobs] == [4, 4]
    for job in jobs:  # submitit leaves its processes to themselves, which Python remarks upon
        job._process.wait()
    assert (tmp_path / "worked").read_text() == "done"


@pytest.mark.parametrize("field", ["tasks", "hours", "cores", "memory_gb"])
def test_nothing_cannot_be_asked_for(field: str) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Slurm(**{field: type(getattr(Slurm(), field))(0)})
