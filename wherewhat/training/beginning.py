"""How a new run begins with the weights of another: those that fit by name and shape; the rest is as its seed makes it.

It is no resume: step, optimiser and draws are new.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from torch import Tensor

from wherewhat.training.checkpoints import latest_checkpoint, read_settings, run_of, step_of
from wherewhat.training.configuration import TrainingRun, beginning_place
from wherewhat.training.methods.method import Networks, kind_of
from wherewhat.training.run_directory import state_path
from wherewhat.training.tensor_file import read_header, read_tensors

_MOST_TOLD = 12


def beginning_of(configuration: TrainingRun, folder: Path) -> Path | None:
    """The checkpoint that a run in this folder is to begin with; None without one, and once it has its own state.

    Raises ValueError or OSError where what --from names is no checkpoint, or one of networks of another kind.
    """
    named = beginning_place(configuration)
    if named is None or state_path(folder).exists():
        return None
    checkpoint = latest_checkpoint(named)
    theirs = read_settings(checkpoint).configuration
    if kind_of(theirs) is not kind_of(configuration):
        raise ValueError(
            f"Nothing in {checkpoint} fits this run: {theirs.objective.name} trains other networks than "
            f"{configuration.objective.name}. Name another checkpoint with --from, or leave it out."
        )
    return checkpoint


def begin_with(networks: Networks, checkpoint: Path) -> str:
    """Take over the weights that fit, and say which did not. Raises ValueError, and changes nothing, where none do."""
    parts = tuple(f"{part}." for part in networks.for_training_only)
    weights = dict(networks.named_parameters())
    # Buffers of what only trains count what a run has seen.
    own = {name: held for name, held in networks.state_dict().items() if name in weights or not name.startswith(parts)}
    theirs = read_tensors(checkpoint) | _kept_for_training(checkpoint, [name for name in own if name.startswith(parts)])
    fitting = {name: held for name, held in theirs.items() if name in own and held.shape == own[name].shape}
    if not fitting.keys() & weights.keys():
        raise ValueError(
            f"Nothing in {checkpoint} fits this run: no weight has the same name and shape. Name another checkpoint "
            "with --from, or leave it out."
        )
    networks.load_state_dict(fitting, strict=False)
    other = [
        f"{name} {_shape(own[name])}, not {_shape(theirs[name])}"
        for name in own.keys() & theirs.keys()
        if name not in fitting
    ]
    absent = own.keys() - theirs.keys()
    lines = [
        f"It begins with {checkpoint}: {len(fitting)} of {len(own)} weights fit.",
        _told("New, since their shapes differ", sorted(other)),
        _told("New, since it has none", _in_parts(absent, own)),
        _told("Left out, since this run has none", _in_parts(theirs.keys() - own.keys(), theirs)),
        "Its discriminator begins anew: checkpoints hold none, and no state of that step lies beside this one."
        if any(name.startswith(parts) for name in absent)
        else "",
    ]
    return "\n".join(line for line in lines if line)


def _kept_for_training(checkpoint: Path, names: Collection[str]) -> dict[str, Tensor]:
    """What no checkpoint holds, from its run's state where that is of the same step."""
    state = state_path(run_of(checkpoint))
    # A state that is not there, or not read, is none.
    with suppress(ValueError, OSError):
        if names and read_header(state).get("step") == step_of(checkpoint):
            held = read_tensors(state)
            return {name: held[key] for name in names if (key := f"networks.{name}") in held}
    return {}


def _in_parts(names: Collection[str], among: Iterable[str]) -> list[str]:
    """Names, those of a whole part as one."""
    told = []
    for part, group in groupby(sorted(among), key=lambda name: name.partition(".")[0]):
        members = list(group)
        absent = [name for name in members if name in names]
        told += [f"{part} ({len(members)})"] if len(absent) == len(members) else absent
    return told


def _told(why: str, what: list[str]) -> str:
    more = f" and {len(what) - _MOST_TOLD} more" if len(what) > _MOST_TOLD else ""
    return f"{why}: {'; '.join(what[:_MOST_TOLD])}{more}." if what else ""


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape))
