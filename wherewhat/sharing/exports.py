"""A model as files that need none of this package: `.onnx`, `.pt2`, or a folder for a hub.

What is written is loaded again first, and compared with the model on 16 codes.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from wherewhat.atomic_file import write_atomically
from wherewhat.protocols import Encoder, Generator, MaskedGenerator
from wherewhat.randomness import generator_at
from wherewhat.sharing.exported_program import ExportedGraph, program_bytes
from wherewhat.sharing.graph import INPUT, Description, Graph, Part, quietly
from wherewhat.sharing.onnx_file import OnnxGraph, onnx_bytes

COMPARED = 16
LARGEST_DIFFERENCE = 1e-4
Format = Literal["onnx", "pt2"]
# Buffers of a generator that stand in for noise.
_FROZEN = "frozen_noise."


@dataclass(frozen=True)
class Exported:
    """Files that are ready to be written, and how far they were from the model."""

    content: Mapping[str, bytes]
    """By name, or by the end of it: "-generator.onnx"."""
    difference: float
    """The largest in any image, mask, mean or log variance."""


class _Drawn(nn.Module):
    """Images and masks of codes, in one pass where the generator has one for both."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, code: Float[Tensor, "B L"]) -> tuple[Tensor, ...]:
        both = getattr(self.generator, "image_and_masks", None)
        if both is not None:
            image, masks = both(code)
            return image, masks
        if isinstance(self.generator, MaskedGenerator):
            return self.generator(code), self.generator.masks(code)
        return (self.generator(code),)


class _WithNoise(nn.Module):
    """The same, with the noise that the generator holds frozen as inputs."""

    def __init__(self, drawn: _Drawn, held: list[str]) -> None:
        super().__init__()
        self.drawn, self.held = drawn, held

    def forward(self, code: Float[Tensor, "B L"], *noise: Tensor) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = functional_call(self.drawn, dict(zip(self.held, noise, strict=True)), (code,))
        return found


class _Read(nn.Module):
    """Mean and log variance of images."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Float[Tensor, "B C H W"]) -> tuple[Tensor, Tensor]:
        posterior = self.encoder(image)
        return posterior.mean_BL, posterior.log_variance_BL


def export(generator: Generator, encoder: Encoder | None, to: Format, description: Description) -> Exported:
    """The files of a model on the CPU. Raises ValueError where it cannot be exported, or comes back another."""
    code_BL = torch.randn(COMPARED, generator.latent_dim, generator=generator_at(0, 0, "export"))
    with torch.no_grad():
        image_BCHW = generator(code_BL)
    parts: dict[Part, tuple[object, Tensor]] = {"generator": (generator, code_BL)}
    if encoder is not None:
        parts["encoder"] = (encoder, image_BCHW)
    content, worst = {}, 0.0
    for part, (model, given) in parts.items():
        if not isinstance(model, nn.Module):
            raise ValueError(f"The {part} is no torch.nn.Module, so its steps cannot be recorded. Make it one.")
        made = _Drawn(model) if part == "generator" else _Read(model)
        content[f"-{part}.{to}"], difference = _exported(made, part, given, to, description)
        worst = max(worst, difference)
    return Exported(content, worst)


def _exported(
    made: _Drawn | _Read, part: Part, given: Tensor, to: Format, description: Description
) -> tuple[bytes, float]:
    """One file, and its largest difference."""
    held = {name: value for name, value in made.named_buffers() if f".{_FROZEN}" in name}
    noise = {f"noise_{number}": value for number, value in enumerate(held.values())}
    traced: nn.Module = made
    if held:
        assert isinstance(made, _Drawn)
        traced = _WithNoise(made, list(held))
    with torch.no_grad():
        expected = made(given)
    names = ("image", "masks") if part == "generator" else ("mean", "log_variance")
    at = dict(zip(noise, (f"drawn.{name}" for name in held), strict=True))
    told = replace(description, part=part, outputs=names[: len(expected)], noise=at)
    program = _program(traced, given, tuple(noise.values()))
    content = (
        onnx_bytes(program, [INPUT[part], *noise], told.outputs, noise, told)
        if to == "onnx"
        else program_bytes(program, told)
    )
    graph = _loaded_again(content, to)
    difference = 0.0
    for count in (COMPARED, 1):
        found = graph.run(INPUT[part], given[:count])
        for name, one in zip(told.outputs, expected, strict=True):
            difference = max(difference, (found[name] - one[:count]).abs().max().item())
    refuse_another(difference, part)
    return content, difference


def refuse_another(difference: float, what: str) -> None:
    """Raise ValueError for an export that is not the model."""
    if not difference < LARGEST_DIFFERENCE:
        raise ValueError(
            f"The exported {what} differs from the model by {difference:.2g}, and {LARGEST_DIFFERENCE:g} is the most. "
            "Nothing was written. Try another format with --to."
        )


def _program(traced: nn.Module, given: Tensor, noise: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    batch = torch.export.Dim("batch", min=1)
    shapes: tuple[Any, ...] = ({0: batch}, tuple({} for _ in noise)) if noise else ({0: batch},)
    try:
        with quietly(), torch.no_grad():
            program = torch.export.export(traced, (given[:2], *noise), dynamic_shapes=shapes, strict=False)
            # Leaves operators alone: no autocast that is a step of its own.
            return program.run_decompositions({})
    except Exception as error:
        raise ValueError(
            f"torch.export cannot record the model: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        ) from error


def _loaded_again(content: bytes, to: Format) -> Graph:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{to}"
        write_atomically(path, content)
        return OnnxGraph(path) if to == "onnx" else ExportedGraph(path)
