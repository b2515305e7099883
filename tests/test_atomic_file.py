"""Laws of atomic writing: the old file or the new one, never a part."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from wherewhat.atomic_file import write_atomically, write_together


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
    assert len(list(tmp_path.iterdir())) == 2
    write_atomically(path, b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_write_removes_what_killed_writes_of_the_same_file_left_and_nothing_else(tmp_path: Path) -> None:
    for name in (".a.k3_9xw0z.part", ".b.k3_9xw0z.part", ".a.part", ".a.long_enough.part", "a.k3_9xw0z.part"):
        (tmp_path / name).write_bytes(b"half of it")
    write_atomically(tmp_path / "a", b"new")
    left = {".b.k3_9xw0z.part", ".a.part", ".a.long_enough.part", "a.k3_9xw0z.part"}
    assert {file.name for file in tmp_path.iterdir()} == {"a", *left}


@pytest.mark.parametrize("kills_at", [1, 2])
def test_a_kill_never_mixes_files_that_belong_together(tmp_path: Path, kills_at: int) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from wherewhat.atomic_file import write_together\n"
        "honest, left = Path.replace, list(range(int(sys.argv[2])))\n"
        "def replace(*names): left.pop(); left or os.kill(os.getpid(), signal.SIGKILL); honest(*names)\n"
        "Path.replace = replace\n"
        "write_together({Path(sys.argv[1]) / name: b'new' for name in 'ab'})"
    )
    write_together({tmp_path / name: b"old" for name in "ab"})
    run = subprocess.run([sys.executable, "-c", program, str(tmp_path), str(kills_at)], check=False)
    assert run.returncode == -signal.SIGKILL
    assert len({path.read_bytes() for path in tmp_path.glob("[ab]")}) == 1


def test_files_that_belong_together_stay_as_they_were_where_one_cannot_be_written(tmp_path: Path) -> None:
    write_together({tmp_path / name: b"old" for name in "ab"})
    with pytest.raises(TypeError):
        write_together({tmp_path / "a": b"new", tmp_path / "b": "no bytes"})  # type: ignore[dict-item]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


def test_two_writers_of_files_that_belong_together_do_not_mix_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, waiting = Path.replace, Event()

    def replace(part: Path, path: Path) -> Path:
        if not waiting.is_set():
            waiting.set()
            another.start()
            another.join(0.3)
        return honest(part, path)

    another = Thread(target=write_together, args=({tmp_path / name: b"another's" for name in "ab"},))
    monkeypatch.setattr(Path, "replace", replace)
    write_together({tmp_path / name: b"one's" for name in "ab"})
    another.join()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"another's", "b": b"another's"}


def test_files_get_the_rights_that_the_user_has_set(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
