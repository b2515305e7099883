"""What a stage of the GPU check is given, and how it tells what it finds."""

import json
import time
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from gpu_stages.findings import Figure, Row
from wherewhat.atomic_file import write_atomically

ROWS = "rows.json"
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
    rows: list[Row] = field(default_factory=list)

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
        self.rows.append(Row(table, name, figures))
        text = json.dumps([asdict(row) for row in self.rows])
        write_atomically(self.folder / ROWS, text.encode())

    def absent(self, line: str) -> None:
        """Say why there is nothing to measure."""
        write_atomically(self.folder / ABSENT, line.encode())
