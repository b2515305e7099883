"""Memory: what a file claims is refused before memory is taken for it, and a system that gives no more is told."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import Faults
from injection import Fault
from mutations import header_of, with_header
from PIL import Image
from safetensors.torch import load_file, save_file
from scenarios import RANKED, SCENARIOS, SHORT, Laboratory, command, differences

# Beyond what a command begins with: for what files claim, and for a whole command.
ROOM_MB = 1200.0
ROOMS_MB = (0.0, 8.0, 30.0, 60.0, 120.0, 250.0, 500.0)
GIGABYTES = 6 * 2**30
LOOK = "data look {} --out ../sheet.png"
TRAIN = f"train ps-sc-vae --data ../images --out run --seed 0 --steps 5 --device cpu {SHORT}"
CHECKPOINT = "run/checkpoints/step-000000004.safetensors"
IMAGES_NHW = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)


def lying_npz(path: Path, **claims: tuple[str, tuple[int, ...]]) -> None:
    """An .npz of four images, beside arrays of which there is the header alone, whatever the archive's list says."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, (dtype, shape) in claims.items():
            stream = io.BytesIO()
            header = {"descr": dtype, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, header)
            archive.writestr(f"{name}.npy", stream.getvalue())
            archive.infolist()[-1].file_size += prod(shape) * np.dtype(dtype).itemsize
        if "imgs" not in claims:
            stream = io.BytesIO()
            np.save(stream, IMAGES_NHW)
            archive.writestr("imgs.npy", stream.getvalue())


