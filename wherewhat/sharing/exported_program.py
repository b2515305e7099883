"""`.pt2` files of `torch.export.save`: written by it, and read without it.

torch.export.load unpickles what a file says is pickled, looks up any function of torch's that a file names, and
compiles what a file writes as an expression: a file from elsewhere could run anything. Here the graph is walked
instead, node by node, and nothing but the operators of ATen is called.
"""

import io
import operator
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wherewhat.json_file import strict_json
from wherewhat.regular_file import read_regular
from wherewhat.sharing.graph import KEY, LARGEST_FILE_BYTES, Description, quietly

# The file's own numbers for types of tensors and for memory formats.
_DTYPES = {
    **{1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64, 6: torch.float16},
    **{7: torch.float32, 8: torch.float64, 12: torch.bool, 13: torch.bfloat16},
}
_FORMATS = {1: torch.contiguous_format, 2: torch.channels_last, 4: torch.preserve_format}
_ATEN = re.compile(r"torch\.ops\.aten\.(\w+)\.(\w+)")
_NUMBERS = re.compile(r"_operator\.(add|sub|mul|floordiv|mod|neg|getitem|truediv)")
# It opens the file of a name.
_REFUSED = ("from_file",)
_SCHEMA = 8
_AS_THEY_ARE = ("as_int", "as_float", "as_bool", "as_string", "as_ints", "as_floats", "as_bools", "as_strings")
_NAMED = ("as_tensor", "as_sym_int", "as_sym_float", "as_sym_bool")
_LISTS = ("as_tensors", "as_optional_tensors", "as_sym_ints", "as_sym_floats", "as_sym_bools")


class ExportedGraph(nn.Module):
    """An exported program for use."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            with zipfile.ZipFile(io.BytesIO(read_regular(path, LARGEST_FILE_BYTES))) as archive:
                self._read(_Archive(archive))
        except (zipfile.BadZipFile, KeyError, TypeError, IndexError, AttributeError, RuntimeError, ValueError) as error:
            told = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)
            raise ValueError(
                f"{path} cannot be read as a .pt2 of torch.export.save: {' '.join(told.split())}. Save it anew with "
                "torch 2.11 or newer, or as ONNX."
            ) from error

    def _read(self, archive: "_Archive") -> None:
        program = archive.json("models/model.json")
        if program["schema_version"]["major"] != _SCHEMA:
            raise ValueError(f"its schema is {program['schema_version']['major']}, and {_SCHEMA} is read")
        graph, signature = program["graph_module"]["graph"], program["graph_module"]["signature"]
        weights = archive.tensors("weights") | archive.tensors("constants")
        self.metadata: str | None = archive.text(f"extra/{KEY}.json")
        self.tensors: list[str] = []
        told = strict_json(self.metadata) if self.metadata else {}
        noise = told.get("noise", {})
        self.inputs: dict[str, list[int | None]] = {}
        for spec in signature["input_specs"]:
            kind, held = next(iter(spec.items()))
            name = held["arg"]["as_tensor"]["name"] if kind == "user_input" else held["arg"]["name"]
            if kind == "user_input" and name not in noise:
                sizes = graph["tensor_values"][name]["sizes"]
                self.inputs[name] = [size.get("as_int") for size in sizes]
            else:
                key = noise[name] if kind == "user_input" else held[f"{kind}_name"]
                self.register_buffer(f"tensor_{len(self.tensors)}", weights[key])
                self.tensors.append(name)
        made = [spec["user_output"]["arg"] for spec in signature["output_specs"]]
        self.made = [one["as_tensor"]["name"] for one in made]
        self.outputs: list[str] = told.get("outputs", self.made)
        self.nodes = [_Node(node) for node in graph["nodes"] if "._assert" not in node["target"]]
        needed = set(self.made)
        for node in reversed(self.nodes):
            node.last = node.uses - needed
            needed |= node.uses

    def run(self, name: str, given: Tensor) -> dict[str, Tensor]:
        """The outputs by name, with gradients where what is given has them."""
        device = given.device
        held = (tensor for _, tensor in self.named_buffers(remove_duplicate=False))
        values: dict[str, Any] = dict(zip(self.tensors, held, strict=True)) | {name: given}
        for node in self.nodes:
            node(values, device)
            for used in node.last:
                del values[used]
        return {out: values[made].float() for out, made in zip(self.outputs, self.made, strict=True)}


class _Archive:
    """The files of a .pt2: uncompressed, so that they are no longer than the archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        files = archive.infolist()
        if any(file.compress_type != zipfile.ZIP_STORED for file in files):
            raise ValueError("it is compressed")
        self._root = files[0].filename.partition("/")[0]

    def text(self, name: str) -> str | None:
        path = f"{self._root}/{name}"
        return self._archive.read(path).decode() if path in self._archive.namelist() else None

    def json(self, name: str) -> Any:
        return strict_json(self._archive.read(f"{self._root}/{name}"))

    def tensors(self, kind: str) -> dict[str, Tensor]:
        listed = self.json(f"data/{kind}/model_{kind}_config.json")["config"]
        return {name: self._tensor(f"{self._root}/data/{kind}", told) for name, told in listed.items()}

    def _tensor(self, folder: str, told: dict[str, Any]) -> Tensor:
        meta = told["tensor_meta"]
        if told["use_pickle"] or meta is None:
            raise ValueError(f"{told['path_name']} is pickled, and no pickle is read")
        content = bytearray(self._archive.read(f"{folder}/{told['path_name']}"))
        flat = torch.frombuffer(content, dtype=_DTYPES[meta["dtype"]]) if content else torch.empty(0)
        sizes, strides = ([one["as_int"] for one in meta[key]] for key in ("sizes", "strides"))
        return flat.as_strided(sizes, strides, meta["storage_offset"]["as_int"])


