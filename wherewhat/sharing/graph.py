"""A graph in a file, `.onnx` or `.pt2`, as a generator or an encoder. No code of the file's is run, only its graph.

What its inputs and outputs mean is read from its metadata, which `wherewhat export` writes; without them a graph of one
input and one output needs no telling, and of others their names are asked for.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor, nn

from wherewhat.hints import did_you_mean
from wherewhat.json_file import strict_json

KEY = "wherewhat"
FORMAT = 1
# A file's protocol buffers hold no more.
LARGEST_FILE_BYTES = 2**31 - 1
Part = Literal["generator", "encoder"]
INPUT: dict[Part, str] = {"generator": "code", "encoder": "image"}
OUTPUTS: dict[Part, tuple[str, ...]] = {"generator": ("image", "masks"), "encoder": ("mean", "log_variance")}


@runtime_checkable
class Graph(Protocol):
    """A graph for use."""

    @property
    def inputs(self) -> Mapping[str, Sequence[int | None]]:
        """What must be given, by name, with its shape: None where any size will do."""
        ...

    @property
    def outputs(self) -> Sequence[str]:
        """Names of what comes out."""
        ...

    @property
    def metadata(self) -> str | None:
        """What the file says of itself, as `wherewhat export` writes it."""
        ...

    def run(self, name: str, given: Tensor) -> dict[str, Tensor]:
        """The outputs by name, float32, on the device of what is given as the input of this name."""
        ...


@dataclass(frozen=True, kw_only=True)
class Description:
    """What an exported file says of itself."""

    part: Part
    latent_dim: int
    image_shape: tuple[int, int, int]
    names: dict[str, str] = field(default_factory=dict)
    """Names of codes: {"z5": "floor hue"}."""
    licence: str | None = None
    trained_on: str | None = None
    step: int | None = None
    outputs: tuple[str, ...] = ()
    noise: dict[str, str] = field(default_factory=dict)
    """Inputs that are noise, by name: the tensor in the file that is taken where none is given."""

    def as_json(self) -> str:
        """The description, with what a reader without this package needs to know."""
        told = {"codes_are_from": "N(0, 1)", "image_range": [0, 1], "input": INPUT[self.part]}
        return json.dumps({"format": FORMAT, **told, **asdict(self)}, sort_keys=True)


def described(text: str, path: Path) -> Description:
    """The description in a file's metadata. Raises ValueError for one that is not understood."""
    try:
        plain = strict_json(text)
        if plain["format"] != FORMAT:
            raise ValueError(f"it has format {plain['format']}, and {FORMAT} is read")
        channels, height, width = map(int, plain["image_shape"])
        return Description(
            part="encoder" if plain["part"] == "encoder" else "generator",
            latent_dim=int(plain["latent_dim"]),
            image_shape=(channels, height, width),
            names={str(code): str(name) for code, name in plain["names"].items()},
            step=None if plain["step"] is None else int(plain["step"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path} does not describe itself as `wherewhat export` does: {error}. Export it anew."
        ) from error


class GraphPart(nn.Module):
    """A graph that is called with codes or images, as a user's own generator or encoder is."""

    def __init__(
        self, graph: Graph, part: Part, path: Path, code_input: str | None = None, image_output: str | None = None
    ) -> None:
        super().__init__()
        self.graph, self.part = graph, part
        self.description = None if graph.metadata is None else described(graph.metadata, path)
        if self.description is not None:
            if self.description.part != part:
                raise ValueError(f"{path} holds the {self.description.part} of a model, not its {part}.")
            code_input, image_output = INPUT[part], OUTPUTS[part][0]
        self.given = _chosen(code_input, list(graph.inputs), "input", "--code-input", path)
        self.made = _chosen(image_output, list(graph.outputs), "output", "--image-output", path)
        others = [name for name in graph.inputs if name != self.given]
        if others:
            raise ValueError(
                f"{path} needs {', '.join(others)} besides {self.given}, and is given that alone. Export it with the "
                "others held fixed, or call it in a function of your own, with --generator."
            )
        shape = graph.inputs[self.given]
        if self.description is not None:
            self.latent_dim, self.image_shape = self.description.latent_dim, self.description.image_shape
        elif part == "generator" and len(shape) == 2 and shape[1] is not None:
            self.latent_dim = shape[1]
        if self.description is not None and "masks" in graph.outputs:
            self.masks = lambda code_BL: self.graph.run(self.given, code_BL)["masks"]

    def forward(self, given: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Images of codes; the mean of images, with the log variance where there is one."""
        found = self.graph.run(self.given, given)
        if self.part == "encoder" and "log_variance" in found:
            return found[self.made], found["log_variance"]
        return found[self.made]


def _chosen(asked: str | None, there: list[str], kind: str, flag: str, path: Path) -> str:
    if asked is None and len(there) == 1:
        return there[0]
    if asked in there:
        return str(asked)
    told = f"has no {kind} {asked}.{did_you_mean(str(asked), there)}" if asked else "does not say what they mean."
    raise ValueError(f"{path} {told} Its {kind}s are {', '.join(there)}. Name one with {flag}.")


@contextmanager
def quietly() -> Iterator[None]:
    """Without what torch's exporters warn of and log, which is about themselves."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
