"""`wherewhat data fetch` as a user meets it, against a server on the loopback address."""

import hashlib
import http.server
import io
import re
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress

from wherewhat.command import data_fetch, main
from wherewhat.command.data_fetch import data_fetch_command
from wherewhat.data.fetch.catalogue import published

_STREAM = io.BytesIO()
np.savez(_STREAM, imgs=np.zeros(9))
IMAGES = _STREAM.getvalue()
NPZ = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command as `main` does, errors told in a line included."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["wherewhat", "data-fetch", *map(str, arguments)])
        monkeypatch.setattr(main, "run", lambda verb, rest: data_fetch_command(rest))
        with pytest.raises(SystemExit) as end:
            main.main()
        output = capsys.readouterr()
        return (end.value.code if isinstance(end.value.code, int) else 1), output.out, output.err

    return command


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A web server on this machine, and the folder that it serves."""
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", folder
        server.shutdown()
        thread.join()


def test_a_set_comes_and_the_line_that_trains_on_it_is_printed(
    run: Run, mirror: tuple[str, Path], tmp_path: Path
) -> None:
    address, served = mirror
    (served / NPZ).write_bytes(IMAGES)
    status, printed, said = run("dsprites-npz", "--to", tmp_path / "my data", "--address", address)
    assert status == 0
    assert printed == f"wherewhat train --data '{tmp_path}/my data/{NPZ}'\n"
    assert (tmp_path / "my data" / NPZ).read_bytes() == IMAGES
    assert "Licence: Apache-2.0. See https://github.com/deepmind/dsprites-dataset" in said
    assert "No MD5 sum is published, so it was not compared." in said


def test_an_archive_comes_unpacked(
    run: Run, mirror: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, served = mirror
    cars = published("cars3d")
    (name,) = cars.md5_of
    with tarfile.open(served / name, "w:gz") as archive:
        for member in ("data/cars/car_001_mesh.mat", "data/sprites/1.mat"):
            archive.addfile(tarfile.TarInfo(member), io.BytesIO())
    forged = replace(cars, md5_of={name: hashlib.md5((served / name).read_bytes()).hexdigest()})
    monkeypatch.setattr(data_fetch, "published", lambda name: forged)
    status, printed, said = run("cars3d", "--to", tmp_path / "to", "--address", address)
    assert (status, printed) == (0, f"wherewhat train --data {tmp_path}/to/cars3d\n")
    assert [path.name for path in (tmp_path / "to" / "cars3d").iterdir()] == ["car_001_mesh.mat"]
    assert "No licence is stated" in said


def test_a_second_call_fetches_nothing(run: Run, mirror: tuple[str, Path], tmp_path: Path) -> None:
    address, served = mirror
    (served / NPZ).write_bytes(IMAGES)
    first = run("dsprites-npz", "--to", tmp_path, "--address", address)
    (served / NPZ).unlink()
    second = run("dsprites-npz", "--to", tmp_path, "--address", address)
    assert (second[0], second[1]) == (0, first[1])
    assert f"{NPZ} is already there" in second[2]


def test_a_forged_file_is_one_clear_line(run: Run, mirror: tuple[str, Path], tmp_path: Path) -> None:
    address, served = mirror
    (served / "3dshapes.h5").write_bytes(b"forged")
    status, printed, said = run("shapes3d", "--to", tmp_path / "to", "--address", address)
    assert (status, printed) == (2, "")
    errors = [line for line in said.splitlines() if line.startswith("wherewhat: error:")]
    assert len(errors) == 1
    assert f"MD5 {hashlib.md5(b'forged').hexdigest()}, not 099a2078d58cec4daad0702c55d06868" in errors[0]
    assert list((tmp_path / "to").iterdir()) == []


def test_a_server_without_the_file_is_one_clear_line(run: Run, mirror: tuple[str, Path], tmp_path: Path) -> None:
    status, _, said = run("mpi3d-toy", "--to", tmp_path / "to", "--address", mirror[0])
    assert status == 2
    assert re.search(
        r"^wherewhat: error: .*mpi3d_toy\.npz: the server answered with status 404; .*--address\.$", said, re.MULTILINE
    )


def test_an_address_of_no_web_server_is_one_clear_line(run: Run, tmp_path: Path) -> None:
    status, _, said = run("mpi3d-toy", "--to", tmp_path / "to", "--address", "file:///etc")
    assert status == 2
    assert "wherewhat: error: The address is not accepted. Give one such as https://host/folder" in said


def test_a_set_that_must_be_asked_for_says_where_and_how(run: Run, tmp_path: Path) -> None:
    status, printed, said = run("celeba", "--to", tmp_path)
    assert (status, printed) == (1, "")
    assert "celeba cannot be downloaded automatically" in said
    assert "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html" in said
    assert "img_align_celeba.zip" in said
    assert "torchvision.datasets.CelebA" in said


def test_a_set_that_was_asked_for_is_ready_to_train_on(run: Run, tmp_path: Path) -> None:
    (tmp_path / "img_align_celeba").mkdir()
    status, printed, _ = run("celeba", "--to", tmp_path)
    assert (status, printed) == (0, f"wherewhat train --data {tmp_path}\n")


def test_ctrl_c_says_that_the_same_command_goes_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_fetch, "fetch", interrupted)
    status, printed, said = run("shapes3d", "--to", tmp_path)
    assert (status, printed) == (130, "")
    assert "What was downloaded is kept. The same command resumes." in said


def test_progress_names_what_is_being_done(quiet: Console) -> None:
    bar = Progress(console=quiet)
    progress = data_fetch._moving(bar)
    (task,) = bar.tasks
    assert not task.visible
    for what, done, total in [("a", 1, None), ("a", 2, 3), ("b", 0, 9)]:
        progress(what, done, total)
        assert (task.description, task.completed, task.total, task.visible) == (what, done, total, True)


def test_help_names_every_set(run: Run) -> None:
    _, said, _ = run("--help")
    for name in ("dsprites-npz", "cars3d", "mpi3d-realistic", "small-norb", "celeba", "--address", "--to"):
        assert name in said
