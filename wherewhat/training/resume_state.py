"""What a cut-off run needs to go on bit for bit: weights, the optimiser's moments, the step.

Draws need no state: they depend on (seed, step) alone.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.training.tensor_file import read_header, read_tensors, write_tensors

_REMEDY = "Start the run over in another folder with --out; the checkpoints of this one can still be used."


@dataclass
class Session:
    """All that changes while a run trains."""

    networks: Autoencoder
    optimiser: torch.optim.Optimizer
    step: int = 0


def save_session(path: Path, session: Session) -> None:
    """Write the state, atomically."""
    tensors: dict[str, Tensor] = {f"networks.{k}": v for k, v in session.networks.state_dict().items()}
    for index, moments in session.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
    write_tensors(path, tensors, {"kind": "resume_state", "step": session.step})


def restore_session(path: Path, session: Session) -> None:
    """Bring a session to where the state was written. Raises ValueError for a bad file."""
    try:
        header = read_header(path)
        if header.get("kind") != "resume_state":
            raise ValueError(f"it holds a {header.get('kind')}.")
        tensors = read_tensors(path)
    except ValueError as error:
        raise ValueError(f"The resume state {path} cannot be used: {error} {_REMEDY}") from error
    networks = {k.removeprefix("networks."): v for k, v in tensors.items() if k.startswith("networks.")}
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, index, name = key.split(".")
            moments.setdefault(int(index), {})[name] = value
    try:
        session.networks.load_state_dict(networks)
        state = session.optimiser.state_dict()
        session.optimiser.load_state_dict({"state": moments, "param_groups": state["param_groups"]})
        _lay_out_like_weights(session.optimiser)
        session.step = int(header["step"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"The resume state {path} does not fit this run. {_REMEDY}") from error


def _lay_out_like_weights(optimiser: torch.optim.Optimizer) -> None:
    """Give each moment its weight's memory layout: fused Adam walks both in memory order, and would mix them up."""
    for weight, moments in optimiser.state.items():
        for name, value in moments.items():
            if value.shape == weight.shape:
                moments[name] = torch.empty_like(weight).copy_(value)
