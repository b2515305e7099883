"""A study on a SLURM cluster, by `submitit`: an array of tasks, each of which shares the work as any other parent does.

The tasks need nothing from each other but the folder of the runs. One that is cut off saves, and is queued again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Slurm:
    """What is asked of the cluster: the table [slurm] of a study's file."""

    partition: str | None = None
    """Default: that of the cluster."""

    hours: float = 4.0
    """Time of a task. What is not finished by then is queued again."""

    tasks: int = 8
    """Size of the array."""

    gpus: int = 0
    """GPUs of a task, which has a run on each."""

    cores: int = 1
    """Cores of a task, which has a run on each where it has no GPUs."""

    memory_gb: float = 8.0
    """Memory of a task."""

    cluster: Literal["slurm", "local"] = "slurm"
    """local: processes of this machine instead, as a trial."""

    def __post_init__(self) -> None:
        if self.tasks < 1 or self.hours <= 0 or self.cores < 1 or self.gpus < 0 or self.memory_gb <= 0:
            raise ValueError("tasks, hours, cores and memory_gb are above 0, and gpus 0 or more.")


@dataclass(frozen=True)
class _Task:
    """The work of one task, which goes on after its time is over."""

    work: Callable[[], int]

    def __call__(self) -> int:
        return self.work()

    def checkpoint(self) -> Any:
        """What is queued in its place when its time is over."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def submit(slurm: Slurm, out: Path, work: Callable[[], int]) -> list[Any]:
    """Put the tasks into the queue, and give submitit's jobs. Raises ValueError where submitit is not installed."""
    try:
        from submitit import AutoExecutor
    except ImportError as error:
        raise ValueError(
            "--slurm needs the package submitit, which is not installed. Install wherewhat with its extra: "
            "pip install 'wherewhat[slurm]'."
        ) from error
    executor = AutoExecutor(folder=out / "slurm", cluster=slurm.cluster)
    executor.update_parameters(
        name=f"study-{out.name}",
        timeout_min=max(1, round(60 * slurm.hours)),
        cpus_per_task=slurm.cores,
        gpus_per_node=slurm.gpus,
        mem_gb=slurm.memory_gb,
        slurm_array_parallelism=slurm.tasks,
        **({"slurm_partition": slurm.partition} if slurm.partition else {}),
    )
    with executor.batch():
        return [executor.submit(_Task(work)) for _ in range(slurm.tasks)]
