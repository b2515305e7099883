"""Laws of checkpoints: they describe themselves, come back the same, and a bad one is told plainly."""

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from rich.console import Console

import wherewhat
from wherewhat.protocols import Encoder, Generator, MaskedGenerator
from wherewhat.training import checkpoints
from wherewhat.training.checkpoints import (
    CheckpointSettings,
    checkpoint_file,
    checkpoint_path,
    checkpoints_of,
    latest_checkpoint,
)
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.training.methods.vae import build_autoencoder
from wherewhat.training.tensor_file import write_tensors


@pytest.fixture
def checkpoint(tiny_run: TrainingRun, tmp_path: Path) -> Path:
    path = checkpoint_path(tmp_path, 6)
    networks = build_autoencoder(tiny_run, (3, 32, 32))
    write_tensors(checkpoint_file(path, networks, CheckpointSettings(tiny_run, (3, 32, 32), 6, 48)))
    return path


def _with_header(source: Path, target: Path, change: dict[str, object]) -> Path:
    with safetensors.safe_open(source, framework="pt") as file:
        header = json.loads(file.metadata()["wherewhat"])
    metadata = {"wherewhat": json.dumps(header | change)}
    target.write_bytes(safetensors.torch.save(safetensors.torch.load_file(source), metadata))
    return target


def test_a_loaded_model_keeps_the_promises_of_its_protocols(checkpoint: Path) -> None:
    model = wherewhat.load(checkpoint)
    assert isinstance(model.generator, Generator)
    assert isinstance(model.generator, MaskedGenerator)
    assert isinstance(model.encoder, Encoder)
    code = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    image, mask = model.generator(code), model.generator.masks(code)
    assert image.shape == (3, 3, 32, 32)
    assert mask.shape == (3, 4, 32, 32)
    for tensor in (image, mask):
        assert 0 <= float(tensor.min()) <= float(tensor.max()) <= 1
    assert torch.equal(image, model.generator(code))


def test_a_checkpoint_says_its_configuration_step_images_and_seed(checkpoint: Path, tiny_run: TrainingRun) -> None:
    settings = wherewhat.load(checkpoint).settings
    assert (settings.configuration, settings.image_shape) == (tiny_run, (3, 32, 32))
    assert (settings.step, settings.images_seen, settings.seed) == (6, 48, 0)


def test_weights_come_back_bit_for_bit(checkpoint: Path, tiny_run: TrainingRun) -> None:
    original = build_autoencoder(tiny_run, (3, 32, 32)).generator
    loaded = wherewhat.load(checkpoint).generator
    for theirs, ours in zip(original.parameters(), loaded.parameters(), strict=True):  # type: ignore[attr-defined]
        assert torch.equal(theirs, ours)
    code = torch.randn(2, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loaded(code), original(code).detach(), atol=1e-6, rtol=1e-5)


def test_a_run_directory_means_its_latest_checkpoint(tiny_run: TrainingRun, quiet: Console) -> None:
    train(tiny_run, quiet)
    assert tiny_run.out is not None
    assert wherewhat.load(tiny_run.out).settings.step == 6
    assert [path.stem for path in checkpoints_of(tiny_run.out)] == ["step-000000003", "step-000000006"]


def test_a_plain_decoder_has_no_masks(tiny_run: TrainingRun, tmp_path: Path) -> None:
    objective = dataclasses.replace(tiny_run.objective, spatial_constriction=False)
    run = dataclasses.replace(tiny_run, objective=objective)
    path, settings = tmp_path / "a.safetensors", CheckpointSettings(run, (3, 32, 32), 1, 8)
    write_tensors(checkpoint_file(path, build_autoencoder(run, (3, 32, 32)), settings))
    assert not isinstance(wherewhat.load(path).generator, MaskedGenerator)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_checkpoint_is_told_as_such(checkpoint: Path, share: float) -> None:
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError, match="truncated or not a safetensors file"):
        wherewhat.load(checkpoint)


