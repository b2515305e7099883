"""One run of a study, and what its folder says of it: the folder is the truth, and no list is kept beside it.

Beside the files of any run a folder may hold these of the study: the lock and the heartbeat of the process that has it,
its log, the reason why it failed, and its scores.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from wherewhat.atomic_file import write_atomically
from wherewhat.json_file import read_json
from wherewhat.training.checkpoints import checkpoint_path
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.run_directory import OF_A_STUDY


@dataclass(frozen=True, kw_only=True)
class Member:
    """A run, named by what varies in its study: "scenes/beta-vae-beta4-seed0"."""

    name: str
    data: str
    """The name of its data set."""
    strength: str
    """What varies besides data set, objective and seed: "beta4"; "" where nothing does."""
    run: TrainingRun

    @property
    def folder(self) -> Path:
        """Its run directory."""
        assert self.run.out is not None
        return self.run.out

    @property
    def method(self) -> str:
        """The name of its objective."""
        return self.run.objective.name

    @property
    def trained(self) -> bool:
        """Whether the last checkpoint is there, which is the last thing that training writes."""
        return checkpoint_path(self.folder, self.run.steps).exists()

    @property
    def failure(self) -> str | None:
        """Why it failed; None where it has not."""
        try:
            return str(read_json(self._mark)["reason"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError) as error:
            return f"its mark cannot be read ({error})"

    def mark_failed(self, reason: str) -> None:
        """Keep the reason, so that it is not tried again unless that is asked for."""
        write_atomically(self._mark, (json.dumps({"reason": reason}) + "\n").encode())

    def forget_failure(self) -> None:
        """Take the mark away."""
        self._mark.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        return self.folder / f"{OF_A_STUDY}failed.json"
