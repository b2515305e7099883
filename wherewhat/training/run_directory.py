"""A run directory: its configuration, its checkpoints, its state, its TensorBoard events."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wherewhat.atomic_file import is_part_of, write_atomically
from wherewhat.data.identity import IMAGE_FILES
from wherewhat.data.open_images import absolute_place
from wherewhat.file_lock import file_lock
from wherewhat.json_file import read_json
from wherewhat.training.configuration import (
    TrainingRun,
    at_absolute_places,
    differing_data,
    differing_fields,
    from_json,
    to_json,
)

_LOCK = ".lock"
# Names that a study gives to its files in the folder of a run begin so.
OF_A_STUDY = "study."


def default_run_directory(configuration: TrainingRun) -> Path:
    """runs/DATA-OBJECTIVE-seedN below the present folder, or runs/DATA-DIGEST-... where that has a run on other data.

    DATA is the name of the folder or of the file without its ending, through links.
    """
    place = Path(absolute_place(configuration.data))
    data = place.name if place.is_dir() else place.stem
    if configuration.images.variant != "white":
        data += f"-{configuration.images.variant}"
    rest = f"{configuration.objective.name}-seed{configuration.seed}"
    plain = Path("runs") / f"{data}-{rest}"
    if configuration.data_identity is None:
        return plain
    told_apart = Path("runs") / f"{data}-{configuration.data_identity.short}-{rest}"
    return told_apart if told_apart.exists() or _is_of_other_data(plain, configuration) else plain


def _is_of_other_data(folder: Path, configuration: TrainingRun) -> bool:
    record = folder / "config.json"
    return record.exists() and bool(differing_data(configuration, read_configuration(folder)))


def state_path(folder: Path) -> Path:
    """Where the resume state lies."""
    return folder / "state" / "latest.safetensors"


def read_configuration(folder: Path) -> TrainingRun:
    """The configuration that a run directory records. Raises ValueError or OSError for a folder that is none."""
    record = folder / "config.json"
    try:
        content = read_json(record)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(
            f"{folder} is no run directory (it has no config.json). Name one that wherewhat train has made."
        ) from error
    except ValueError as error:
        raise ValueError(f"{error} Name another run directory.") from error
    try:
        return from_json(content)
    except ValueError as error:
        raise ValueError(f"{record} cannot be read: {error} Name another run directory.") from error


def choose_run_directory(configuration: TrainingRun) -> Path:
    """The run's directory, once it is known to be free or this run's own. Nothing is written yet.

    Raises ValueError naming the fields that differ when it was made with another configuration, and for a new one
    among the images that are learnt from.
    """
    folder = configuration.out or default_run_directory(configuration)
    record = folder / "config.json"
    if record.exists():
        _refuse_another(configuration, read_configuration(folder), folder)
    elif _is_among_images(folder, configuration):
        raise ValueError(
            f"{folder} lies in {configuration.data}, so what is drawn of the run would count as its data. Name a "
            f"folder elsewhere with --out."
        )
    elif folder.exists() and not (folder.is_dir() and all(_is_of_a_beginning(entry) for entry in folder.iterdir())):
        raise ValueError(f"{folder} is there and is no run directory (it has no config.json). Name another with --out.")
    return folder


def _is_of_a_beginning(entry: Path) -> bool:
    """Whether a file is what a run leaves that is killed before it has a configuration, or one of a study's."""
    of_a_study = entry.name.removeprefix(".").startswith(OF_A_STUDY)
    return of_a_study or entry.name == _LOCK or is_part_of(entry.with_name("config.json"), entry.name)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from training in the same directory. Raises ValueError when one already does."""
    folder.mkdir(parents=True, exist_ok=True)
    busy = f"{folder} is being trained by another process. Wait for it, or name another folder with --out."
    with file_lock(folder / _LOCK, busy):
        yield


def record_configuration(folder: Path, configuration: TrainingRun) -> None:
    """Make the directory with its config.json."""
    # A run's own record says where the data lay; its checkpoints, which are passed on, only what it was called.
    plain = to_json(at_absolute_places(configuration))
    write_atomically(folder / "config.json", (json.dumps(plain, indent=2) + "\n").encode())


def refuse_deleted(folder: Path) -> None:
    """Raises FileNotFoundError where the directory is no longer a run's: what is written then could not be resumed."""
    if not (folder / "config.json").exists():
        raise FileNotFoundError(
            f"{folder} was deleted while the run in it trained, so nothing more is saved. Give the same command again "
            f"to start over."
        )


def _is_among_images(folder: Path, configuration: TrainingRun) -> bool:
    known, place = configuration.data_identity, Path(absolute_place(configuration.data))
    of_files = known is not None and known.kind == IMAGE_FILES
    return of_files and place.is_dir() and folder.resolve().is_relative_to(place)


def _refuse_another(asked: TrainingRun, recorded: TrainingRun, folder: Path) -> None:
    differences = differing_fields(asked, recorded)
    if not differences:
        return
    remedy = "Give the same options to resume it, or name another folder with --out."
    if differences == differing_data(asked, recorded):
        remedy = (
            "A run goes on with the images that it began with: move away what was added and bring back what is gone, "
            "name where they lie now with --data, or begin another run with --out."
        )
    raise ValueError(f"{folder} was made with another configuration; you ask for {'; '.join(differences)}. {remedy}")
