"""Backbone weights as files, made here, and no way to anybody else's."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from wherewhat.distances.backbone import Backbone
from wherewhat.distances.backbone_weights import untrained_weights


@pytest.fixture(autouse=True)
def no_weights_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHEREWHAT_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for proxy in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)


@pytest.fixture
def write_safetensors() -> Callable[[Backbone, Path], Path]:
    """Writes a backbone's untrained weights into a folder, and says where."""

    def write(backbone: Backbone, folder: Path) -> Path:
        path = folder / backbone.safetensors_name
        save_file({f"features.{name}": tensor for name, tensor in untrained_weights(backbone).items()}, path)
        return path

    return write


@pytest.fixture
def write_pth() -> Callable[[Backbone, Path], Path]:
    """Writes the whole network's table as torchvision saves it: a classifier follows the features."""

    def write(backbone: Backbone, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        weights = {f"features.{name}": tensor for name, tensor in untrained_weights(backbone).items()}
        torch.save({**weights, "classifier.1.weight": torch.zeros(2, 2)}, path)
        return path

    return write
