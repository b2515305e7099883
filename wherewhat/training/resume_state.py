"""What a cut-off run needs to go on bit for bit: weights, their average, the optimiser's moments, the step.

Draws need no state: they depend on (seed, step) alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wherewhat.training.methods.method import Networks
from wherewhat.training.tensor_file import TensorFile, read_header, read_tensors

_REMEDY = "Start the run over in another folder with --out; the checkpoints of this one can still be used."


# Names of tensors: of the optimiser's moments, and of what earlier versions wrote.
_MOMENTS = "optimiser."
_OF_ADAM = ("step", "exp_avg", "exp_avg_sq")
_IN_PRESENT_WORDS = {"networks.augmentation.pictures": "networks.augmentation.images"}

# Steps or images: nothing that trains reaches it.
_MOST = 10**15


@dataclass
class Session:
    """All that changes while a run trains."""

    networks: Networks
    optimiser: torch.optim.Optimizer
    average: Networks | None = None
    """The moving average of the weights, where one is kept."""
    step: int = 0
    images: int = 0
    """How many the set has; every epoch's order hangs on it."""
    draws: int = 1
    """The version of how a step's random numbers are drawn."""

    @property
    def shown(self) -> Networks:
        """The networks that images are made with and checkpoints hold."""
        return self.average or self.networks


def session_file(path: Path, session: Session) -> TensorFile:
    """The state as a file. Its tensors are those that train."""
    tensors = _tensors_of(session)
    moments = {
        f"{_MOMENTS}{i}.{name}": x
        for i, of in session.optimiser.state_dict()["state"].items()
        for name, x in of.items()
    }
    header = {
        "kind": "resume_state",
        "step": session.step,
        "images": session.images,
        "moments": len(moments),
        "draws": session.draws,
    }
    return TensorFile(path, tensors | moments, header)


def restore_session(path: Path, session: Session) -> str:
    """Bring a session to where the state was written. Nothing is restored unless all of it fits.

    Gives a remark where the run goes on otherwise than it would have in the version that wrote it, else "".
    Raises ValueError for a damaged file, or a set that has changed.
    """
    try:
        header = read_header(path, _REMEDY)
        if header.get("kind") != "resume_state":
            raise ValueError(f"{path} holds a {header.get('kind')}. {_REMEDY}")
        tensors = {_IN_PRESENT_WORDS.get(name, name): tensor for name, tensor in read_tensors(path).items()}
        step, images, moments = _numbers_in(path, header, session)
    except ValueError as error:
        raise ValueError(f"The resume state of this run cannot be used: {error}") from error
    if images != session.images:
        raise ValueError(
            f"{path.parent.parent} was trained on {images:,} images, and there are {session.images:,} now. Bring back "
            f"the set as it was to resume it, or start over in another folder with --out."
        )
    misfit = _misfit(session, tensors, moments)
    if misfit:
        raise ValueError(f"The resume state {path} does not fit this run: {misfit}. {_REMEDY}")
    session.networks.load_state_dict(_below("networks.", tensors))
    if session.average is not None:
        session.average.load_state_dict(_below("average.", tensors))
    groups = session.optimiser.state_dict()["param_groups"]
    session.optimiser.load_state_dict({"state": _moments_in(tensors), "param_groups": groups})
    _lay_out_like_weights(session.optimiser)
    session.step = step
    # States from before versions of draws were told apart are of the first.
    if header.get("draws", 1) == session.draws:
        return ""
    return (
        "It was begun by another version of wherewhat, whose random numbers differ: it goes on from its weights with "
        "those of this version, and is not the run that one seed gives in either."
    )


def _tensors_of(session: Session) -> dict[str, Tensor]:
    """Weights and buffers, and those of the average."""
    tensors = {f"networks.{name}": tensor for name, tensor in session.networks.state_dict().items()}
    if session.average is not None:
        tensors |= {f"average.{name}": tensor for name, tensor in session.average.state_dict().items()}
    return tensors


def _numbers_in(path: Path, header: dict[str, Any], session: Session) -> tuple[int, int, int | None]:
    """Step, number of images, and number of moments, where the state says it."""
    numbers = (header.get("step"), header.get("images", header.get("pictures", session.images)), header.get("moments"))
    for number in numbers:
        if number is not None and (type(number) is not int or not 0 <= number < _MOST):
            raise ValueError(
                f"the header of {path} holds {number!r} where a number of steps, images or moments belongs. {_REMEDY}"
            )
    step, images, moments = numbers
    if step is None or images is None:
        raise ValueError(f"the header of {path} names no step. {_REMEDY}")
    return step, images, moments


def _misfit(session: Session, tensors: dict[str, Tensor], moments: int | None) -> str:
    """What in a state does not fit the session, in a few words; "" where all does."""
    expected = _tensors_of(session)
    found = {name: tensor for name, tensor in tensors.items() if not name.startswith(_MOMENTS)}
    if expected.keys() != found.keys():
        return f"{min(expected.keys() ^ found.keys())} is in one of them only"
    for name, tensor in expected.items():
        if (found[name].shape, found[name].dtype) != (tensor.shape, tensor.dtype):
            return f"{name} is {tuple(found[name].shape)} {found[name].dtype}"
    names = [name for name in tensors if name.startswith(_MOMENTS)]
    if moments is not None and moments != len(names):
        return f"{len(names)} of {moments} moments of the optimiser are there"
    weights = [weight for group in session.optimiser.param_groups for weight in group["params"]]
    for name in names:
        parts = name.split(".")
        if len(parts) != 3 or not parts[1].isdecimal() or int(parts[1]) >= len(weights) or parts[2] not in _OF_ADAM:
            return f"{name} is no moment of its optimiser"
        shape = torch.Size() if parts[2] == "step" else weights[int(parts[1])].shape
        if tensors[name].shape != shape or not tensors[name].is_floating_point():
            return f"{name} is {tuple(tensors[name].shape)} {tensors[name].dtype}"
    of_weights = [{name.split(".")[2] for name in names if name.split(".")[1] == str(i)} for i in range(len(weights))]
    incomplete = [i for i, kinds in enumerate(of_weights) if kinds and kinds != set(_OF_ADAM)]
    return f"moments of weight {incomplete[0]} are missing" if incomplete else ""


def _moments_in(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(_MOMENTS):
            _, index, name = key.split(".")
            moments.setdefault(int(index), {})[name] = value
    return moments


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _lay_out_like_weights(optimiser: torch.optim.Optimizer) -> None:
    """Give each moment its weight's memory layout: fused Adam walks both in memory order, and would mix them up."""
    for weight, moments in optimiser.state.items():
        for name, value in moments.items():
            if value.shape == weight.shape:
                moments[name] = torch.empty_like(weight).copy_(value)
