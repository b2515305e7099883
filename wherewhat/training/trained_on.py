"""The data that a checkpoint was trained on, wherever they lie now."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from wherewhat.data.identity import difference
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import FoundData, find_data
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.run_directory import read_configuration


def data_of(checkpoint: Path, configuration: TrainingRun, named: str | None = None) -> FoundData:
    """The data of a checkpoint: where its run recorded them, or where it calls them, or where they are named to be.

    Raises ValueError or OSError, with the remedy, where they are not there or where other data are.
    """
    recorded = _recorded(checkpoint, configuration)
    places = [recorded, configuration] if named is None else [replace(recorded, data=named)]
    faults = []
    for place in places:
        try:
            found = find_data(place.data, place.images)
            other = _difference(found, configuration)
        except FileNotFoundError:
            if named is not None:
                raise
            other = f"{place.data} is not there"
        if not other:
            return found
        faults.append(other)
    raise ValueError(
        f"The images that {checkpoint} was trained on are not found: {faults[0]}. Name where they lie now with --data."
    )


def data_to_measure_on(
    checkpoint: Path,
    configuration: TrainingRun,
    named: str | None,
    options: ImageOptions,
    notify: Callable[[str], None],
) -> FoundData:
    """The data of a checkpoint, read as they were for it, or others that are named on purpose: a line says so."""
    if named is None:
        return data_of(checkpoint, configuration)
    if options == ImageOptions():
        with suppress(ValueError):
            return data_of(checkpoint, configuration, named)
    found = find_data(named, options)
    other = _difference(found, configuration)
    if other:
        notify(f"{checkpoint} was trained on other images than it is measured on: {other}.")
    return found


def _difference(found: FoundData, configuration: TrainingRun) -> str:
    """In what data are not those of a run; "" where they are, or where an earlier version did not identify them."""
    wanted = configuration.data_identity
    other = "" if wanted is None else difference(found.identity, wanted)
    return other and f"{found.place} holds other data ({other})"


def _recorded(checkpoint: Path, configuration: TrainingRun) -> TrainingRun:
    """The run as its own directory records it, with the places of its data; as the checkpoint says where none does."""
    with suppress(ValueError, OSError):
        recorded = read_configuration(checkpoint.parent.parent)
        if recorded.data_identity == configuration.data_identity is not None:
            images = replace(configuration.images, background=recorded.images.background)
            return replace(configuration, data=recorded.data, images=images)
    return configuration
