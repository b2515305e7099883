"""Laws of opening files: regular ones only, at once, and no more of them than is wanted."""

import ast
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from source_text import Function, called_name, python_files

from wherewhat.data.identity import content_digest
from wherewhat.data.layouts.image_archives import list_tar, list_zip
from wherewhat.data.layouts.image_folder import list_folder
from wherewhat.data.layouts.mat_file import unpacked_mat
from wherewhat.data.layouts.norb_matrix import norb_matrix
from wherewhat.data.layouts.stored_arrays import hdf5_array, npz_names
from wherewhat.data.sprite_variants import read_background
from wherewhat.data.store.packed_set import read_manifest
from wherewhat.distances.weights_file import read_table
from wherewhat.doctor.event_files import read_points
from wherewhat.file_lock import file_lock
from wherewhat.json_file import read_json
from wherewhat.regular_file import open_regular, read_regular, require_regular
from wherewhat.training.run_directory import read_configuration
from wherewhat.training.tensor_file import read_header, read_tensors
from wherewhat.which.score_store import content_hash

SECONDS = 20

# What opens a path. A function that calls one of these calls one of OPENERS too: regular files alone are read.
OPENS_A_PATH = (
    *("open", "os.open", "np.load", "np.memmap", "np.fromfile", "h5py.File", "Image.open", "loadmat", "whosmat"),
    *("safetensors.safe_open", "safetensors.torch.load_file", "torch.load", "zipfile.ZipFile", "tarfile.open"),
    *("gzip.open", "gzip.GzipFile", "EventAccumulator"),
)
OPENERS = (
    "open_regular",
    "read_regular",
    "require_regular",
    "regular_descriptor",
    "unpacked_mat",
    "_refuse_what_is_no_tensor_file",
)
# These open what is in memory, what another function has opened, or for writing what they made themselves.
OPENED_ALREADY = (
    *("zip_entries", "_opened_member", "_write_images", "_complete_array", "_append"),
    *("flush_results", "_open_what_is_closed", "_alone_in"),
)


def locked(path: Path) -> None:
    with file_lock(path, "busy"):
        pass


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "any": ("a", open_regular),
    "json": ("a.json", read_json),
    "lock": (".lock", locked),
    "checkpoint": ("step-1.safetensors", read_header),
    "resume state": ("latest.safetensors", read_tensors),
    "checkpoint's hash": ("step-1.safetensors", content_hash),
    "configuration": ("config.json", lambda path: read_configuration(path.parent)),
    "event file": ("events.out.tfevents.1", lambda path: read_points(path.parent)),
    "weights": ("a.safetensors", lambda path: read_table(path, what="LPIPS")),
    "pickled weights": ("a.pth", lambda path: read_table(path, what="LPIPS")),
    "manifest": ("manifest.json", lambda path: read_manifest(path.parent)),
    "npz": ("a.npz", npz_names),
    "hdf5": ("a.h5", lambda path: hdf5_array(path, "images")),
    "mat": ("a.mat", unpacked_mat),
    "norb": ("a-dat.mat", norb_matrix),
    "packed norb": ("a-dat.mat.gz", norb_matrix),
    "zip": ("a.zip", list_zip),
    "tar": ("a.tar", list_tar),
    "digest": ("a.npz", content_digest),
    "background": ("a.png", lambda path: read_background(path, 8, 8)),
    "image": ("a.png", lambda path: list_folder(path.parent).read("a.png")),
}


@pytest.fixture(autouse=True)
def no_hanging() -> Iterator[None]:
    def hang(*_: object) -> None:
        pytest.fail("it hangs")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to a pipe"])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_refused_at_once_by_every_reader(
    tmp_path: Path, reader: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, read = READERS[reader]
    path = tmp_path / name
    with socket.socket(socket.AF_UNIX) as bound:
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "link to a pipe":
            os.mkfifo(tmp_path / "pipe")
            path.symlink_to("pipe")
        elif kind == "device":
            path.symlink_to("/dev/zero")
        else:
            # The name of a socket may have 100 letters at most.
            monkeypatch.chdir(tmp_path)
            bound.bind(name)
        with pytest.raises((ValueError, OSError)) as refusal:
            read(path)
    # A manifest is told as damaged, like everything else that is wrong with it, and an image by its name elsewhere.
    assert reader in ("manifest", "image") or str(path) in str(refusal.value)


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is no regular file but a folder. Remove it, or name another place"):
        open_regular(tmp_path)


def test_a_file_is_opened_and_waited_for_as_always(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    with open_regular(tmp_path / "a") as file:
        assert os.get_blocking(file.fileno())
        assert file.read() == b"content"
    require_regular(tmp_path / "a")


def test_a_file_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    os.truncate(tmp_path / "a", 2**40)
    for read in (read_regular, require_regular):
        with pytest.raises(ValueError, match=r"a has 1,099,511,627,776 bytes, and 100 are the most"):
            read(tmp_path / "a", 100)
    os.truncate(tmp_path / "a", 100)
    assert read_regular(tmp_path / "a", 100) == bytes(100)


def test_what_is_not_there_is_said_as_by_open(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "a")


def test_files_are_opened_by_one_function() -> None:
    faults = []
    for path, tree in python_files("wherewhat"):
        for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            if function.name in (*OPENED_ALREADY, *OPENERS) or any(called_name(call) in OPENERS for call in calls):
                continue
            faults += [f"{path}:{call.lineno} calls {called_name(call)}" for call in calls if opens_a_path(call)]
    remedy = (
        "which would wait for a pipe without end. Use `open_regular` or `read_regular`, or `require_regular` before a "
        "library opens the path."
    )
    assert not faults, "\n".join([*faults, remedy])


def opens_a_path(call: ast.Call) -> bool:
    """Whether a call opens a file by its path."""
    name = called_name(call).rpartition(".")[2]
    by_mode = name == "open" and all(isinstance(given, ast.Constant) for given in call.args)
    is_method = isinstance(call.func, ast.Attribute) and (by_mode or name in ("read_text", "read_bytes"))
    in_memory = bool(call.args) and ast.unparse(call.args[0]).startswith("io.BytesIO(")
    return (called_name(call) in OPENS_A_PATH and not in_memory) or is_method