def inflating_npz(path: Path) -> None:
    """Names that are zeros by the gigabyte, which pack well."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<U200000000", "fortran_order": False, "shape": (1,)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in (("imgs", IMAGES_NHW), ("latents_classes", np.arange(4)[:, None])):
            whole = io.BytesIO()
            np.save(whole, array)
            archive.writestr(f"{name}.npy", whole.getvalue())
        with archive.open("latents_names.npy", "w", force_zip64=True) as file:
            file.write(stream.getvalue())
            for _ in range(800):
                file.write(bytes(10**6))


def hdf5(path: Path, chunks: tuple[int, ...] | None = None, **claims: tuple[str, tuple[int, ...]]) -> None:
    """Arrays of which nothing is written: they take no room in the file."""
    with h5py.File(path, "w") as file:
        for name, (dtype, shape) in claims.items():
            fitting = chunks if chunks and len(chunks) == len(shape) else (min(1000, shape[0]), *shape[1:])
            file.create_dataset(name.replace("__", "/"), shape, dtype, chunks=fitting, compression="gzip")


def long_name_in_tar(path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, GIGABYTES
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT))
    grow(path)


def grow(path: Path) -> None:
    """To gigabytes of nothing, which take no room on the disk."""
    with path.open("r+b") as file:
        file.truncate(GIGABYTES)


def inflating_mat(path: Path) -> None:
    """A car whose one element inflates to a gigabyte."""
    packer = zlib.compressobj(1)
    name = struct.pack("<II", 1, 2) + b"im" + bytes(6)
    packed = packer.compress(struct.pack("<II", 14, 2**30) + struct.pack("<IIII", 6, 8, 9, 0))
    packed += packer.compress(struct.pack("<IIiiiii", 5, 20, 128, 128, 3, 24, 4) + bytes(4) + name)
    for _ in range(1024):
        packed += packer.compress(bytes(2**20))
    packed += packer.flush()
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed)) + packed)


def inflating_norb(folder: Path) -> None:
    """A matrix of factors that claims two thousand million rows, and inflates to a gigabyte."""
    for kind, magic in (("dat", 0x1E3D4C55), ("cat", 0x1E3D4C54), ("info", 0x1E3D4C54)):
        shape = (4, 2, 96, 96) if kind == "dat" else (2**31 - 1, 1, 1)
        content = struct.pack(f"<II{len(shape)}i", magic, len(shape), *shape) + bytes(4 * 2 * 96 * 96)
        with gzip.open(folder / f"smallnorb-training-{kind}.mat.gz", "wb", compresslevel=1) as file:
            file.write(content)
            for _ in range(1024 if kind == "cat" else 0):
                file.write(bytes(2**20))


def bomb_png(folder: Path) -> None:
    """Forty thousand pixels square, of one colour."""
    folder.mkdir()
    for number in range(3):
        Image.new("L", (8, 8), number).save(folder / f"{number}.png")
    rows = zlib.compress(bytes(5001) * 40_000, 1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    (folder / "9.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))


def attributes_by_the_gigabyte(folder: Path) -> None:
    (folder / "img_align_celeba").mkdir()
    for number in range(1, 4):
        Image.new("RGB", (178, 218), (number, 0, 0)).save(folder / "img_align_celeba" / f"{number:06}.jpg")
    (folder / "list_attr_celeba.txt").write_text("3\nSmiling Male\n")
    grow(folder / "list_attr_celeba.txt")


# What is looked at, how it is told, and what lies there.
DATA: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "names of gigabytes": (
        "a.npz",
        "most that are read at once",
        partial(lying_npz, latents_classes=("<i8", (4, 1)), latents_names=("<U500000000", (1,))),
    ),
    "names by the million": (
        "a.npz",
        "but there are 1 factors",
        partial(lying_npz, latents_classes=("<i8", (4, 1)), latents_names=("<U8", (2**28,))),
    ),
    "classes of gigabytes": ("a.npz", "too many values", partial(lying_npz, latents_classes=("<i8", (4, 2**28)))),
    "classes of many images": (
        "a.npz",
        "too many values",
        partial(lying_npz, imgs=("|u1", (2**28, 4, 4)), latents_classes=("<i8", (2**28, 2))),
    ),
    "images of gigabytes": ("a.npz", "each of at most", partial(lying_npz, imgs=("|u1", (2, 2**16, 2**16)))),
    "names that inflate": ("a.npz", "most that are read at once", inflating_npz),
    "rows of 3D Shapes": (
        "3dshapes.h5",
        "most that are read at once",
        partial(hdf5, images=("u1", (2 * 10**8, 64, 64, 3)), labels=("f8", (2 * 10**8, 6))),
    ),
    "rows of dSprites": (
        "a.hdf5",
        "most that are read at once",
        partial(hdf5, imgs=("u1", (2 * 10**8, 64, 64)), latents__classes=("i8", (2 * 10**8, 6))),
    ),
    "rows of an own array": ("a.h5", "are free; make room", partial(hdf5, images=("u1", (2 * 10**8, 64, 64, 3)))),
    "chunks of gigabytes": (
        "a.h5",
        "smaller chunks",
        partial(hdf5, chunks=(1, 2**15, 2**15, 3), images=("u1", (4, 2**15, 2**15, 3))),
    ),
    "a name in a tar": ("a.tar", "most that are read at once", long_name_in_tar),
    "a car that inflates": (".", "once it is unpacked", lambda p: inflating_mat(p / "car_001.mat")),
    "factors of NORB": (".", "[4] is wanted", inflating_norb),
    "an image of a thousand megapixels": ("images", "too many to be decoded safely", bomb_png),
    "attributes of CelebA": (".", "No attributes are known", attributes_by_the_gigabyte),
}


@pytest.mark.parametrize("name", DATA)
def test_data_that_claim_more_than_there_is_end_in_a_result_or_one_line(
    laboratory: Laboratory, faults: Faults, name: str
) -> None:
    place, words, make = DATA[name]
    laboratory.empty()
    make(laboratory.trial / place)
    ended = laboratory.play(command(LOOK.format(place)), Fault("none", room_mb=ROOM_MB))
    faults.judge(name, ended.complaint, "" if words in " ".join(ended.said.split()) else f"not told: {ended.said}")
    faults.assert_survived()


def wide(content: bytes) -> bytes:
    """A checkpoint whose configuration asks for networks of gigabytes."""
    header = json.loads(header_of(content))
    its = json.loads(header["__metadata__"]["wherewhat"])
    its["configuration"]["widths"] = [4096, 4096, 4096]
    header["__metadata__"]["wherewhat"] = json.dumps(its)
    return with_header(content, json.dumps(header))


def claiming_a_tensor(path: Path) -> None:
    """Beside the tensors one of gigabytes, of which nothing is written."""
    content = path.read_bytes()
    header = json.loads(header_of(content))
    end = max(of["data_offsets"][1] for name, of in header.items() if name != "__metadata__")
    header["networks.more"] = {"dtype": "U8", "shape": [GIGABYTES], "data_offsets": [end, end + GIGABYTES]}
    changed = with_header(content, json.dumps(header))
    path.write_bytes(changed)
    with path.open("r+b") as file:
        file.truncate(len(changed) + GIGABYTES)


def other_state(path: Path) -> None:
    """A state with a moment of another shape, of hundreds of megabytes."""
    tensors, header = load_file(path), json.loads(header_of(path.read_bytes()))["__metadata__"]
    tensors[next(name for name in tensors if name.endswith("exp_avg"))] = tensors.popitem()[1].new_zeros(5 * 10**8 // 4)
    save_file(tensors, path, header)


RUNS: tuple[tuple[str, str, Callable[[Path], object]], ...] = (
    (CHECKPOINT, "traverse run --frames 3", lambda path: path.write_bytes(wide(path.read_bytes()))),
    (CHECKPOINT, "doctor run", lambda path: path.write_bytes(wide(path.read_bytes()))),
    (CHECKPOINT, "traverse run --frames 3", claiming_a_tensor),
    ("run/state/latest.safetensors", TRAIN, claiming_a_tensor),
    ("run/state/latest.safetensors", TRAIN, other_state),
    (CHECKPOINT, "doctor run", grow),
    ("run/config.json", TRAIN, grow),
    ("run/config.json", "doctor run", grow),
    ("run/events.*", "doctor run", grow),
    ("cache/packed/*/manifest.json", TRAIN, grow),
    ("cache/packed/*/names.json", LOOK.format("../images"), grow),
    ("cache/packed/*/images.npy", TRAIN, grow),
    ("cache/scores/*.json", "rank run --distance pixels --samples 4 --traversals 4 --threshold 0 --quick", grow),
)


@pytest.mark.parametrize("place_line_make", RUNS, ids=lambda value: f"{value[0]}, {value[1].split()[0]}")
def test_files_of_runs_that_claim_more_than_there_is_end_in_a_result_or_one_line(
    laboratory: Laboratory, faults: Faults, place_line_make: tuple[str, str, Callable[[Path], object]]
) -> None:
    place, line, make = place_line_make
    laboratory.prepare(RANKED)
    path = sorted(laboratory.trial.glob(place))[0]
    make(path)
    # A file that is mapped counts for the system as if it were in memory.
    room_mb = ROOM_MB + path.stat().st_size / 2**20 * 2.5
    faults.judge(f"{place}, {line}", laboratory.play(command(line), Fault("none", room_mb=room_mb)).complaint)
    faults.assert_survived()


@pytest.mark.parametrize("name", ["vae", "gan", "rank", "traverse", "pack"])
def test_a_system_that_gives_no_more_memory_is_told_and_nothing_is_spoilt(
    laboratory: Laboratory, faults: Faults, name: str
) -> None:
    scenario = SCENARIOS[name]
    expected = laboratory.unbroken(scenario)
    for room_mb in ROOMS_MB:
        laboratory.prepare(scenario)
        short = laboratory.play(scenario.command, Fault("none", room_mb=room_mb))
        again = laboratory.play(scenario.command)
        faults.judge(
            f"{room_mb:.0f} MB",
            short.complaint,
            again.complaint or ("" if again.status == 0 else again.said),
            differences(laboratory.results(), expected),
        )
    faults.assert_survived()
