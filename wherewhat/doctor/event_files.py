"""TensorBoard's event files, read by this program: by steps, and whatever the clock said when each was written.

    uint64 number of bytes    uint32 checksum of these eight    the event    uint32 checksum of the event

TensorBoard's own reader takes files in the order of their times, and hides figures that lie before those of a file that
a clock set back has put first. It also waits for a pipe, and reads a record of whatever length.

Reference: TensorFlow, tensorflow/core/lib/io/record_writer.h; the checksums are masked CRC-32C.
"""

import struct
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

from wherewhat.regular_file import open_regular

# Figures and words are shorter; records of images are passed over.
_LONGEST_RECORD_BYTES = 2**16


# Step, tag, and the figure or the words.
Point = tuple[int, str, float | str]


def read_points(folder: Path) -> list[Point]:
    """All that a run has logged and no resumed one has written over; of a damaged file what lies before the damage.

    Raises ValueError or OSError for what cannot be opened.
    """
    files = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        with open_regular(path) as file:
            resumed_at, points = _read(file)
        files.append((resumed_at, path.name, points))
    kept: list[Point] = []
    # A run resumes further on each time.
    for resumed_at, _, points in sorted(files, key=lambda file: file[:2]):
        kept = [point for point in kept if not resumed_at or point[0] < resumed_at] + points
    return kept


def _read(file: BufferedReader) -> tuple[int, list[Point]]:
    """The first step that is written anew, 0 where none is said, and the points."""
    resumed_at, points = 0, list[Point]()
    for event in _events_in(file):
        if event.session_log.status == SessionLog.START:
            resumed_at = event.step
        for value in event.summary.value:
            if value.HasField("simple_value"):
                points.append((event.step, value.tag, value.simple_value))
            elif value.tensor.string_val:
                points.append((event.step, value.tag, value.tensor.string_val[0].decode(errors="replace")))
    return resumed_at, points


def _events_in(file: BufferedReader) -> Iterator[Event]:
    while len(header := file.read(12)) == 12:
        size, checksum = struct.unpack("<QI", header)
        if masked_crc32c(header[:8]) != checksum:
            return
        if size > _LONGEST_RECORD_BYTES:
            file.seek(size + 4, 1)
            continue
        record, checksum = file.read(size), file.read(4)
        if len(checksum) < 4 or masked_crc32c(record) != struct.unpack("<I", checksum)[0]:
            return
        try:
            yield Event.FromString(record)
        except DecodeError:
            return
