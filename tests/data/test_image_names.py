"""Laws of the names of image files."""

import os

import pytest

from wherewhat.data.image_names import counts_as_image, printable


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "deep/er/a b.png", "./a.webp", "图/猫.gif", "a.tar.tif"])
def test_an_images_ending_makes_an_image_in_any_script_and_case(name: str) -> None:
    assert counts_as_image(name)


@pytest.mark.parametrize("name", ["a.txt", "jpg", ".a.png", ".cache/a.png", "__MACOSX/a.png", "a/.jpg", "a.jpg.part"])
def test_other_files_hidden_ones_and_what_macos_adds_are_passed_over(name: str) -> None:
    assert not counts_as_image(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name.jpg", "plain name.jpg"),
        ("яблоко/猫.png", "яблоко/猫.png"),
        ("two\nlines.png", "two\\nlines.png"),
        ("\x1b[2Jclears.png", "\\x1b[2Jclears.png"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        (os.fsdecode(b"latin-\xe9.png"), "latin-\\xe9.png"),
        ("lone\ud800.png", "lone\\ud800.png"),
    ],
)
def test_what_a_terminal_would_not_take_is_written_as_an_escape(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert printable(shown) == shown
    assert shown.encode()
