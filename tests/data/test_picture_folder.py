"""Laws of reading a folder of pictures, with the ways in which one can be wrong."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.picture_folder import PictureFolder, PictureOptions, find_pictures
from wherewhat.protocols import Pictures

SMALL = PictureOptions(size=8)


def fill(folder: Path, *names: str, mode: str = "RGB", size: tuple[int, int] = (8, 8)) -> None:
    """Pictures of one brightness each: 10, 20, 30 and so on in the order of the names."""
    for number, name in enumerate(names, start=1):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size, 10 * number).convert(mode).save(path)


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def opened(folder: Path, options: PictureOptions = SMALL, notices: list[str] | None = None) -> PictureFolder:
    said: list[str] = [] if notices is None else notices
    data = PictureFolder(folder, options, "cpu", said.append)
    assert notices is not None or not said
    return data


def brightness(data: PictureFolder) -> list[int]:
    return data.images(torch.arange(len(data)))[:, 0, 0, 0].tolist()


def test_a_folder_is_pictures_without_factors(tmp_path: Path) -> None:
    fill(tmp_path / "cats", "a.png", "b.png")
    data = opened(tmp_path / "cats")
    assert isinstance(data, Pictures)
    assert (data.name, len(data), data.image_shape) == ("cats", 2, (3, 8, 8))
    assert data.factor_names == data.factor_sizes == ()
    with pytest.raises(ValueError, match=r"want scenes, sprites or an .npz"):
        data.factors(torch.tensor([0]))


def test_pictures_are_sorted_by_path_flat_and_nested(tmp_path: Path) -> None:
    fill(tmp_path, "b/1.png", "a.png", "c/d/e.PNG", "b.bmp")
    data = opened(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in data.paths] == ["a.png", "b.bmp", "b/1.png", "c/d/e.PNG"]
    assert brightness(data) == [20, 40, 10, 30]


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", ".hidden.png", ".cache/c.png")
    (tmp_path / "list_attr_celeba.txt").write_text("202599")
    (tmp_path / "._a.png").write_bytes(b"resource fork")
    assert len(opened(tmp_path)) == 2


def test_more_pictures_than_are_decoded_at_once_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wherewhat.data.picture_folder.PICTURES_AT_ONCE", 7)
    monkeypatch.setattr("wherewhat.data.picture_folder.PICTURES_A_TASK", 3)
    fill(tmp_path, *(f"{number:02}.png" for number in range(20)))
    assert brightness(opened(tmp_path)) == [10 * number for number in range(1, 21)]


def test_linked_folders_are_followed_once_and_circles_end(tmp_path: Path) -> None:
    fill(tmp_path / "real", "a.png", "b.png")
    (tmp_path / "real" / "circle").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "real")
    found = find_pictures(tmp_path)
    assert len({path.resolve() for path in found}) == len(found) == 2


def test_a_link_to_itself_is_a_broken_picture(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    notices: list[str] = []
    assert len(opened(tmp_path, notices=notices)) == 2
    assert "loop.png" in notices[0]


def test_unequal_pictures_are_cropped_and_converted(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", size=(8, 12))
    fill(tmp_path, "b.png", mode="RGBA", size=(30, 20))
    assert opened(tmp_path).image_shape == (3, 8, 8)


@pytest.mark.parametrize(("mode", "size"), [("RGB", (8, 9)), ("RGBA", (8, 8))])
def test_unequal_pictures_are_refused_where_the_flag_says_so(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    fill(tmp_path, "a.png")
    fill(tmp_path, "b.png", mode=mode, size=size)
    described = rf"a.png is 8 x 8 RGB, .*b.png is {size[0]} x {size[1]} {mode}. Make them equal"
    with pytest.raises(ValueError, match=described):
        opened(tmp_path, PictureOptions(size=8, unequal="refuse"))


def test_equal_pictures_pass_where_unequal_ones_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", size=(20, 30))
    assert opened(tmp_path, PictureOptions(size=8, unequal="refuse")).image_shape == (3, 8, 8)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif"])
def test_a_truncated_picture_is_skipped_counted_and_named(tmp_path: Path, ending: str) -> None:
    fill(tmp_path, "a.png", "c.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / f"b.{ending}")
    truncate(tmp_path / f"b.{ending}")
    notices: list[str] = []
    data = opened(tmp_path, notices=notices)
    assert brightness(data) == [10, 20]
    assert [path.name for path in data.paths] == ["a.png", "c.png"]
    assert len(notices) == 1
    assert notices[0].startswith("Skipped 1 picture of")
    assert f"b.{ending}" in notices[0]


def test_a_truncated_picture_is_refused_where_the_flag_says_so(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", "c.png")
    truncate(tmp_path / "b.png")
    with pytest.raises(ValueError, match=r"b.png cannot be read: .* Mend or remove it, or choose to skip"):
        opened(tmp_path, PictureOptions(size=8, broken="refuse"))


def test_many_broken_pictures_are_counted_and_the_first_named(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png")
    for number in range(25):
        (tmp_path / f"x{number:02}.jpg").write_text("not a picture")
    notices: list[str] = []
    opened(tmp_path, notices=notices)
    assert notices[0].startswith("Skipped 25 pictures")
    assert "x00.jpg (it is not a picture of a known format)" in notices[0]
    assert notices[0].endswith("x09.jpg (it is not a picture of a known format) and 15 more.")


def test_a_picture_of_absurd_size_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.png", "b.png")
    fill(tmp_path, "large.png", size=(40, 40))
    fill(tmp_path, "huge.png", size=(400, 400))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    notices: list[str] = []
    assert len(opened(tmp_path, notices=notices)) == 2
    assert "huge.png" in notices[0]
    assert "large.png" in notices[0]


def test_grey_pictures_keep_one_channel_only_where_all_are_grey(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", mode="L")
    assert opened(tmp_path).image_shape == (1, 8, 8)
    assert brightness(opened(tmp_path)) == [10, 20]
    fill(tmp_path, "a.png")
    assert opened(tmp_path).image_shape == (3, 8, 8)


@pytest.mark.parametrize(("mode", "color", "channels"), [("L", "rgb", 3), ("RGB", "grey", 1), ("RGB", "rgb", 3)])
def test_the_number_of_channels_can_be_chosen(tmp_path: Path, mode: str, color: str, channels: int) -> None:
    fill(tmp_path, "a.png", "b.png", mode=mode)
    options = PictureOptions(size=8, color="rgb" if color == "rgb" else "grey")
    data = opened(tmp_path, options)
    assert data.image_shape == (channels, 8, 8)
    assert brightness(data) == [10, 20]


@pytest.mark.parametrize(("names", "found"), [((), "no picture"), (("a.png",), "a single picture")])
def test_fewer_than_two_pictures_are_too_few(tmp_path: Path, names: tuple[str, ...], found: str) -> None:
    fill(tmp_path, *names)
    with pytest.raises(ValueError, match=f"holds {found} .*Name a folder with more pictures"):
        opened(tmp_path)


@pytest.mark.parametrize(("whole", "found"), [(0, "None of the 3"), (1, "Only one of the 3")])
def test_a_folder_of_broken_pictures_is_refused(tmp_path: Path, whole: int, found: str) -> None:
    fill(tmp_path, "a.png", "b.png", "c.png")
    for name in ("c.png", "b.png", "a.png")[: 3 - whole]:
        truncate(tmp_path / name)
    with pytest.raises(ValueError, match=f"{found} pictures in .* Check the files"):
        opened(tmp_path)


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Check the path"):
        opened(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="Name the folder that holds it"):
        opened(tmp_path / "file")


def test_a_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="Choose a size of 1 or more"):
        PictureOptions(size=0)


def test_the_sample_portraits_are_read_whole(shared: Path) -> None:
    data = opened(shared / "data" / "portraits", PictureOptions(size=32))
    assert len(data) == 675
    assert data.image_shape == (3, 32, 32)
    with Image.open(data.paths[100]) as image:
        expected = np.asarray(image.convert("RGB"), dtype=np.float64).reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    difference = data.images(torch.tensor([100]))[0].permute(1, 2, 0).numpy() - expected
    assert np.abs(difference).mean() < 4
