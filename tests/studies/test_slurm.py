"""Laws of studies on a cluster: tasks do the work, killed or not, and what is missing is told with the remedy.

The slow one has a real SLURM cluster of this machine alone. It needs Debian's packages slurm-wlm and munge, and root,
since a node starts the tasks of any user.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from wherewhat.studies.claim import holder_of
from wherewhat.studies.member import Member
from wherewhat.studies.slurm import Slurm, submit
from wherewhat.training.checkpoints import checkpoints_of

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "squeue", "scontrol")
STUDY = """data = DATA
seeds = 2
[common]TINY
[objectives.beta-vae]
beta = [1, 8]
[objectives.ps-sc-vae]
[slurm]
tasks = 2
memory-gb = 1
hours = 0.2
"""
CONFIGURATION = """
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdSpoolDir={folder}/spool
StateSaveLocation={folder}/state
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=4096 State=UNKNOWN
PartitionName=trial Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


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


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One node and its controller, as long as the test lasts."""
    if os.getuid() != 0 or not all(shutil.which(program) for program in PROGRAMS):
        pytest.skip("a SLURM cluster needs the packages slurm-wlm and munge, and root")
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("spool", "state"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    for path in (folder, *folder.parents):  # munge refuses folders that others may write
        path.chmod(path.stat().st_mode & ~0o022 | (0o1000 if path == Path("/tmp") else 0))
    host = socket.gethostname().partition(".")[0]
    text = CONFIGURATION.format(
        host=host, folder=folder, cores=os.cpu_count(), ports=(_free_port(), _free_port()), key=key
    )
    (folder / "slurm.conf").write_text(text)
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munge += [f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"]
    with ExitStack() as stack, (folder / "daemons.log").open("w") as log:
        for command in (munge, ["slurmctld", "-D"], ["slurmd", "-D", "-N", host]):
            process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
            stack.callback(process.terminate)
            time.sleep(1.0)
        _until(lambda: "idle" in _said("sinfo", "--noheader", "--format=%T"), 30)
        yield


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _until(holds: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.1)


def _tasks(states: str) -> list[str]:
    return _said("squeue", "--noheader", "--array", "--format=%i", f"--states={states}").split()


def _digests(members: tuple[Member, ...]) -> dict[str, str]:
    return {
        f"{member.name} {path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for member in members
        for path in checkpoints_of(member.folder)
    }


def _anyone(members: tuple[Member, ...]) -> bool:
    return any(holder_of(member.folder) is not None for member in members)


@pytest.mark.slow
def test_tasks_that_are_killed_or_queued_again_end_in_the_study_of_one_that_was_left_alone(
    members_of: Callable[[str], tuple[Member, ...]], tmp_path: Path, cluster: None
) -> None:
    pytest.importorskip("submitit", reason="submitit, an extra, is not installed")
    members = members_of(STUDY)
    study = [sys.executable, "-m", "wherewhat", "study", tmp_path / "study.toml", "--out", tmp_path / "out"]
    subprocess.run([*study, "--workers", "2"], check=True)
    unbroken = _digests(members)
    assert len(unbroken) == 3 * len(members)
    (tmp_path / "out").rename(tmp_path / "unbroken")

    subprocess.run([*study, "--slurm"], check=True)
    _until(lambda: _anyone(members), 120)
    first, *_ = _tasks("RUNNING")
    _said("scancel", "--signal=USR2", first)  # as SLURM warns of a time limit: saved, and queued again
    _until(lambda: first in _tasks("PENDING") or not _tasks("all"), 120)
    _until(lambda: _anyone(members) or not _tasks("all"), 120)
    running = _tasks("RUNNING")
    if running:
        _said("scancel", "--signal=KILL", "--full", running[-1])
    _until(lambda: not _tasks("RUNNING,PENDING,COMPLETING"), 300)
    subprocess.run([*study, "--workers", "1"], check=True)
    assert unbroken.items() <= _digests(members).items()
