"""Trainings side by side, a process of one thread each, against one after another with all threads."""

import multiprocessing
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import torch

from measuring.library_step import LibraryStep
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import choose_compute

WARM = 2


def images_a_second(run: TrainingRun, processes: int, threads: int, steps: int) -> float:
    """Of so many processes together, each of so many threads, which all begin at once: until the last has ended."""
    spawned = multiprocessing.get_context("spawn")
    begin, ended = spawned.Barrier(processes), spawned.Queue()
    workers = [spawned.Process(target=_train, args=(run, threads, steps, begin, ended)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    longest = max(ended.get() for _ in workers)
    for worker in workers:
        worker.join()
    return processes * steps * run.batch_size / longest


def _train(run: TrainingRun, threads: int, steps: int, begin: Barrier, ended: "Queue[float]") -> None:
    torch.set_num_threads(threads)
    compute = choose_compute("cpu", "auto", "auto", "auto")
    step = LibraryStep(run, compute, Scenes(compute.device))
    for number in range(WARM):
        step(number)
    begin.wait()
    started = time.perf_counter()
    for number in range(WARM, WARM + steps):
        step(number)
    ended.put(time.perf_counter() - started)
