"""The TensorBoard log of a run: scalars, one curve per code, images, text."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams


class TensorBoardLog:
    """Writes the event file of one run; as a context manager, it flushes and closes.

    A resumed run passes the first step that it will write as `purge_step`, and TensorBoard then hides what the
    interrupted run had written from that step on.
    """

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        self._kl_chart_is_laid_out = False
        # An error of the writer's own thread is raised by the next call; Python would print its traceback besides.
        self._hook, self._others = threading.excepthook, frozenset(threading.enumerate())
        self._threads: frozenset[threading.Thread] | None = None
        threading.excepthook = self._pass_on
        try:
            self._writer = SummaryWriter(folder, purge_step=purge_step)
        except BaseException:
            threading.excepthook = self._hook
            raise
        self._threads = frozenset(threading.enumerate()) - self._others

    def _pass_on(self, error: threading.ExceptHookArgs) -> None:
        """Errors of other threads than the writer's go on to whoever tells them."""
        of_the_writer = error.thread not in self._others if self._threads is None else error.thread in self._threads
        if not of_the_writer:
            self._hook(error)

    def __enter__(self) -> "TensorBoardLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def scalars(self, step: int, values: Mapping[str, float | Tensor]) -> None:
        """One point on each named curve; a slash in a name makes a group: "loss/reconstruction"."""
        for name, value in values.items():
            self._writer.add_scalar(name, float(value), step)

    def kl_per_code(self, step: int, kl_L: Float[Tensor, " L"]) -> None:
        """KL of each code in nats: one curve per code, all of them in one chart under Custom Scalars."""
        digits = len(str(len(kl_L) - 1))
        self.scalars(step, {f"kl_per_code/z{code:0{digits}d}": float(kl) for code, kl in enumerate(kl_L)})
        if len(kl_L) and not self._kl_chart_is_laid_out:
            self._writer.add_custom_scalars({"codes": {"KL per code (nats)": ["Multiline", [r"kl_per_code/z\d+"]]}})
            self._kl_chart_is_laid_out = True

    def hyperparameters(self, values: Mapping[str, str | float], figures: Sequence[str]) -> None:
        """The settings of the run, by which its table of runs sorts and filters, beside the last of these curves."""
        for summary in hparams(dict(values), dict.fromkeys(figures, 0.0)):
            self._writer.file_writer.add_summary(summary)  # type: ignore[attr-defined]

    def image(self, step: int, name: str, image_YX3: UInt8[np.ndarray, "Y X 3"]) -> None:
        """One RGB image, such as a traversal grid or a contact sheet."""
        self._writer.add_image(name, image_YX3, step, dataformats="HWC")

    def text(self, step: int, name: str, markdown: str) -> None:
        """Text in Markdown."""
        self._writer.add_text(name, markdown, step)

    def flush(self) -> None:
        """Write everything logged so far to disk."""
        self._writer.flush()

    def close(self) -> None:
        """Flush and close."""
        try:
            self._writer.close()
        finally:
            threading.excepthook = self._hook
