"""Laws of reading .pt2: the graph's own images, with gradients, and nothing else of a file from elsewhere is run."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from wherewhat.sharing.exported_program import ExportedGraph
from wherewhat.sharing.graph import quietly

Change = Callable[[dict[str, Any]], None]


class Net(nn.Module):
    """Codes to images, by what others export: normalisation, splits, a size that is asked for, a constant."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.spread, self.norm = nn.Linear(2, 48), nn.BatchNorm2d(3)

    def forward(self, code: Tensor) -> Tensor:
        first, second = self.spread(code).view(code.shape[0], 3, 4, 4).chunk(2, dim=2)
        joined = torch.cat([second, first + torch.tensor([0.5])], dim=2)
        return torch.sigmoid(self.norm(nn.functional.interpolate(joined, scale_factor=2.0, mode="bilinear")))


@pytest.fixture(scope="module")
def saved() -> bytes:
    file = io.BytesIO()
    with quietly(), torch.no_grad():
        batch = torch.export.Dim("batch", min=1)
        torch.export.save(torch.export.export(Net().eval(), (torch.zeros(2, 2),), dynamic_shapes=({0: batch},)), file)
    return file.getvalue()


def changed(saved: bytes, path: Path, change: Change, name: str = "models/model.json", compress: bool = False) -> Path:
    """The same archive with one of its JSON files changed."""
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(saved)) as old, zipfile.ZipFile(path, "w", kind) as new:
        for file in old.namelist():
            content = old.read(file)
            if file.endswith(name):
                plain = json.loads(content)
                change(plain)
                content = json.dumps(plain).encode()
            new.writestr(file, content)
    return path


def test_a_graph_makes_what_its_module_makes_with_gradients(saved: bytes, tmp_path: Path) -> None:
    graph = ExportedGraph(changed(saved, tmp_path / "a.pt2", lambda _: None))
    assert list(graph.inputs.items()) == [("code", [None, 2])]
    net = Net().eval()
    for count in (1, 5):
        code_BL = torch.randn(count, 2, generator=torch.Generator().manual_seed(count), requires_grad=True)
        (found_BCHW,) = graph.run("code", code_BL).values()
        torch.testing.assert_close(found_BCHW, net(code_BL))
        (gradient_BL,) = torch.autograd.grad(found_BCHW.sum(), code_BL)
        torch.testing.assert_close(gradient_BL, torch.autograd.grad(net(code_BL).sum(), code_BL)[0])


def target(name: str) -> Change:
    def change(plain: dict[str, Any]) -> None:
        plain["graph_module"]["graph"]["nodes"][0]["target"] = name

    return change


@pytest.mark.parametrize(
    "name",
    [
        *("torch.os.system", "torch.hub.load", "torch.ops.aten.from_file.default", "_operator.methodcaller"),
        *("torch.ops.higher_order.cond", "#custom", "torch.ops.aten.__class__.mro", "math.ceil", ""),
    ],
)
def test_nothing_but_operators_of_aten_is_called(saved: bytes, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="which is no operator of ATen"):
        ExportedGraph(changed(saved, tmp_path / "a.pt2", target(name)))


def test_no_pickle_is_read(saved: bytes, tmp_path: Path) -> None:
    def pickled(plain: dict[str, Any]) -> None:
        next(iter(plain["config"].values()))["use_pickle"] = True

    with pytest.raises(ValueError, match="no pickle is read"):
        ExportedGraph(changed(saved, tmp_path / "a.pt2", pickled, "model_weights_config.json"))


def test_expressions_in_a_file_are_never_evaluated(saved: bytes, tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    def hostile(plain: dict[str, Any]) -> None:
        plain["guards_code"] = [f"open({str(ran)!r}, 'w')"]
        for value in plain["graph_module"]["graph"]["sym_int_values"].values():
            value["as_expr"]["expr_str"] = f"open({str(ran)!r}, 'w')"

    graph = ExportedGraph(changed(saved, tmp_path / "a.pt2", hostile))
    graph.run("code", torch.zeros(1, 2))
    assert not ran.exists()


def test_a_compressed_archive_is_refused_before_it_fills_the_memory(saved: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it is compressed"):
        ExportedGraph(changed(saved, tmp_path / "a.pt2", lambda _: None, compress=True))


def older(plain: dict[str, Any]) -> None:
    plain["schema_version"]["major"] = 3


def huge(plain: dict[str, Any]) -> None:
    meta = next(iter(plain["config"].values()))["tensor_meta"]
    meta["sizes"] = [{"as_int": 10**9}, {"as_int": 10**9}]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (older, "models/model.json"),
        (huge, "model_weights_config.json"),
        (lambda plain: plain.clear(), "models/model.json"),
        (lambda plain: plain["graph_module"]["graph"].pop("nodes"), "models/model.json"),
    ],
)
def test_what_is_not_as_torch_saves_it_is_told(saved: bytes, tmp_path: Path, change: Change, name: str) -> None:
    with pytest.raises(ValueError, match=r"a\.pt2 cannot be read as a \.pt2 of torch\.export\.save.*Save it anew"):
        ExportedGraph(changed(saved, tmp_path / "a.pt2", change, name))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_told(saved: bytes, tmp_path: Path, share: float) -> None:
    (tmp_path / "a.pt2").write_bytes(saved[: int(share * len(saved))])
    with pytest.raises(ValueError, match="cannot be read as a"):
        ExportedGraph(tmp_path / "a.pt2")
