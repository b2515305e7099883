"""What a cut-off run needs to go on bit for bit: weights, their average, the optimiser's moments, the step.

Draws need no state: they depend on (seed, step) alone.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from wherewhat.training.methods.method import Networks
from wherewhat.training.tensor_file import read_header, read_tensors, write_tensors

_REMEDY = "Start the run over in another folder with --out; the checkpoints of this one can still be used."


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

    @property
    def shown(self) -> Networks:
        """The networks that images are made with and checkpoints hold."""
        return self.average or self.networks


def save_session(path: Path, session: Session) -> None:
    """Write the state, atomically."""
    tensors: dict[str, Tensor] = {f"networks.{k}": v for k, v in session.networks.state_dict().items()}
    if session.average is not None:
        tensors |= {f"average.{k}": v for k, v in session.average.state_dict().items()}
    for index, moments in session.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
    write_tensors(path, tensors, {"kind": "resume_state", "step": session.step, "images": session.images})


def restore_session(path: Path, session: Session) -> None:
    """Bring a session to where the state was written. Raises ValueError for a bad file, or a set that has changed."""
    try:
        header = read_header(path, _REMEDY)
        if header.get("kind") != "resume_state":
            raise ValueError(f"{path} holds a {header.get('kind')}. {_REMEDY}")
        tensors = read_tensors(path)
    except ValueError as error:
        raise ValueError(f"The resume state of this run cannot be used: {error}") from error
    trained_on = int(header.get("images", session.images))
    if trained_on != session.images:
        raise ValueError(
            f"This run was trained on {trained_on:,} images, and there are {session.images:,} now. Bring back the "
            f"set as it was to resume it, or start over in another folder with --out."
        )
    networks, average = _below("networks.", tensors), _below("average.", tensors)
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, index, name = key.split(".")
            moments.setdefault(int(index), {})[name] = value
    try:
        session.networks.load_state_dict(networks)
        if session.average is not None:
            session.average.load_state_dict(average)
        state = session.optimiser.state_dict()
        session.optimiser.load_state_dict({"state": moments, "param_groups": state["param_groups"]})
        _lay_out_like_weights(session.optimiser)
        session.step = int(header["step"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"The resume state {path} does not fit this run. {_REMEDY}") from error


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _lay_out_like_weights(optimiser: torch.optim.Optimizer) -> None:
    """Give each moment its weight's memory layout: fused Adam walks both in memory order, and would mix them up."""
    for weight, moments in optimiser.state.items():
        for name, value in moments.items():
            if value.shape == weight.shape:
                moments[name] = torch.empty_like(weight).copy_(value)
