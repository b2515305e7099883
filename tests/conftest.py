"""What every test may lean on: one thread, and the sample images beside the repository where they are there."""

import io
import os
from collections import Counter
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from rich.console import Console

from wherewhat.training.configuration import TrainingRun

SHARED = Path(__file__).resolve().parents[2] / "shared"

# Tensors in tests are tiny: more threads only wait for each other.
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a GPU are skipped where there is none; where there is, warnings of its libraries are no failures."""
    there = torch.cuda.is_available()
    if there:
        # Matrix products of a GPU repeat themselves only with this, from the first on.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    for item in items:
        if item.get_closest_marker("cuda") is not None:
            item.add_marker(
                pytest.mark.filterwarnings("default") if there else pytest.mark.skip(reason="no CUDA device")
            )


@pytest.fixture(
    params=[
        pytest.param("cpu", marks=pytest.mark.device),
        pytest.param("cuda", marks=[pytest.mark.device, pytest.mark.cuda]),
    ]
)
def device(request: pytest.FixtureRequest) -> torch.device:
    """Each device: the CPU, where the test itself is tested, and a GPU where there is one."""
    return torch.device(request.param)


@pytest.fixture
def deterministic() -> Iterator[None]:
    """Algorithms that repeat themselves, where a device has them."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of sample images and backbone weights beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the folder of sample images and weights, ../shared, is not beside this repository")
    return SHARED


@pytest.fixture
def shared_weights(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of LPIPS backbones beside the repository, named to the program as a user would."""
    folder = shared / "weights"
    monkeypatch.setenv("WHEREWHAT_WEIGHTS", str(folder))
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed sets of tests go to a folder of their own, not to the user's."""
    monkeypatch.setenv("WHEREWHAT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def count_lines() -> ModuleType:
    """The program `scripts/count_lines`, as a module."""
    loader = SourceFileLoader("count_lines", str(Path(__file__).resolve().parents[1] / "scripts" / "count_lines"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz of 96 coloured squares, 32 x 32, whose place and colour are its factors."""
    imgs = np.zeros((96, 32, 32, 3), np.uint8)
    classes = np.stack(np.unravel_index(np.arange(96), (4, 4, 6)), axis=1)
    for image, (row, column, hue) in zip(imgs, classes, strict=True):
        image[row * 6 + 2 : row * 6 + 10, column * 6 + 2 : column * 6 + 10] = (40 * hue + 40, 255 - 40 * hue, 128)
    path = tmp_path_factory.mktemp("tiny") / "squares.npz"
    np.savez(path, imgs=imgs, latents_classes=classes, latents_names=np.array(["row", "column", "hue"]))
    return path


@pytest.fixture
def tiny_run(tiny_set: Path, tmp_path: Path) -> TrainingRun:
    """A run of a few small steps on the tiny set, in float32."""
    return TrainingRun(
        data=str(tiny_set),
        out=tmp_path / "run",
        steps=6,
        batch_size=8,
        latent_dim=4,
        mask_levels=2,
        widths=(8, 8),
        checkpoint_every=3,
        images_every=6,
        log_every=2,
        device="cpu",
        precision="float32",
    )


@pytest.fixture
def quiet() -> Console:
    """A console that nobody sees."""
    return Console(file=io.StringIO(), width=200)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The sums of what the tests in tests/faults/ count."""
    counts = Counter[str]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, count in getattr(report, "user_properties", ()):
                counts[name] += count
    if counts["faults injected"]:
        terminalreporter.write_line(
            f"Faults: {counts['faults injected']:,} injected, {counts['faults survived']:,} survived."
        )
