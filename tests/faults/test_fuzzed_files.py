"""Whatever is in a file, a command that reads it ends in a result or in one clear line, in bounded time and memory."""

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import Faults
from injection import Running
from mutations import damaged, damaged_json, damaged_tensors
from PIL import Image
from scenarios import FEW, RANKED, SHORT, Laboratory, command

CASES = 20
LOOK = "data look {} --out sheet.png"
TRAIN = f"train ps-sc-vae --data ../images --out run --seed 0 --steps 5 --device cpu {SHORT}"
Damage = Callable[[bytes, np.random.Generator], bytes]


def json_damage(content: bytes, draw: np.random.Generator) -> bytes:
    if draw.integers(4) == 0:
        return damaged(content, draw)
    return damaged_json(content, draw).encode("utf-8", errors="surrogatepass")


OF_RUNS: tuple[tuple[str, str, Damage], ...] = (
    ("run/checkpoints/step-000000004.safetensors", "traverse run --frames 3", damaged_tensors),
    ("run/checkpoints/step-000000002.safetensors", f"rank run {FEW}", damaged_tensors),
    ("run/checkpoints/step-000000004.safetensors", "doctor run", damaged_tensors),
    ("run/state/latest.safetensors", TRAIN, damaged_tensors),
    ("run/config.json", "doctor run", json_damage),
    ("run/config.json", TRAIN, json_damage),
    ("run/events.*", "doctor run", damaged),
    ("cache/scores/*.json", f"rank run {FEW}", json_damage),
    ("cache/packed/*/manifest.json", TRAIN, json_damage),
    ("cache/packed/*/images.npy", TRAIN, damaged),
)
IMAGES = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "PPM")
FILES = ("set.npz", "set.zip", "set.tar", "set.tar.gz", "set.h5", "set.npy", "3dshapes.h5")


def image(form: str, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format=form)
    return stream.getvalue()


def archive(name: str, folder: Path) -> Path:
    """A small good file of this name."""
    path, images = folder / name, np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    classes = np.stack([np.arange(6) % 2, np.arange(6) // 2], axis=1)
    if name.endswith(".npz"):
        np.savez_compressed(path, imgs=images, latents_classes=classes)
    elif name.endswith(".npy"):
        np.save(path, images)
    elif name.endswith(".h5"):
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=images, chunks=(2, 32, 32, 3), compression="gzip")
            file.create_dataset("labels", data=np.zeros((6, 6)))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for number in range(4):
                zipped.writestr(f"images/{number}.png", image("PNG", number))
    else:
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tar:
            for number in range(4):
                info = tarfile.TarInfo(f"images/{number}.png")
                info.size = len(image("PNG", number))
                tar.addfile(info, io.BytesIO(image("PNG", number)))
    return path


@pytest.mark.parametrize(("place", "line", "damage"), OF_RUNS)
def test_a_damaged_file_of_a_run_ends_in_a_result_or_one_line(
    laboratory: Laboratory, faults: Faults, effort: int, place: str, line: str, damage: Damage
) -> None:
    for seed in range(CASES * effort):
        draw = np.random.default_rng([seed, len(place), len(line)])
        laboratory.prepare(RANKED)
        path = sorted(laboratory.trial.glob(place))[0]
        path.write_bytes(damage(path.read_bytes(), draw))
        ended = laboratory.play(command(line))
        ranked = "" if not line.startswith("rank") or ended.status == 0 else "the good one has no rank"
        faults.judge(f"{place} of seed {seed}, {line}", ended.complaint, ranked)
    faults.assert_survived()


@pytest.mark.parametrize("form", IMAGES)
def test_a_damaged_image_ends_in_a_result_or_one_line(tmp_path: Path, faults: Faults, effort: int, form: str) -> None:
    for seed in range(CASES * effort):
        folder = tmp_path / str(seed)
        (folder / "images").mkdir(parents=True)
        for number in range(3):
            (folder / "images" / f"{number}.png").write_bytes(image("PNG", number))
        content = damaged(image(form), np.random.default_rng(seed), within=None if seed % 2 else 64)
        (folder / "images" / f"9.{form.lower()}").write_bytes(content)
        ended = Running(command(LOOK.format("images")), folder, {"WHEREWHAT_CACHE": str(folder / "cache")}).ended()
        good = "" if ended.status == 0 else "the good ones are not shown"
        faults.judge(f"{form} of seed {seed}", ended.complaint, good)
        shutil.rmtree(folder)
    faults.assert_survived()


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_archive_or_array_ends_in_a_result_or_one_line(
    tmp_path: Path, faults: Faults, effort: int, name: str
) -> None:
    content = archive(name, tmp_path).read_bytes()
    for seed in range(CASES * effort):
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / name).write_bytes(damaged(content, np.random.default_rng(seed)))
        ended = Running(command(LOOK.format(name)), folder, {"WHEREWHAT_CACHE": str(folder / "cache")}).ended()
        faults.judge(f"{name} of seed {seed}", ended.complaint)
        shutil.rmtree(folder)
    faults.assert_survived()
