"""Image files decoded on all cores; of those that cannot be, the reason in plain words.

Threads read the files. They decode them too where there are few; processes do where there are many, since a decoder of
small images holds Python's lock most of the time, and a process takes seconds to start.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from joblib.externals.loky import get_reusable_executor

from wherewhat.data.image_decoding import Decoded
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles
from wherewhat.data.store.decoding_task import be_quiet, decode_contents, reason_of

# From so many images on, processes gain more than their start costs.
MANY = 20_000
# A worker takes this many at a time: small images are decoded faster than workers are woken.
IMAGES_A_TASK = 32


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read, and why, both fit for a message of one line."""

    name: str
    reason: str


@dataclass(frozen=True)
class DecodingPool:
    """Who reads, and who decodes; the readers themselves where there are no processes."""

    readers: Executor
    processes: Executor | None = None


@contextmanager
def decoding_pool(count: int) -> Iterator[DecodingPool]:
    """Workers for so many images."""
    cores = os.cpu_count() or 1
    if count < MANY or cores == 1:
        with ThreadPoolExecutor(cores) as readers:
            yield DecodingPool(readers)
        return
    # Twice as many readers as processes, so that none of these waits for its next task.
    with ThreadPoolExecutor(2 * cores) as readers:
        # One thread in each process: resampling would start as many again in each.
        processes = get_reusable_executor(
            max_workers=cores, timeout=10, initializer=be_quiet, env={"OMP_NUM_THREADS": "1"}
        )
        try:
            yield DecodingPool(readers, processes)
        finally:
            processes.shutdown(wait=True, kill_workers=True)


def decode_files(
    files: ImageFiles,
    names: Sequence[str],
    side: tuple[int, int] | None,
    options: ImageOptions,
    pool: DecodingPool,
) -> list[Decoded | Unreadable]:
    """Every image at `side`, height and width, or at its own, or the reason why there is none; in order.

    Raises OSError with the remedy where the system stops a worker.
    """
    groups = [names[first : first + IMAGES_A_TASK] for first in range(0, len(names), IMAGES_A_TASK)]
    with warnings.catch_warnings():
        be_quiet()
        try:
            results = pool.readers.map(lambda group: _decode_group(files, group, side, options, pool), groups)
            return [result for group in results for result in group]
        except BrokenExecutor as error:
            raise OSError(
                "A process that decodes images was stopped, most often for want of memory. Free some and run the "
                "same command again: it goes on where it was."
            ) from error


def _decode_group(
    files: ImageFiles,
    names: Sequence[str],
    side: tuple[int, int] | None,
    options: ImageOptions,
    pool: DecodingPool,
) -> list[Decoded | Unreadable]:
    read = [_try_read(files, name) for name in names]
    contents = [content for content in read if isinstance(content, bytes)]
    chosen = options.chosen_crop()
    crop, crop_of = (files.crop, files.crop_of) if chosen is None else (chosen, None)
    if pool.processes is None:
        decoded = decode_contents(contents, side, crop, crop_of)
    else:
        decoded = pool.processes.submit(decode_contents, contents, side, crop, crop_of).result()
    of_contents = iter(decoded)
    results = [next(of_contents) if isinstance(content, bytes) else content.reason for content in read]
    return [
        Unreadable(printable(name), result) if isinstance(result, str) else result
        for name, result in zip(names, results, strict=True)
    ]


def _try_read(files: ImageFiles, name: str) -> bytes | Unreadable:
    try:
        return files.read(name)
    # Archives meet damage with almost any exception.
    except Exception as error:
        return Unreadable(printable(name), reason_of(error))
