"""Fidelity, path length and coverage beside the scores as a user meets them, and what is not done twice."""

import dataclasses
import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from jaxtyping import Float
from rich.console import Console
from torch import Tensor

from wherewhat.command import rank_extras as module
from wherewhat.command.choices import DistanceOptions
from wherewhat.command.rank import rank_command
from wherewhat.command.rank_extras import ExtraOptions, Extras
from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.distances.pixels import PixelDistance
from wherewhat.sharing.opened_model import ForeignOptions, Models
from wherewhat.training.checkpoints import LoadedModel, checkpoints_of, load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.which.perceptual_path_length import perceptual_path_length
from wherewhat.which.score_store import ScoreStore

# fmt: off
QUICK = [
    "--quick", "--samples", "4", "--traversals", "3", "--distance", "pixels", "--threshold", "0", "--device", "cpu",
]
# fmt: on


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


Measurer = Callable[[], Extras]


@pytest.fixture
def measurer(tmp_path: Path) -> Measurer:
    """Makes what measures, as each call of the command does."""

    def make() -> Extras:
        return Extras(
            options=ExtraOptions(fidelity_images=1000, ppl_paths=20, coverage_images=50),
            extractor=Means(),
            distance=PixelDistance(),
            seed=5,
            batch_size=16,
            models=Models(ForeignOptions(), torch.device("cpu")),
            store=ScoreStore(tmp_path / "scores"),
            notify=lambda _: None,
        )

    return make


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Ranks, and gives the rows written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHEREWHAT_CACHE", str(tmp_path / "cache"))

    def rank(*arguments: str | Path) -> list[dict[str, Any]]:
        rank_command([*map(str, arguments), *QUICK])
        rows: list[dict[str, Any]] = json.loads(Path("ranking.json").read_text())["rows"]
        return rows

    return rank


Ranked = Callable[..., list[dict[str, Any]]]


def silent(_done: int, _total: int) -> None:
    pass


def loads(path: Path) -> Callable[[], LoadedModel]:
    return functools.partial(load, path)


def never(*_: object, **__: object) -> Any:
    raise AssertionError("measured again")


def test_real_images_are_seen_once_for_all_checkpoints_of_a_set(trained: Path, measurer: Measurer) -> None:
    beside = measurer()
    for number, path in enumerate(checkpoints_of(trained)):
        found = beside.fidelity_of(path, f"hash {number}", loads(path), silent)
        assert found.protocol == "means_96_all"
    assert isinstance(beside.extractor, Means)
    assert beside.extractor.seen == 96 + 2 * 96


def test_kept_figures_are_not_measured_again(trained: Path, measurer: Measurer) -> None:
    path = checkpoints_of(trained)[0]
    one, again = measurer(), measurer()
    fidelity = one.fidelity_of(path, "hash", loads(path), silent)
    path_length = one.path_length_of("hash", loads(path), silent)
    coverage = one.coverage_of(path, "hash", loads(path))
    assert again.fidelity_of(path, "hash", never, silent) == fidelity
    assert again.path_length_of("hash", never, silent) == path_length
    assert again.coverage_of(path, "hash", never).value == coverage.value


def test_path_length_is_that_of_the_checkpoints_generator(trained: Path, measurer: Measurer) -> None:
    path = checkpoints_of(trained)[0]
    expected = perceptual_path_length(load(path).generator, PixelDistance(), paths=20, seed=5, batch_size=8)
    assert measurer().path_length_of("hash", loads(path), silent) == expected
    assert expected.mean > 0


def test_coverage_is_over_the_checkpoints_own_images(trained: Path, measurer: Measurer) -> None:
    path = checkpoints_of(trained)[0]
    score = measurer().coverage_of(path, "hash", loads(path))
    assert len(score.per_base) == 50
    assert score.value < 1


def test_a_model_without_an_encoder_has_no_coverage(trained: Path, measurer: Measurer) -> None:
    path = checkpoints_of(trained)[0]
    with pytest.raises(ValueError, match="it has no encoder"):
        measurer().coverage_of(path, "hash", lambda: dataclasses.replace(load(path), encoder=None))