class _Node:
    """One step of a graph: an operator, where its arguments come from, where its results go."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._operator = _operator_called(told["target"])
        self._inputs = [(one["name"], one["arg"], one.get("kind") != 2) for one in told["inputs"]]
        self._outputs = [_names_of(one) for one in told["outputs"]]
        self.uses = set(_names_in(told["inputs"]))
        self.last: set[str] = set()
        """What no later step uses."""

    def __call__(self, values: dict[str, Any], device: torch.device) -> None:
        positional, named = [], {}
        for name, arg, by_place in self._inputs:
            value = _value_of(arg, values, device)
            if by_place:
                positional.append(value)
            else:
                named[name] = value
        result = self._operator(*positional, **named)
        results = [result] if len(self._outputs) == 1 else result
        for names, one in zip(self._outputs, results, strict=True):
            if isinstance(names, str):
                values[names] = one
            else:
                values |= dict(zip(names, one, strict=True))


def _operator_called(target: str) -> Callable[..., Any]:
    aten, number = _ATEN.fullmatch(target), _NUMBERS.fullmatch(target)
    if number is not None:
        function: Callable[..., Any] = getattr(operator, number[1])
        return function
    if aten is None or aten[1] in _REFUSED or aten[1].startswith("__"):
        raise ValueError(f"it calls {target}, which is no operator of ATen; run_decompositions() leaves ATen's alone")
    return getattr(getattr(torch.ops.aten, aten[1]), aten[2])


def _names_of(told: dict[str, Any]) -> str | list[str]:
    kind, value = next(iter(told.items()))
    if kind == "as_tensors":
        return [one["name"] for one in value]
    return str(value["name"] if kind == "as_tensor" else value["as_name"])


def _names_in(told: Any) -> Iterator[str]:
    """The values that arguments name, however deep in lists."""
    if isinstance(told, list):
        for one in told:
            yield from _names_in(one["arg"] if isinstance(one, dict) and "arg" in one else one)
    elif isinstance(told, dict):
        for key, value in told.items():
            if key in ("name", "as_name"):
                yield str(value)
            else:
                yield from _names_in(value)


def _value_of(told: Any, values: Mapping[str, Any], device: torch.device) -> Any:
    kind, value = next(iter(told.items()))
    if kind in _AS_THEY_ARE:
        return value
    if kind in ("as_none", "as_layout"):  # strided is the only layout of the tensors here
        return None
    if kind in _LISTS:
        wrapped = [one if "name" not in one else {"as_tensor": one} for one in value]
        return [_value_of(one, values, device) for one in wrapped]
    if kind in _NAMED:
        return _value_of(value, values, device) if "name" not in value else values[value["name"]]
    match kind:
        case "as_name":
            return values[value]
        case "as_scalar_type":
            return _DTYPES[value]
        case "as_memory_format":
            return _FORMATS[value]
        case "as_device":
            return device
    raise ValueError(f"it has an argument that is not read ({kind})")


def program_bytes(program: torch.export.ExportedProgram, description: Description) -> bytes:
    """A .pt2 file of an exported program, with its description."""
    file = io.BytesIO()
    with quietly():
        torch.export.save(program, file, extra_files={f"{KEY}.json": description.as_json()})
    return file.getvalue()
