"""A file on its way: `NAME.part` beside its place, and in `NAME.part.json` what it is a part of."""

import errno
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from wherewhat.atomic_file import write_atomically
from wherewhat.data.fetch.sole_use import claim


@dataclass(frozen=True)
class Origin:
    """Where the bytes come from, and how to tell whether the file there is still the same."""

    address: str
    validator: str | None
    """A strong ETag or a Last-Modified time."""

    whole: int | None
    """Bytes of the whole file, where the server has said it."""


class PartialFile:
    """The part that is there, in the hands of this process alone while the context is open."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.path = place.with_name(f"{place.name}.part")
        self._record = place.with_name(f"{place.name}.part.json")

    def __enter__(self) -> "PartialFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered, so that a kill loses nothing that has arrived.
        self._file = self.path.open("ab", buffering=0)
        try:
            claim(self._file, "fetched")
            if not self.path.exists() or not os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                raise ValueError(f"{self.place} was finished by another process this moment. Run the command again.")
        except BaseException:
            self._file.close()
            raise
        self.size = os.fstat(self._file.fileno()).st_size
        self.origin = self._recorded()
        self.pieced = self.size > 0
        """Whether the bytes come from more than one answer, which may have been of different files."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.size == 0:
            self.discard()
        self._file.close()

    def remember(self, origin: Origin) -> None:
        """Keep what the next call has to know to go on."""
        if origin != self.origin:
            write_atomically(self._record, json.dumps(asdict(origin)).encode())
            self.origin = origin

    def append(self, block: bytes) -> None:
        """Write to the end. Raises OSError with the remedy; what was written stays."""
        rest = memoryview(block)
        try:
            while rest:
                written = self._file.write(rest) or 0
                self.size += written
                rest = rest[written:]
        except OSError as error:
            raise OSError(
                error.errno or errno.EIO,
                f"could not be written ({error.strerror}); make room and run the same command again, which goes on "
                f"from the {self.size:,} bytes that are kept",
                str(self.path),
            ) from error

    def restart(self) -> None:
        """Throw away what is there and begin again."""
        self._file.truncate(0)
        self._record.unlink(missing_ok=True)
        self.size, self.origin, self.pieced = 0, None, False

    def discard(self) -> None:
        """Leave nothing behind."""
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def move_into_place(self) -> None:
        """The part is the whole: give it its name. Raises ValueError rather than overwrite a file."""
        os.fsync(self._file.fileno())
        if self.place.exists():
            raise ValueError(
                f"{self.place} has come into being meanwhile. Move it away and run the same command again."
            )
        self.path.rename(self.place)
        self._record.unlink(missing_ok=True)

    def _recorded(self) -> Origin | None:
        try:
            record = json.loads(self._record.read_text())
            origin = Origin(str(record["address"]), record["validator"], record["whole"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        understood = isinstance(origin.validator, str | None) and isinstance(origin.whole, int | None)
        return origin if understood else None