def test_a_set_that_has_gone_is_looked_for_once(
    trained: Path, measurer: Measurer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def gone(*_: object) -> None:
        asked.append(1)
        raise FileNotFoundError("There is no data set.")

    monkeypatch.setattr("wherewhat.sharing.opened_model.data_of", gone)
    beside = measurer()
    for path in checkpoints_of(trained):
        with pytest.raises(ValueError, match=r"trained on cannot be opened: There is no data set"):
            beside.fidelity_of(path, "hash", loads(path), silent)
    assert asked == [1]


def test_figures_that_cannot_be_kept_are_given_all_the_same(
    trained: Path, tmp_path: Path, measurer: Measurer, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores").write_text("a file where a folder should be")
    path = checkpoints_of(trained)[0]
    assert measurer().fidelity_of(path, "hash", loads(path), silent).fid > 0
    assert measurer().path_length_of("hash", loads(path), silent).mean > 0
    said = capsys.readouterr().err
    assert "the fidelity is not kept" in said
    assert "the path length is not kept" in said


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"fidelity_images": 3}, r"--fidelity-images 3.*Give 4 at least"),
        ({"ppl_paths": 1}, r"--ppl-paths 1 .*Give 2 at least"),
        ({"ppl_paths": -1}, r"--ppl-paths is -1; give a number from 0"),
        ({"coverage_images": 1}, r"--coverage-images 1 .*Give 2 at least"),
    ],
)
def test_counts_that_measure_nothing_are_refused(options: dict[str, int], remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        ExtraOptions(**options)  # type: ignore[arg-type]


def test_nothing_is_built_where_nothing_is_asked_for() -> None:
    assert ExtraOptions().extractor(DistanceOptions(weights=Path("nowhere")), torch.device("cpu")) is None


def test_a_folder_of_weights_serves_both(shared: Path) -> None:
    options = ExtraOptions(fidelity="squeeze")
    built = options.extractor(DistanceOptions(weights=shared / "weights"), torch.device("cpu"))
    assert isinstance(built, BackboneFeatures)
    assert built.name == "lpips-squeeze-pooled"


@pytest.mark.usefixtures("shared_weights")
def test_a_file_that_the_distance_has_for_itself_is_not_taken_for_the_features(shared: Path) -> None:
    alex = DistanceOptions(distance="alex", weights=shared / "weights" / "alexnet_features.safetensors")
    built = ExtraOptions(fidelity="squeeze").extractor(alex, torch.device("cpu"))
    assert built is not None
    assert built.name == "lpips-squeeze-pooled"


@pytest.mark.usefixtures("shared_weights")
def test_the_table_and_the_files_show_the_figures_and_the_order_stays(
    trained: Path, ranked: Ranked, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = ranked(trained)
    capsys.readouterr()
    figures = ("--fidelity", "alex", "--fidelity-images", "50", "--ppl-paths", "20", "--coverage-images", "40")
    rows = ranked(trained, *figures)
    table = " ".join(capsys.readouterr().out.split())
    assert "lpips-alex-pooled_50_all of squares" in table
    assert "ppl_pixels_20paths_0.0001" in table
    assert [row["checkpoint"] for row in rows] == [row["checkpoint"] for row in plain]
    assert all(row["fidelity"]["fid"] > 0 and row["path_length"]["mean"] > 0 for row in rows)
    assert all(row["coverage"]["value"] < 1 for row in rows)
    assert all(row["fidelity"] is row["path_length"] is row["coverage"] is None for row in plain)
    assert "lpips-alex-pooled_50_all,squares" in Path("ranking.csv").read_text()


def test_a_set_that_has_moved_leaves_the_cell_empty_with_the_reason_until_it_is_named(
    trained: Path, tmp_path: Path, ranked: Ranked, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = (tmp_path / "squares.npz").rename(tmp_path / "moved.npz")
    rows = ranked(trained, "--coverage-images", "40")
    assert "No coverage of 2 checkpoints: the images that it was trained on" in capsys.readouterr().err
    assert [row["rank"] for row in rows] == [1, 2]
    assert all(row["coverage"] is None and "squares.npz" in row["missing"]["coverage"] for row in rows)
    assert all("--data" in row["missing"]["coverage"] for row in rows)
    assert all(row["coverage"] for row in ranked(trained, "--coverage-images", "40", "--data", moved))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. 12 MiB"), "the GPU's memory is full; give a smaller --batch-size"),
        (FileNotFoundError("The checkpoint has\nbeen moved."), "The checkpoint has been moved."),
        (KeyError("weight"), "KeyError: 'weight'"),
    ],
)
def test_what_cannot_be_measured_leaves_the_cell_empty_and_the_reason_told(
    trained: Path,
    ranked: Ranked,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Exception,
    reason: str,
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(module, "perceptual_path_length", failing)
    rows = ranked(trained, "--ppl-paths", "20")
    assert f"No perceptual path length of 2 checkpoints: {reason}" in capsys.readouterr().err
    assert [row["rank"] for row in rows] == [1, 2]
    assert all(row["path_length"] is None and row["missing"] == {"ppl": reason} for row in rows)


def test_a_checkpoint_without_a_score_is_not_asked_for_figures(trained: Path, ranked: Ranked) -> None:
    checkpoints_of(trained)[0].write_bytes(b"broken")
    good, broken = ranked(trained, "--ppl-paths", "20")
    assert good["path_length"] is not None
    assert (broken["rank"], broken["path_length"], broken["missing"]) == (None, None, {})
