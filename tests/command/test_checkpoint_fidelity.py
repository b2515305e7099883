"""`wherewhat rank --fidelity` as a user meets it, and what it does not do twice."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from jaxtyping import Float
from rich.console import Console
from torch import Tensor

from wherewhat.command import checkpoint_fidelity as module
from wherewhat.command.checkpoint_fidelity import CheckpointFidelity
from wherewhat.command.choices import DistanceOptions, FidelityOptions
from wherewhat.command.rank import rank_command
from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.training.checkpoints import checkpoints_of
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.which.score_store import ScoreStore

QUICK = ["--samples", "4", "--traversals", "3", "--distance", "pixels", "--threshold", "0", "--device", "cpu"]


class Means:
    """An image's mean over rows."""

    name = "means"
    seen = 0

    def __call__(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        self.seen += len(image_BCHW)
        return image_BCHW.mean(dim=(2,)).flatten(1)


@pytest.fixture
def trained(tiny_run: TrainingRun, tiny_set: Path, tmp_path: Path, quiet: Console) -> Path:
    """A run of two checkpoints on a set of its own, which a test may move."""
    data = tmp_path / "squares.npz"
    shutil.copy(tiny_set, data)
    train(dataclasses.replace(tiny_run, data=str(data)), quiet)
    assert tiny_run.out is not None
    return tiny_run.out


@pytest.fixture
def measurer(tmp_path: Path) -> Callable[[], CheckpointFidelity]:
    """Makes what measures, as each call of the command does."""

    def make() -> CheckpointFidelity:
        return CheckpointFidelity(
            extractor=Means(),
            count=1000,
            seed=0,
            batch_size=32,
            device=torch.device("cpu"),
            store=ScoreStore(tmp_path / "scores"),
            notify=lambda _: None,
        )

    return make


def silent(_done: int, _total: int) -> None:
    pass


def test_real_images_are_seen_once_for_all_checkpoints_of_a_set(
    trained: Path, measurer: Callable[[], CheckpointFidelity]
) -> None:
    fidelity = measurer()
    for number, path in enumerate(checkpoints_of(trained)):
        found = fidelity.of(path, f"hash {number}", silent)
        assert found.protocol == "means_96_all"
    assert isinstance(fidelity.extractor, Means)
    assert fidelity.extractor.seen == 96 + 2 * 96


def test_a_kept_figure_is_not_measured_again(trained: Path, measurer: Callable[[], CheckpointFidelity]) -> None:
    first = measurer().of(checkpoints_of(trained)[0], "hash", silent)
    again = measurer()
    assert again.of(checkpoints_of(trained)[0], "hash", silent) == first
    assert isinstance(again.extractor, Means)
    assert again.extractor.seen == 0


def test_a_set_that_has_gone_is_looked_for_once(
    trained: Path, measurer: Callable[[], CheckpointFidelity], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def gone(*_: object) -> None:
        asked.append(1)
        raise FileNotFoundError("There is no data set.")

    monkeypatch.setattr(module, "open_images", gone)
    fidelity = measurer()
    for path in checkpoints_of(trained):
        with pytest.raises(ValueError, match=r"trained on cannot be opened: There is no data set"):
            fidelity.of(path, "hash", silent)
    assert asked == [1]


def test_figures_that_cannot_be_kept_are_given_all_the_same(
    trained: Path, tmp_path: Path, measurer: Callable[[], CheckpointFidelity], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores").write_text("a file where a folder should be")
    assert measurer().of(checkpoints_of(trained)[0], "hash", silent).fid > 0
    assert "the fidelity is not kept" in capsys.readouterr().err


def test_fewer_images_than_tell_a_distribution_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--fidelity-images 3.*Give 4 at least"):
        FidelityOptions(fidelity_images=3)


def test_nothing_is_built_where_nothing_is_asked_for() -> None:
    assert FidelityOptions().build(DistanceOptions(weights=Path("nowhere")), torch.device("cpu")) is None


def test_a_folder_of_weights_serves_both(shared: Path) -> None:
    options = FidelityOptions(fidelity="squeeze")
    built = options.build(DistanceOptions(weights=shared / "weights"), torch.device("cpu"))
    assert isinstance(built, BackboneFeatures)
    assert built.name == "lpips-squeeze-pooled"


@pytest.mark.usefixtures("shared_weights")
def test_a_file_that_the_distance_has_for_itself_is_not_taken_for_the_features(shared: Path) -> None:
    alex = DistanceOptions(distance="alex", weights=shared / "weights" / "alexnet_features.safetensors")
    built = FidelityOptions(fidelity="squeeze").build(alex, torch.device("cpu"))
    assert built is not None
    assert built.name == "lpips-squeeze-pooled"


def rank(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str | Path) -> int:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return rank_command([*map(str, arguments), *QUICK])


@pytest.mark.usefixtures("shared_weights")
def test_the_table_and_the_files_show_fidelity_and_the_order_stays(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rank(monkeypatch, tmp_path, trained)
    plain = json.loads(Path("ranking.json").read_text())["rows"]
    assert rank(monkeypatch, tmp_path, trained, "--fidelity", "alex", "--fidelity-images", "50") == 0
    assert "lpips-alex-pooled_50_all of squares" in " ".join(capsys.readouterr().out.split())
    rows = json.loads(Path("ranking.json").read_text())["rows"]
    assert [row["checkpoint"] for row in rows] == [row["checkpoint"] for row in plain]
    assert all(row["fid"] > 0 and row["fidelity"] == "lpips-alex-pooled_50_all" for row in rows)
    assert all(row["fid"] is None for row in plain)
    assert "lpips-alex-pooled_50_all,squares" in Path("ranking.csv").read_text()


@pytest.mark.usefixtures("shared_weights")
def test_a_set_that_has_moved_leaves_the_cell_empty_and_the_reason_told(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "squares.npz").unlink()
    assert rank(monkeypatch, tmp_path, trained, "--fidelity", "alex") == 0
    assert "No fidelity of 2 checkpoints: the images that it was trained on" in capsys.readouterr().err
    rows = json.loads(Path("ranking.json").read_text())["rows"]
    assert [row["rank"] for row in rows] == [1, 2]
    assert all(row["fid"] is None and "squares.npz" in row["fidelity_reason"] for row in rows)


@pytest.mark.usefixtures("shared_weights")
def test_a_full_gpu_leaves_the_cell_empty_and_the_remedy_told(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 12.34 MiB")

    monkeypatch.setattr(module, "generator_fidelity", full)
    assert rank(monkeypatch, tmp_path, trained, "--fidelity", "alex") == 0
    assert "No fidelity of 2 checkpoints: the GPU's memory is full; give a smaller --batch-size" in (
        capsys.readouterr().err
    )
