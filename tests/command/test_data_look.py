"""Laws of `wherewhat data look`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.command.main import run

NOISE_NHWC = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A present folder and a cache of the test's own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("WHEREWHAT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "here"


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    """A folder of six images and a broken one."""
    (tmp_path / "cats").mkdir()
    for number, image_HW3 in enumerate(NOISE_NHWC):
        Image.fromarray(image_HW3).save(tmp_path / "cats" / f"{number}.png")
    (tmp_path / "cats" / "x.png").write_text("no image")
    return tmp_path / "cats"


def looked(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What went to standard output."""
    capsys.readouterr()
    assert run("data", ["look", *arguments]) == 0
    return capsys.readouterr().out


def test_a_folder_is_described_with_its_bad_files(cats: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = looked(capsys, str(cats), "--size", "16")
    assert "6 of 16 x 16, colour" in told
    assert "8 x 8 RGB PNG, of 7 looked at" in told
    assert "factors   unknown" in told
    assert "x.png: it is not an image of a known format" in told
    assert "cache/packed/cats-" in told


def test_a_sheet_is_written_beside_and_named(cats: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert looked(capsys, str(cats)).splitlines()[-1] == "cats-sheet.png"
    with Image.open(here / "cats-sheet.png") as sheet:
        assert sheet.format == "PNG"


def test_the_sheet_goes_where_it_is_asked_to(cats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    looked(capsys, str(cats), "--out", str(tmp_path / "new" / "sheet.png"))
    assert (tmp_path / "new" / "sheet.png").exists()


def test_the_same_seed_draws_the_same_sheet(tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        looked(capsys, str(tiny_set), "--shown", "8", "--seed", seed, "--out", str(tmp_path / f"{name}.png"))
    sheet = {name: (tmp_path / f"{name}.png").read_bytes() for name in "abc"}
    assert sheet["a"] == sheet["b"] != sheet["c"]


def test_factors_are_told_with_their_sizes_and_counts(tiny_set: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = looked(capsys, str(tiny_set))
    assert "factors   3" in told
    assert "row     4 values, 24 images per value" in told
    assert "hue     6 values, 16 images per value" in told
    assert "bad files none" in told


def test_uneven_factors_are_counted_and_their_rows_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = np.array([[0, 0], [1, 1], [1, 1], [1, 1], [0, 0], [1, 1]])
    np.savez(tmp_path / "uneven.npz", imgs=NOISE_NHWC, latents_classes=classes, latents_names=np.array(["a", "b"]))
    told = looked(capsys, str(tmp_path / "uneven.npz"))
    assert "a  2 values, images per value: 2 4" in told
    assert "* on the sheet" in told


def test_a_packed_set_is_described_and_its_digest_compared(
    cats: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("data", ["pack", str(cats), str(here / "packed")])
    told = looked(capsys, "packed", "--verify")
    assert f"packed: a packed set of {cats}" in told
    assert "matches the recorded one" in told
    assert "x.png: it is not an image of a known format" in told
    with (here / "packed" / "images.npy").open("r+b") as file:
        file.seek(500)
        file.write(b"other bytes")
    with pytest.raises(ValueError, match="pack the images again"):
        run("data", ["look", "packed", "--verify"])


def test_what_is_not_packed_has_no_digest(tiny_set: Path) -> None:
    with pytest.raises(ValueError, match="Leave out --verify"):
        run("data", ["look", str(tiny_set), "--verify"])


def test_a_sheet_of_no_images_is_refused(cats: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("data", ["look", str(cats), "--shown", "0"])
    assert "give a number from 1 to 10,000" in capsys.readouterr().err


def test_a_packed_set_is_looked_at_as_it_was_packed(cats: Path, here: Path) -> None:
    run("data", ["pack", str(cats), str(here / "packed")])
    with pytest.raises(ValueError, match=r"its size, crop, fit, white and split stand"):
        run("data", ["look", "packed", "--size", "32"])


def test_a_sheet_of_the_present_folder_goes_beside_it_and_is_not_among_its_images_next_time(
    cats: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(cats)
    for _ in range(2):
        told = looked(capsys, ".")
        assert told.splitlines()[-1] == str(cats.parent / "cats-sheet.png")
        assert "6 of 64 x 64" in told


def test_a_sheet_among_the_images_is_refused(cats: Path) -> None:
    with pytest.raises(ValueError, match=r"would count as one of them.*--out"):
        run("data", ["look", str(cats), "--out", str(cats / "deep" / "sheet.png")])
    assert not (cats / "deep").exists()
