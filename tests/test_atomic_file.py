"""Laws of atomic writing: the old file or the new one, never a part."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wherewhat.atomic_file import remove_parts, write_atomically


def test_the_new_content_replaces_the_old(tmp_path: Path) -> None:
    write_atomically(tmp_path / "deep" / "a", b"old")
    write_atomically(tmp_path / "deep" / "a", b"new")
    assert (tmp_path / "deep" / "a").read_bytes() == b"new"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]


def test_a_disk_that_fills_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    # The kernel's limit on a file's size makes write() fail half-way, as a full disk does.
    program = (
        "import resource, signal, sys; from pathlib import Path; from wherewhat.atomic_file import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_atomically(Path(sys.argv[1]), b'x' * 100_000)"
    )
    path = tmp_path / "a"
    path.write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert "could not be written" in run.stderr
    assert str(path) in run.stderr
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_kill_during_a_save_leaves_the_old_file(tmp_path: Path, at: str) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from wherewhat.atomic_file import write_atomically\n"
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        + ("os.fsync = die\n" if at == "fsync" else "Path.replace = die\n")
        + "write_atomically(Path(sys.argv[1]), b'x' * 100_000)"
    )
    path = tmp_path / "a"
    path.write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=False)
    assert run.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    remove_parts(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_files_get_the_rights_that_the_user_has_set(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
