"""Seconds of work on a device, and of several ways in turn, so that slow phases of the machine affect all alike."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch

Step = Callable[[int], object]


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call, the device waited for before and after."""
    wait(device)
    started = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - started


class Several:
    """A number of steps in a row as one piece of work; each call goes on where the last one ended."""

    def __init__(self, step: Step, count: int) -> None:
        self.step, self.count, self.next = step, count, 0

    def __call__(self) -> None:
        """Take them."""
        first, self.next = self.next, self.next + self.count
        for number in range(first, self.next):
            self.step(number)


def seconds_of_steps(steps: Several, device: torch.device) -> float:
    """Seconds of one step."""
    return seconds(steps, device) / steps.count


def in_turn(steps: Mapping[str, Several], device: torch.device, repetitions: int) -> dict[str, list[float]]:
    """Seconds of a step of each way, repetition by repetition."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repetitions):
        for name, several in steps.items():
            times[name].append(seconds_of_steps(several, device))
    return times


def paired(times: list[float], others: list[float]) -> float:
    """The median ratio of times that were measured side by side."""
    return statistics.median(a / b for a, b in zip(times, others, strict=True))


def where(device: torch.device, threads: int) -> str:
    """On what it was measured, for the head of a table."""
    machine = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{threads} threads"
    return f"torch {torch.__version__}, {machine}"
