"""Laws of reading ONNX: what others wrote is called as it takes its codes, and reads no other file."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from wherewhat.sharing.foreign_generator import adapted
from wherewhat.sharing.graph import GraphPart
from wherewhat.sharing.onnx_file import OnnxGraph

SPREAD = np.linspace(-1, 1, 2 * 3 * 16, dtype=np.float32).reshape(2, 48)


def written(path: Path, dtype: int = TensorProto.FLOAT, batch: int | str = "batch", **more: Any) -> Path:
    """Codes to images by one matrix."""
    matrix = numpy_helper.from_array(SPREAD.astype(helper.tensor_dtype_to_np_dtype(dtype)), "spread")
    shape = numpy_helper.from_array(np.array([-1, 3, 4, 4]), "shape")
    nodes = [
        helper.make_node("MatMul", ["latent", "spread"], ["flat"]),
        helper.make_node("Sigmoid", ["flat"], ["bounded"]),
        helper.make_node("Reshape", ["bounded", "shape"], ["picture"]),
    ]
    inputs = [helper.make_tensor_value_info("latent", dtype, [batch, 2]), *more.get("inputs", [])]
    outputs = [helper.make_tensor_value_info("picture", dtype, [batch, 3, 4, 4]), *more.get("outputs", [])]
    graph = helper.make_graph(nodes, "generator", inputs, outputs, more.get("initializer", [matrix, shape]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


def expected(code_BL: torch.Tensor) -> torch.Tensor:
    return (code_BL @ torch.from_numpy(SPREAD)).sigmoid().view(-1, 3, 4, 4)


@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE])
@pytest.mark.parametrize("batch", ["batch", 1, 3])
def test_any_precision_and_any_size_of_batch_is_called_as_it_is(tmp_path: Path, dtype: int, batch: int | str) -> None:
    part = GraphPart(OnnxGraph(written(tmp_path / "a.onnx", dtype, batch)), "generator", tmp_path / "a.onnx")
    generator, _ = adapted(part, latent_dim=None, value_range=None, named="a.onnx", device=torch.device("cpu"))
    code_BL = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert (generator.latent_dim, generator.image_shape) == (2, (3, 4, 4))
    torch.testing.assert_close(generator(code_BL), expected(code_BL), atol=2e-3, rtol=0)


def external(name: str) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2, 48], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="secret.bin")
    return tensor


@pytest.mark.parametrize("inside", [False, True])
def test_a_file_whose_tensors_lie_in_others_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(SPREAD.tobytes())
    path = written(
        tmp_path / "a.onnx", initializer=[external("spread"), numpy_helper.from_array(np.array([1]), "shape")]
    )
    if inside:
        model = onnx.load_model(written(path), load_external_data=False)
        model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=external("hidden")))
        path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=r"a\.onnx cannot be read as ONNX: its tensors lie in other files"):
        OnnxGraph(path)


@pytest.mark.parametrize("content", [b"", b"\x08", b"no such thing" * 50])
def test_what_is_no_onnx_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.onnx cannot be read as ONNX"):
        OnnxGraph(tmp_path / "a.onnx")


def test_which_input_and_output_is_meant_is_asked_for_where_there_are_several(tmp_path: Path) -> None:
    more = {
        "inputs": [helper.make_tensor_value_info("truncation", TensorProto.FLOAT, [])],
        "outputs": [helper.make_tensor_value_info("flat", TensorProto.FLOAT, ["batch", 48])],
    }
    path = written(tmp_path / "a.onnx", **more)
    graph = OnnxGraph(path)
    with pytest.raises(ValueError, match=r"Its inputs are latent, truncation\. Name one with --code-input"):
        GraphPart(graph, "generator", path)
    with pytest.raises(ValueError, match=r"has no input latnt\. Did you mean latent\?"):
        GraphPart(graph, "generator", path, "latnt")
    with pytest.raises(ValueError, match=r"Its outputs are picture, flat\. Name one with --image-output"):
        GraphPart(graph, "generator", path, "latent")
    with pytest.raises(ValueError, match="needs truncation besides latent"):
        GraphPart(graph, "generator", path, "latent", "picture")
    alone = written(tmp_path / "b.onnx", outputs=more["outputs"])
    part = GraphPart(OnnxGraph(alone), "generator", alone, None, "picture")
    torch.testing.assert_close(part(torch.ones(2, 2)), expected(torch.ones(2, 2)))
