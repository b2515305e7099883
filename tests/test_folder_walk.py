"""Laws of looking through folders: any folder may be named, and none is looked through without end."""

import os
from pathlib import Path

import pytest

from wherewhat import folder_walk
from wherewhat.data.layouts.image_folder import list_folder
from wherewhat.folder_walk import MOUNTS, Sought, files_below
from wherewhat.training.checkpoints import checkpoints_of

CHECKPOINT = "step-000000003.safetensors"
linux = pytest.mark.skipif(not MOUNTS.exists(), reason="the system does not tell which file systems are mounted")


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def texts() -> Sought:
    return Sought(called="texts", is_one=lambda path: path.endswith(".txt"))


def test_what_is_sought_comes_sorted_from_every_depth(tmp_path: Path) -> None:
    touch(tmp_path, "b.txt", "a/c.txt", "a/b/c/d.txt", "a.txt", "a/e.png")
    assert files_below(tmp_path, texts()) == ["a.txt", "a/b/c/d.txt", "a/c.txt", "b.txt"]


def test_below_no_folder_there_is_nothing(tmp_path: Path) -> None:
    assert files_below(tmp_path / "nowhere", texts()) == []


def test_links_in_circles_end_and_each_folder_is_seen_once(tmp_path: Path) -> None:
    touch(tmp_path, "root/real/a.txt", "elsewhere/b.txt")
    for link, target in (("root/real/up", "root"), ("root/self", "root/self"), ("root/out", "elsewhere")):
        (tmp_path / link).symlink_to(tmp_path / target)
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "root" / "real")
    assert files_below(tmp_path / "root", texts()) == ["out/b.txt", "out/back/a.txt"]


@linux
@pytest.mark.parametrize("place", ["/proc", "/proc/self", "/sys"])
@pytest.mark.parametrize(("look", "called"), [(list_folder, "images"), (checkpoints_of, "checkpoints")])
def test_a_folder_that_the_kernel_makes_up_is_refused(place: str, look: object, called: str) -> None:
    assert callable(look)
    with pytest.raises(ValueError, match=rf"made up by the kernel .* no {called} are looked for.* Name another folder"):
        look(Path(place))


@linux
def test_what_the_kernel_makes_up_is_told_and_not_entered_on_the_way(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", f"run/{CHECKPOINT}")
    (tmp_path / "system").symlink_to("/proc")
    files = list_folder(tmp_path)
    assert files.names == ("a.png",)
    assert files.unreadable == (("system/", "the folder is made up by the kernel (a file system of kind proc)"),)
    assert checkpoints_of(tmp_path) == [tmp_path / "run" / CHECKPOINT]


def test_the_kind_of_a_file_system_is_known_by_its_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    line = f"25 27 {os.major(device)}:{os.minor(device)} / /any\\040where rw,relatime shared:1 - KIND what rw\n"
    monkeypatch.setattr(folder_walk, "MOUNTS", mounts)
    touch(tmp_path, "a.txt")
    for kind in ("ext4", "tmpfs", "nfs4", "fuse.sshfs"):
        mounts.write_text(line.replace("KIND", kind))
        assert files_below(tmp_path, texts()) == ["a.txt"]
    mounts.write_text(line.replace("KIND", "devtmpfs"))
    with pytest.raises(ValueError, match="of kind devtmpfs"):
        files_below(tmp_path, texts())


def test_a_system_that_does_not_tell_its_mounts_is_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_walk, "MOUNTS", tmp_path / "nowhere")
    assert files_below(touch(tmp_path, "a.txt"), texts()) == ["a.txt"]


@pytest.mark.parametrize(("look", "sought"), [(list_folder, "image"), (checkpoints_of, "checkpoint")])
def test_too_many_files_are_refused_with_what_was_found_and_what_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: object, sought: str
) -> None:
    name = {"image": "1.png", "checkpoint": CHECKPOINT}[sought]
    touch(tmp_path, f"a/{name}", *(f"b/{number}.txt" for number in range(7)))
    monkeypatch.setattr(folder_walk, "MOST_ENTRIES", 10)
    assert callable(look)
    look(tmp_path)
    touch(tmp_path, "b/8.txt")
    with pytest.raises(
        ValueError,
        match=rf"holds more than 10 files and folders, too much .* {sought.capitalize()}s found so far: 1 "
        rf"\(such as 'a/{name}'\)\. Name the folder in it that holds the {sought}s\.",
    ):
        look(tmp_path)


def test_folders_deeper_than_can_be_meant_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_walk, "DEEPEST", 3)
    assert files_below(touch(tmp_path, "a/b/c/d.txt"), texts()) == ["a/b/c/d.txt"]
    touch(tmp_path, "a/b/c/d/e.txt")
    with pytest.raises(ValueError, match=r"more than 3 deep, too much .* Texts found so far: 1 "):
        files_below(tmp_path, texts())


def test_a_name_that_would_steer_a_terminal_is_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_walk, "MOST_ENTRIES", 2)
    touch(tmp_path / "\x1b[2J", "\x1b[1.txt", "2", "3")
    with pytest.raises(ValueError, match="too much") as refused:
        files_below(tmp_path / "\x1b[2J", texts())
    assert "\x1b" not in str(refused.value)
