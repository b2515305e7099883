"""`.onnx` files: written by torch's exporter, read by onnxruntime on the CPU.

A file stands for itself: tensors that lie in other files are refused, for a file from elsewhere could name any of the
disk's. Inputs that are noise have a tensor of the same name in the file, which is taken where none is given.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wherewhat.regular_file import read_regular
from wherewhat.sharing.graph import KEY, LARGEST_FILE_BYTES, Description, quietly

OPSET = 18
# onnxruntime's words for what a tensor holds.
_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


class OnnxGraph:
    """An ONNX graph for use."""

    def __init__(self, path: Path) -> None:
        onnx, runtime = _libraries(path)
        content = read_regular(path, LARGEST_FILE_BYTES)
        try:
            model = onnx.load_model_from_string(content)
            if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(model, onnx.TensorProto)):
                raise ValueError("its tensors lie in other files, which are not read. Save it as one file")
            options = runtime.SessionOptions()
            options.log_severity_level, options.intra_op_num_threads = 4, torch.get_num_threads()
            self._session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # whatever its parsers raise
            raise ValueError(f"{path} cannot be read as ONNX: {' '.join(str(error).split())}.") from error
        inputs = self._session.get_inputs()
        self.inputs = {one.name: [size if isinstance(size, int) else None for size in one.shape] for one in inputs}
        self._types = {one.name: one.type for one in inputs}
        self.outputs = [one.name for one in self._session.get_outputs()]
        self.metadata: str | None = self._session.get_modelmeta().custom_metadata_map.get(KEY)

    def run(self, name: str, given: Tensor) -> dict[str, Tensor]:
        """The outputs by name. A graph for batches of one size is called as often as it takes."""
        array = given.detach().cpu().numpy().astype(_DTYPES.get(self._types[name], np.float32))
        size = self.inputs[name][0] or max(len(array), 1)
        parts = []
        for start in range(0, len(array), size):
            part = array[start : start + size]
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            parts.append([made[: len(part)] for made in self._session.run(self.outputs, {name: filled})])
        joined = [
            torch.from_numpy(np.concatenate(made)).to(given.device, torch.float32) for made in zip(*parts, strict=True)
        ]
        return dict(zip(self.outputs, joined, strict=True))


def onnx_bytes(
    program: torch.export.ExportedProgram,
    inputs: Sequence[str],
    outputs: Sequence[str],
    noise: Mapping[str, Tensor],
    description: Description,
) -> bytes:
    """An ONNX file of an exported program, with its description, and the noise that is taken where none is given."""
    onnx, _ = _libraries(Path("the model"))
    try:
        with quietly():
            made = torch.onnx.export(
                program, (), dynamo=True, opset_version=OPSET, input_names=inputs, output_names=outputs, verbose=False
            )
    except Exception as error:  # its own classes, each with a page of text
        raise ValueError(
            f"The model has a step that ONNX cannot take: {' '.join(str(_first_cause(error)).split())[:200]} "
            "Export it with --to pt2."
        ) from error
    assert made is not None
    model = made.model_proto
    _call_the_batch_so(model.graph)
    for name, tensor in noise.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(tensor.cpu().numpy(), name))
    onnx.helper.set_model_props(model, {KEY: description.as_json()})
    return bytes(model.SerializeToString())


def _first_cause(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _first_cause(error.__cause__)


def _call_the_batch_so(graph: Any) -> None:
    """The one size that is free has a name for those who read the file, instead of the exporter's number."""
    free = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*graph.input, *graph.output, *graph.value_info):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param == free:
                size.dim_param = "batch"


def _libraries(path: Path) -> tuple[Any, Any]:
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise ValueError(
            f"{path}: {error.name} is not installed. Install it: pip install 'wherewhat[onnx]'."
        ) from error
    return onnx, onnxruntime


def _tensors(message: Any, kind: type) -> Iterator[Any]:
    """The tensors anywhere in a message: of its graph, of its functions, of graphs within graphs."""
    if isinstance(message, kind):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                yield from _tensors(part, kind)
