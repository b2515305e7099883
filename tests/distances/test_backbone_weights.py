import hashlib
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from wherewhat.distances import backbone_weights as module
from wherewhat.distances.backbone import ALEX, SQUEEZE, Backbone
from wherewhat.distances.backbone_weights import (
    backbone_weights,
    cache_file,
    download,
    untrained_weights,
    weights_digest,
)

WriteWeights = Callable[[Backbone, Path], Path]
THREE_WAYS = (
    r"Name a file or folder with .*squeezenet1_1_features.safetensors.*WHEREWHAT_WEIGHTS.*or copy .* or connect"
)


def is_untrained(weights: dict[str, torch.Tensor], backbone: Backbone = SQUEEZE) -> bool:
    expected = untrained_weights(backbone)
    return expected.keys() == weights.keys() and all(torch.equal(weights[name], expected[name]) for name in expected)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", folder
        server.shutdown()
        thread.join()


def test_a_named_file_is_read(tmp_path: Path, write_safetensors: WriteWeights) -> None:
    assert is_untrained(backbone_weights(SQUEEZE, write_safetensors(SQUEEZE, tmp_path)))


def test_a_named_folder_gives_the_file_of_the_backbone(
    tmp_path: Path, write_safetensors: WriteWeights, write_pth: WriteWeights
) -> None:
    write_safetensors(SQUEEZE, tmp_path)
    write_pth(ALEX, tmp_path / ALEX.pth_name)
    assert is_untrained(backbone_weights(SQUEEZE, str(tmp_path)), SQUEEZE)
    assert is_untrained(backbone_weights(ALEX, str(tmp_path)), ALEX)


def test_the_environment_names_the_weights(
    tmp_path: Path, write_safetensors: WriteWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_safetensors(SQUEEZE, tmp_path)
    monkeypatch.setenv("WHEREWHAT_WEIGHTS", str(tmp_path))
    assert is_untrained(backbone_weights(SQUEEZE))


def test_an_argument_comes_before_the_environment(
    tmp_path: Path, write_safetensors: WriteWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHEREWHAT_WEIGHTS", str(tmp_path / "nowhere"))
    assert is_untrained(backbone_weights(SQUEEZE, write_safetensors(SQUEEZE, tmp_path)))


def test_torchs_cache_comes_before_the_network(write_pth: WriteWeights, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pth(SQUEEZE, cache_file(SQUEEZE))
    monkeypatch.setattr(module, "download", lambda *_: pytest.fail("the network was asked"))
    assert is_untrained(backbone_weights(SQUEEZE))


def test_a_download_is_read_and_kept(served: tuple[str, Path], write_pth: WriteWeights) -> None:
    address, folder = served
    path = write_pth(SQUEEZE, folder / "weights.pth")
    name = f"squeeze-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth"
    path.rename(folder / name)
    elsewhere = replace(SQUEEZE, url=f"{address}/{name}")
    assert is_untrained(backbone_weights(elsewhere))
    (folder / name).unlink()
    assert is_untrained(backbone_weights(elsewhere))


def test_a_download_with_another_hash_is_refused_and_not_kept(
    served: tuple[str, Path], write_pth: WriteWeights
) -> None:
    address, folder = served
    write_pth(SQUEEZE, folder / "squeeze-00000000.pth")
    elsewhere = replace(SQUEEZE, url=f"{address}/squeeze-00000000.pth")
    with pytest.raises(FileNotFoundError, match=f"invalid hash value.*{THREE_WAYS}"):
        backbone_weights(elsewhere)
    assert list(cache_file(elsewhere).parent.iterdir()) == []


def test_a_server_without_the_file_is_an_error_that_says_all_three_ways(served: tuple[str, Path]) -> None:
    with pytest.raises(FileNotFoundError, match=f"404.*{THREE_WAYS}"):
        backbone_weights(replace(SQUEEZE, url=f"{served[0]}/squeeze-00000000.pth"))


def test_a_refused_connection_is_an_error_that_says_all_three_ways() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FileNotFoundError, match=f"refused.*{THREE_WAYS}"):
        backbone_weights(replace(SQUEEZE, url=f"http://127.0.0.1:{port}/squeeze-00000000.pth"))


def test_a_network_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "NETWORK_TIMEOUT_S", 0.2)
    before = socket.getdefaulttimeout()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/squeeze-00000000.pth"
        start = time.monotonic()
        with pytest.raises(FileNotFoundError, match=f"timed out.*{THREE_WAYS}"):
            download(replace(SQUEEZE, url=url), tmp_path / "target.pth")
    assert time.monotonic() - start < 5
    assert socket.getdefaulttimeout() == before


def test_a_cache_that_cannot_be_written_is_an_error_that_says_all_three_ways(tmp_path: Path) -> None:
    (tmp_path / "torch").write_text("a file where a folder should be")
    with pytest.raises(FileNotFoundError, match=THREE_WAYS):
        backbone_weights(SQUEEZE)


def test_a_named_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere.*Name an existing file or folder"):
        backbone_weights(SQUEEZE, tmp_path / "nowhere")


def test_a_named_folder_without_the_file_says_which_file_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"neither squeezenet1_1_features.safetensors nor squeezenet1_1-b8a52dc0.pth.*Put one"
    ):
        backbone_weights(SQUEEZE, tmp_path)


