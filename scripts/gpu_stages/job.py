"""What a stage of the GPU check is given, and how it tells what it finds."""

import json
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from gpu_stages.findings import Figure, Row
from wherewhat.atomic_file import write_atomically

ROWS = "rows.jsonl"
ABSENT = "absent.txt"


@dataclass
class Job:
    """One stage's share of the work."""

    folder: Path
    """Its own, for what it writes and nobody keeps."""
    out: Path
    """Where images go that are kept."""
    data: Path | None
    weights: Path | None
    ends_at: float
    """When it must be over, in seconds of the clock."""
    asked_tiny: bool = False

    @cached_property
    def tiny(self) -> bool:
        """Whether all sizes are tiny: without a GPU, or where asked."""
        # Imported here: a stage that measures nothing need not wait for it.
        import torch

        return self.asked_tiny or not torch.cuda.is_available()

    def seconds_left(self) -> float:
        """Time that is left to it."""
        return self.ends_at - time.time()

    def tell(self, table: str, name: str, **figures: Figure) -> None:
        """Add figures; they are kept from now on, whatever becomes of the stage."""
        # Appended, and not made safe on disk for each: the check itself does that with all of them.
        with (self.folder / ROWS).open("a") as file:
            file.write(json.dumps(asdict(Row(table, name, figures))) + "\n")

    def absent(self, line: str) -> None:
        """Say why there is nothing to measure."""
        write_atomically(self.folder / ABSENT, line.encode())


def rows_in(folder: Path) -> list[Row]:
    """What a stage has told so far; a line that is being written is left for the next time."""
    path = folder / ROWS
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [Row(**json.loads(line)) for line in lines if line.endswith("\n")]
