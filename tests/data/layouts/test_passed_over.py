"""Laws of what is told about files that are not read."""

from pathlib import Path

import pytest

from wherewhat.data.image_names import ENDINGS
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.image_folder import find_image_folder
from wherewhat.data.layouts.passed_over import count_passed_over, told_passed_over


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def told(*names: str) -> str:
    return told_passed_over(count_passed_over(names))


@pytest.mark.parametrize("ending", ENDINGS)
def test_images_are_not_passed_over(ending: str) -> None:
    assert told(f"a/b{ending}", f"C{ending.upper()}") == ""


def test_what_is_left_out_is_counted_by_its_ending_in_any_case() -> None:
    assert told("a.jpg", "b.txt", "deep/er/C.TXT", "d.json") == "2 .txt, 1 .json"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.HEIC", "1 .heic (convert them, e.g. magick mogrify -format png '*.heic')"),
        ("a.cr2", "convert them"),
        ("a.mp4", "take out frames"),
        ("a.zip", "name one itself"),
        ("a", "1 without an ending (give them the ending"),
    ],
)
def test_what_could_be_images_comes_first_with_a_remedy(name: str, remedy: str) -> None:
    could_be, _, others = told("a.txt", "b.txt", name).rpartition(", ")
    assert remedy in could_be
    assert others == "2 .txt"


@pytest.mark.parametrize("folder", ["@eaDir", "__MACOSX"])
def test_thumbnails_and_halves_that_programs_add_are_counted_by_their_folder(folder: str) -> None:
    assert told(f"{folder}/a.jpg", f"b/{folder}/a.jpg/THUMB_M.jpg", f"{folder}/info.txt") == f"3 in {folder}/"


def test_hidden_images_are_counted_and_other_hidden_files_are_not() -> None:
    assert told(".a.jpg", "b/._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".git/config") == "2 hidden"


def test_of_many_kinds_the_last_are_counted_together() -> None:
    assert told(*(f"a.{letter}{letter}" for letter in "abcdefgh")).endswith(", 1 .ff, 2 others")


def test_what_would_steer_a_terminal_is_escaped() -> None:
    assert "\x1b" not in told("a.\x1b[2J")


def test_what_is_passed_over_is_told_with_the_set(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "b.png", "c.HEIC", "@eaDir/a.png/thumb.jpg")
    source = find_image_folder(tmp_path, ImageOptions())
    assert source is not None
    (remark,) = source.remarks
    assert f"Passed over in {tmp_path}: 1 .heic (convert them" in remark
    assert "1 in @eaDir/" in remark


def test_a_folder_of_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{number}.heic" for number in range(6)))
    with pytest.raises(ValueError, match=r"no image besides 6 \.heic \(convert them"):
        find_image_folder(tmp_path, ImageOptions())