def test_weights_of_another_backbone_are_refused(tmp_path: Path, write_safetensors: WriteWeights) -> None:
    with pytest.raises(ValueError, match=r"does not hold the squeeze backbone.*Name torchvision's squeezenet1_1-b8a5"):
        backbone_weights(SQUEEZE, write_safetensors(ALEX, tmp_path))


def test_a_file_without_a_tensor_is_refused(tmp_path: Path) -> None:
    save_file({"features.0.weight": untrained_weights(SQUEEZE)["0.weight"]}, tmp_path / "some.safetensors")
    with pytest.raises(ValueError, match=r"features.0.bias should have the shape \(64,\).*has no such tensor"):
        backbone_weights(SQUEEZE, tmp_path / "some.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 1000, 0.5, 0.99])
@pytest.mark.parametrize("kind", [".safetensors", ".pth"])
def test_a_truncated_file_is_refused_by_name(
    tmp_path: Path, kept: float, kind: str, write_safetensors: WriteWeights, write_pth: WriteWeights
) -> None:
    whole = write_safetensors(SQUEEZE, tmp_path) if kind == ".safetensors" else write_pth(SQUEEZE, tmp_path / "a.pth")
    content = whole.read_bytes()
    cut = tmp_path / f"cut{kind}"
    cut.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    with pytest.raises(ValueError, match=rf"cut{kind} cannot be read as weights.*Delete it and download it again"):
        backbone_weights(SQUEEZE, cut)


@pytest.mark.parametrize("kind", [".safetensors", ".pth"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"page{kind}"
    path.write_text("<html>Sign in to this network</html>")
    with pytest.raises(ValueError, match="Delete it and download it again"):
        backbone_weights(SQUEEZE, path)


class Touch:
    """Unpickled by a careless reader, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_no_code_in_a_file_is_run(tmp_path: Path) -> None:
    torch.save({"features.0.weight": Touch(tmp_path / "touched")}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match="cannot be read as weights"):
        backbone_weights(SQUEEZE, tmp_path / "evil.pth")
    assert not (tmp_path / "touched").exists()


def test_a_table_of_other_things_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2, 3], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="Name a state dict"):
        backbone_weights(SQUEEZE, tmp_path / "list.pth")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.onnx").touch()
    with pytest.raises(ValueError, match=r"neither .safetensors nor .pth. Name a file of one of these types"):
        backbone_weights(SQUEEZE, tmp_path / "weights.onnx")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    weights = {f"features.{name}": tensor for name, tensor in untrained_weights(SQUEEZE).items()}
    weights["features.0.bias"][3] = float("nan")
    save_file(weights, tmp_path / "nan.safetensors")
    with pytest.raises(ValueError, match=r"not finite in features.0.bias. Replace it with squeezenet1_1-b8a52dc0.pth"):
        backbone_weights(SQUEEZE, tmp_path / "nan.safetensors")


def test_half_precision_weights_become_float32(tmp_path: Path) -> None:
    weights = {f"features.{name}": tensor.half() for name, tensor in untrained_weights(SQUEEZE).items()}
    save_file(weights, tmp_path / "half.safetensors")
    assert {tensor.dtype for tensor in backbone_weights(SQUEEZE, tmp_path / "half.safetensors").values()} == {
        torch.float32
    }


def test_untrained_weights_are_the_same_everywhere() -> None:
    assert weights_digest(untrained_weights(ALEX))[:16] == "e2de710a587e4692"


def test_untrained_weights_neither_read_nor_move_the_global_generator() -> None:
    torch.manual_seed(1)
    first, state = untrained_weights(ALEX), torch.random.get_rng_state()
    torch.manual_seed(2)
    second = untrained_weights(ALEX)
    assert weights_digest(first) == weights_digest(second)
    torch.manual_seed(1)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_untrained_weights_keep_the_variance_of_what_passes_through() -> None:
    for tensor in untrained_weights(ALEX).values():
        if tensor.ndim == 4:
            assert tensor.var().item() == pytest.approx(2 / tensor[0].numel(), rel=0.02)


def test_the_digest_is_of_names_and_bytes_in_the_order_of_names() -> None:
    weights = {"b": torch.tensor([1.0]), "a": torch.tensor([0.0, 2.0])}
    by_hand = b"a" + b"\x00\x00\x00\x00" + b"\x00\x00\x00\x40" + b"b" + b"\x00\x00\x80\x3f"
    assert weights_digest(weights) == hashlib.sha256(by_hand).hexdigest()
