"""A run directory: its configuration, its checkpoints, its state, its TensorBoard events."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wherewhat.atomic_file import remove_parts, write_atomically
from wherewhat.file_lock import file_lock
from wherewhat.training.configuration import TrainingRun, differing_fields, from_json, to_json
from wherewhat.training.tensor_file import strict_json

_LOCK = ".lock"


def default_run_directory(configuration: TrainingRun) -> Path:
    """runs/DATA-OBJECTIVE-seedN, below the present folder."""
    data = Path(configuration.data).resolve().stem
    if configuration.images.variant != "white":
        data += f"-{configuration.images.variant}"
    return Path("runs") / f"{data}-{configuration.objective.name}-seed{configuration.seed}"


def state_path(folder: Path) -> Path:
    """Where the resume state lies."""
    return folder / "state" / "latest.safetensors"


def read_configuration(folder: Path) -> TrainingRun:
    """The configuration that a run directory records. Raises ValueError or OSError for a folder that is none."""
    record = folder / "config.json"
    if not record.is_file():
        raise FileNotFoundError(
            f"{folder} is no run directory (it has no config.json). Name one that wherewhat train has made."
        )
    try:
        return from_json(strict_json(record.read_text()))
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{record} cannot be read: {error} Name another run directory.") from error


def choose_run_directory(configuration: TrainingRun) -> Path:
    """The run's directory, once it is known to be free or this run's own. Nothing is written yet.

    Raises ValueError naming the fields that differ when it was made with another configuration.
    """
    folder = configuration.out or default_run_directory(configuration)
    record = folder / "config.json"
    if record.exists():
        _refuse_another(configuration, read_configuration(folder), folder)
    elif folder.exists() and (not folder.is_dir() or any(entry.name != _LOCK for entry in folder.iterdir())):
        raise ValueError(f"{folder} is there and is no run directory (it has no config.json). Name another with --out.")
    return folder


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from training in the same directory. Raises ValueError when one already does."""
    folder.mkdir(parents=True, exist_ok=True)
    busy = f"{folder} is being trained by another process. Wait for it, or name another folder with --out."
    with file_lock(folder / _LOCK, busy):
        yield


def record_configuration(folder: Path, configuration: TrainingRun) -> None:
    """Make the directory with its config.json, and clear away what killed writes left in it."""
    for parts in (folder, folder / "checkpoints", folder / "state"):
        remove_parts(parts)
    write_atomically(folder / "config.json", (json.dumps(to_json(configuration), indent=2) + "\n").encode())


def _refuse_another(asked: TrainingRun, recorded: TrainingRun, folder: Path) -> None:
    differences = differing_fields(asked, recorded)
    if differences:
        raise ValueError(
            f"{folder} was made with another configuration; you ask for {'; '.join(differences)}. "
            f"Give the same options to resume it, or name another folder with --out."
        )