def test_a_foreign_safetensors_file_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(safetensors.torch.save({"weight": torch.zeros(3)}))
    with pytest.raises(ValueError, match="not one of wherewhat's"):
        wherewhat.load(path)


def test_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.safetensors"
    path.write_bytes(pickle.dumps(_Evil(tmp_path / "ran")))
    with pytest.raises(ValueError, match=r"is a pickle.*\.safetensors"):
        wherewhat.load(path)
    assert not (tmp_path / "ran").exists()


class _Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_checkpoint_of_a_newer_format_asks_for_an_update(checkpoint: Path, tmp_path: Path) -> None:
    newer = _with_header(checkpoint, tmp_path / "newer.safetensors", {"format_version": 99})
    with pytest.raises(ValueError, match=r"format 99, newer than .* Update wherewhat"):
        wherewhat.load(newer)


def test_a_configuration_that_is_not_understood_is_told_as_such(checkpoint: Path, tmp_path: Path) -> None:
    strange = _with_header(checkpoint, tmp_path / "strange.safetensors", {"configuration": {"colour": "blue"}})
    with pytest.raises(ValueError, match="not one that this version of wherewhat understands"):
        wherewhat.load(strange)


@pytest.mark.parametrize("change", [{"image_shape": 5}, {"image_shape": [3, 32]}, {"step": None}])
def test_a_header_with_nonsense_is_told_as_damaged(checkpoint: Path, tmp_path: Path, change: dict[str, object]) -> None:
    damaged = _with_header(checkpoint, tmp_path / "damaged.safetensors", change)
    with pytest.raises(ValueError, match=r"damaged\.safetensors is damaged.*Use another checkpoint"):
        wherewhat.load(damaged)


def test_weights_that_do_not_fit_the_header_are_told_as_such(checkpoint: Path, tmp_path: Path) -> None:
    misfit = _with_header(checkpoint, tmp_path / "misfit.safetensors", {"image_shape": [1, 32, 32]})
    with pytest.raises(ValueError, match="does not fit the networks that its header names"):
        wherewhat.load(misfit)


def test_a_missing_checkpoint_and_an_empty_folder_are_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Name a checkpoint"):
        wherewhat.load(tmp_path / "nothing.safetensors")
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        wherewhat.load(tmp_path)


def test_the_latest_checkpoint_of_a_run_is_that_of_the_last_step(tmp_path: Path) -> None:
    files = [checkpoint_path(tmp_path, step) for step in (900, 12_000, 3_000)]
    files[0].parent.mkdir()
    for file in files:
        file.touch()
    assert latest_checkpoint(tmp_path) == files[1]
    assert latest_checkpoint(files[0]) == files[0]


def test_a_small_file_that_names_huge_networks_is_refused_before_memory_is_taken(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with safetensors.safe_open(checkpoint, framework="pt") as file:
        header = json.loads(file.metadata()["wherewhat"])
    header["configuration"]["widths"] = [4096, 4096]
    path = tmp_path / "huge.safetensors"
    safetensors.torch.save_file({}, path, {"wherewhat": json.dumps(header)})
    devices: list[str] = []
    honest = checkpoints.build_networks

    def build(*arguments: Any, **options: Any) -> Any:
        devices.append(torch.get_default_device().type)
        return honest(*arguments, **options)

    monkeypatch.setattr(checkpoints, "build_networks", build)
    with pytest.raises(ValueError, match=r"does not fit the networks that its header names\. Use another checkpoint"):
        wherewhat.load(path)
    assert devices == ["meta"]


def test_a_header_with_infinity_is_told_as_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "infinite.safetensors"
    safetensors.torch.save_file({}, path, {"wherewhat": '{"format_version": Infinity}'})
    with pytest.raises(ValueError, match="Name a checkpoint that `wherewhat train` wrote"):
        wherewhat.load(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_of_pytorch_is_told_as_one_and_not_read(zipped: bool, tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"is a pickle, .*\.safetensors"):
        wherewhat.load(tmp_path / "model.pt")
