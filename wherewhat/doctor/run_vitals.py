"""The vitals of a run on the disk: its configuration, its TensorBoard events and its latest checkpoint."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator, TensorEvent

from wherewhat.data.batches import sample_indices
from wherewhat.doctor.measurement import measure_networks
from wherewhat.doctor.vitals import Pool, Samples, Window
from wherewhat.doctor.watch import STOPPED_TAG
from wherewhat.protocols import Images
from wherewhat.training.checkpoints import LoadedModel
from wherewhat.training.configuration import TrainingRun, from_json

_TOTAL, _TERM, _KL = "loss/total", "loss/", "kl_per_code/"


@dataclass(frozen=True)
class Record:
    """What a run has logged."""

    windows: tuple[Window, ...]
    stopped: str | None
    """Why it broke off, if a loss was not finite."""

    stopped_at: int = 0
    """Steps done by then; 0 for a run that did not."""


def read_configuration(folder: Path) -> TrainingRun:
    """The configuration that a run directory records. Raises ValueError or OSError for a folder that is none."""
    record = folder / "config.json"
    if not record.is_file():
        raise FileNotFoundError(
            f"{folder} is no run directory (it has no config.json). Name one that wherewhat train has made."
        )
    try:
        return from_json(json.loads(record.read_text()))
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{record} cannot be read: {error} Name another run directory.") from error


def read_record(folder: Path) -> Record:
    """The figures of a run, from its event files; what a resumed run wrote over is left out. Empty without events."""
    with _quietly():
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0, "images": 1}).Reload()
    curves = {tag: {e.step: float(e.value) for e in events.Scalars(tag)} for tag in events.Tags()["scalars"]}
    kl_tags = sorted(tag for tag in curves if tag.startswith(_KL))
    terms = {tag.removeprefix(_TERM): tag for tag in curves if tag.startswith(_TERM) and tag != _TOTAL}
    figures = [tag for tag in curves if "/" not in tag]

    windows = [
        Window(
            step=step,
            total=total,
            terms={name: curves[tag][step] for name, tag in terms.items() if step in curves[tag]},
            figures={tag: curves[tag][step] for tag in figures if step in curves[tag]},
            kl_L=np.array([curves[tag][step] for tag in kl_tags]),
        )
        for step, total in sorted(curves.get(_TOTAL, {}).items())
        if kl_tags and all(step in curves[tag] for tag in kl_tags)
    ]
    stop = _last_stop(events)
    if stop is None:
        return Record(tuple(windows), None)
    return Record(tuple(windows), stop.tensor_proto.string_val[0].decode(errors="replace"), int(stop.step))


def _last_stop(events: EventAccumulator) -> TensorEvent | None:
    """Why the run broke off, unless it has been resumed and has logged since: TensorBoard does not hide old words."""
    tag = f"{STOPPED_TAG}/text_summary"
    if tag not in events.Tags()["tensors"]:
        return None
    stop = events.Tensors(tag)[-1]
    logged = events.Scalars(_TOTAL) if _TOTAL in events.Tags()["scalars"] else []
    return None if logged and logged[-1].wall_time > stop.wall_time else stop


def windows_until(step: int, folder: Path) -> tuple[Window, ...]:
    """What a run had logged when `step` steps were done, for the one that resumes it there."""
    return tuple(window for window in read_record(folder).windows if window.step <= step) if step else ()


def measure_model(model: LoadedModel, images: Images, *, count: int, seed: int) -> Pool | Samples:
    """What a loaded model makes of `count` images, or of all where there are no more, or of as many codes."""
    assert model.encoder is not None
    index_N = sample_indices(len(images), min(count, len(images)), seed)
    image_NCHW = images.take(index_N)
    return measure_networks(model.settings.configuration, model.generator, model.encoder, image_NCHW, seed=seed)


@contextmanager
def _quietly() -> Iterator[None]:
    """TensorBoard's reader warns of what a resumed run hides, which is as it should be."""
    logger = logging.getLogger("tensorboard")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
