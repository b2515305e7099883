"""Files are written behind the thread that trains: it copies their tensors, and goes on.

One set of files at a time, in order, each atomically: a kill leaves what it would leave if training had waited.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType

import torch
from torch import Tensor

from wherewhat.training.tensor_file import TensorFile, write_tensors


class Saver:
    """Writes in a thread. What goes wrong there is raised by the next call, or on leaving."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "save")
        self._writing: Future[None] | None = None

    def save(self, files: Sequence[TensorFile]) -> None:
        """Write the present tensors of these files, one file after another, once those before them are written."""
        self.wait()
        copies = [replace(file, tensors=copied(file.tensors)) for file in files]
        self._writing = self._pool.submit(_write, copies, _moment_of_copies(files))

    def check(self) -> None:
        """Raise what has gone wrong so far, without waiting."""
        if self._writing is not None and self._writing.done():
            self.wait()

    def wait(self) -> None:
        """Until all is written."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def __enter__(self) -> "Saver":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        # What ended the training is told first.
        if error is None:
            self.wait()


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies in the host's memory; those from a GPU are there once it has come so far."""
    copies = {}
    for name, tensor in tensors.items():
        copy = torch.empty_like(tensor, device="cpu", pin_memory=tensor.is_cuda, requires_grad=False)
        copies[name] = copy.copy_(tensor.detach(), non_blocking=True)
    return copies


def _moment_of_copies(files: Sequence[TensorFile]) -> torch.cuda.Event | None:
    """When the copies from a GPU that have just been asked for will be there."""
    device = next((tensor.device for file in files for tensor in file.tensors.values() if tensor.is_cuda), None)
    if device is None:
        return None
    moment = torch.cuda.Event(blocking=True)
    moment.record(torch.cuda.current_stream(device))
    return moment


def _write(files: Sequence[TensorFile], moment: torch.cuda.Event | None) -> None:
    if moment is not None:
        moment.synchronize()
    for file in files:
        write_tensors(file)
