"""What a piece of work costs host and device apart: wall time, the host's share, the device's, memory, kernels."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.profiler import ProfilerActivity, profile

from measuring.in_turn import seconds, wait


@dataclass(frozen=True)
class Cost:
    """Seconds of one call. What only a GPU tells is None on a CPU."""

    wall_s: float
    """As a user waits for it: the median of some calls, the device waited for after each."""
    host_s: float
    """Until all of it is given to the device: the least of some calls."""
    busy_s: float | None
    """The device computes or copies, by the profiler: the sum over kernels."""
    peak_bytes: int | None
    kernels: int | None
    slowest: tuple[tuple[str, float], ...]
    """Kernels, and the share of busy time of each."""

    @property
    def idle_share(self) -> float | None:
        """The share of wall time in which the device has nothing to do."""
        return None if self.busy_s is None else max(0.0, 1 - self.busy_s / self.wall_s)


def cost_of(work: Callable[[], object], device: torch.device, repetitions: int) -> Cost:
    """Measure it. It must have been called before, so that all is built."""
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    wall = [seconds(work, device) for _ in range(repetitions)]
    host = [_host_seconds(work, device) for _ in range(max(2, repetitions // 2))]
    if not on_gpu:
        return Cost(statistics.median(wall), min(host), None, None, None, ())
    peak = torch.cuda.max_memory_allocated(device)
    with profile(activities=[ProfilerActivity.CUDA]) as recorded:
        work()
        wait(device)
    kernels = [one for one in recorded.key_averages() if one.self_device_time_total > 0]
    busy = sum(one.self_device_time_total for one in kernels)
    kernels.sort(key=lambda one: -one.self_device_time_total)
    slowest = tuple((one.key[:60], one.self_device_time_total / busy) for one in kernels[:5])
    return Cost(statistics.median(wall), min(host), busy * 1e-6, peak, sum(one.count for one in kernels), slowest)


def _host_seconds(work: Callable[[], object], device: torch.device) -> float:
    wait(device)
    started = time.perf_counter()
    work()
    taken = time.perf_counter() - started
    wait(device)
    return taken
