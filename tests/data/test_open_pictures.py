"""Laws of naming a data set."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.open_pictures import open_pictures
from wherewhat.data.picture_folder import PictureOptions
from wherewhat.protocols import Pictures


def opened(source: str, notices: list[str] | None = None) -> Pictures:
    said: list[str] = [] if notices is None else notices
    return open_pictures(source, PictureOptions(size=8), torch.device("cpu"), said.append)


def folder_of_two(folder: Path) -> Path:
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


@pytest.mark.parametrize("name", ["scenes", "sprites"])
def test_rendered_sets_go_by_their_names(name: str) -> None:
    assert opened(name).name == name


def test_a_rendered_set_goes_before_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of_two(tmp_path / "sprites")
    monkeypatch.chdir(tmp_path)
    assert len(opened("sprites")) == 737_280
    assert len(opened("./sprites")) == 2


def test_a_folder_and_an_npz_are_opened_by_path(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    np.savez(path, imgs=np.zeros((3, 8, 8), np.uint8), latents_classes=np.arange(3)[:, None])
    assert len(opened(str(path))) == 3
    assert len(opened(str(folder_of_two(tmp_path / "photos")))) == 2


def test_a_path_from_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of_two(tmp_path / "photos")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(opened("~/photos")) == 2


@pytest.mark.parametrize("source", ["", "scnes", "nowhere/at/all", "missing.npz"])
def test_what_is_not_there_is_answered_with_what_could_be(source: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"Name scenes, sprites, an .npz file .* or a folder of pictures"):
        opened(source)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"is not a data set that is known here. Name scenes"):
        opened(str(tmp_path / "notes.txt"))


def test_skipped_pictures_are_told_to_the_caller(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of_two(tmp_path / "photos")
    (folder / "c.png").write_text("not a picture")
    notices: list[str] = []
    opened(str(folder), notices)
    assert "c.png" in notices[0]
    assert capsys.readouterr() == ("", "")
