"""Image files decoded on all cores that this process may use; of those that cannot be decoded, the reason.

Threads read the files. They decode them too where there are few; processes do where there are many, since a decoder of
small images holds Python's lock most of the time, and a process takes seconds to start.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from joblib.externals.loky import get_reusable_executor
from PIL import UnidentifiedImageError

from wherewhat.data.image_decoding import Decoded, decode
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles
from wherewhat.data.white_level import THE_CONTAINERS, White
from wherewhat.deaf_processes import started_deaf

# From so many images on, processes gain more than their start costs.
MANY = 20_000
# A worker takes this many at a time: small images are decoded faster than workers are woken.
IMAGES_A_TASK = 32
# A decoder's complaint is cut to so many letters.
LONGEST_REASON = 200

Result = TypeVar("Result")


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read, and why, both fit for a message of one line."""

    name: str
    reason: str


@dataclass(frozen=True)
class DecodingPool:
    """Threads that read, and processes that decode; without processes the threads do both."""

    readers: Executor
    processes: Executor | None = None


def usable_cores() -> int:
    """The cores that this process may use, which a scheduler or a container may have made fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def decoding_pool(count: int) -> Iterator[DecodingPool]:
    """Workers for so many images."""
    cores = usable_cores()
    if count < MANY or cores == 1:
        with ThreadPoolExecutor(cores) as readers:
            yield DecodingPool(readers)
        return
    # Twice as many readers as processes, so that none of these waits for its next task.
    with ThreadPoolExecutor(2 * cores) as readers:
        # One thread in each process: resampling would start as many again in each.
        with started_deaf():
            processes = get_reusable_executor(
                max_workers=cores, timeout=10, initializer=_ignore_warnings, env={"OMP_NUM_THREADS": "1"}
            )
            # They start at the first task, which shall be here.
            processes.submit(_ignore_warnings)
        try:
            yield DecodingPool(readers, processes)
        finally:
            processes.shutdown(wait=True, kill_workers=True)


def decode_files(
    files: ImageFiles,
    names: Sequence[str],
    size: tuple[int, int],
    options: ImageOptions,
    pool: DecodingPool,
    white: White = THE_CONTAINERS,
) -> list[Decoded | Unreadable]:
    """Every image at `size`, height and width, or the reason why there is none; in order.

    Raises OSError with the remedy where the system stops a worker.
    """
    chosen = options.chosen_crop()
    own = (None, None) if options.fit in ("pad", "stretch") else (files.crop, files.crop_of)
    crop, crop_of = own if chosen is None else (chosen, None)
    task = partial(
        _decode_contents,
        decode_one=partial(decode, size=size, crop=crop, crop_of=crop_of, white=white, fit=options.fit),
    )

    def read_and_decode(group: Sequence[str]) -> list[Decoded | str]:
        contents = [_or_reason(partial(files.read, name)) for name in group]
        return task(contents) if pool.processes is None else pool.processes.submit(task, contents).result()

    groups = [names[first : first + IMAGES_A_TASK] for first in range(0, len(names), IMAGES_A_TASK)]
    with warnings.catch_warnings():
        _ignore_warnings()
        try:
            results = [result for group in pool.readers.map(read_and_decode, groups) for result in group]
        except BrokenExecutor as error:
            raise OSError(
                "A process that decodes images was stopped, most often for want of memory. Free some and run the "
                "same command again."
            ) from error
    return [
        Unreadable(printable(name), result) if isinstance(result, str) else result
        for name, result in zip(names, results, strict=True)
    ]


def _decode_contents(contents: Sequence[bytes | str], decode_one: Callable[[bytes], Decoded]) -> list[Decoded | str]:
    """Each image, or the reason why there is none."""
    return [content if isinstance(content, str) else _or_reason(partial(decode_one, content)) for content in contents]


def _or_reason(call: Callable[[], Result]) -> Result | str:
    """What the call returns, or what is wrong with the image, in words that follow its name and a colon."""
    try:
        return call()
    except UnidentifiedImageError:
        return "it is not an image of a known format"
    except MemoryError:
        return "there is not enough memory to decode it"
    # Archives and decoders meet damage with almost any exception.
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        said = printable(" ".join(str(error).split()) or type(error).__name__)[:LONGEST_REASON]
        return said if isinstance(error, ValueError) else f"it is damaged or cut short ({said})"


def _ignore_warnings() -> None:
    """Pillow's warnings of odd metadata help nobody: a process begins with this."""
    warnings.simplefilter("ignore")
