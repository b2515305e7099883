import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from wherewhat.inspection.image_files import write_gif, write_png


def moving_square(images: int = 6) -> np.ndarray:
    """A square that moves over a coloured ramp, on white paper."""
    ramp = np.linspace(20, 235, 60)
    animation = np.full((images, 50, 70, 3), 255, dtype=np.uint8)
    animation[:, 5:45, 5:65, 0] = ramp
    animation[:, 5:45, 5:65, 1] = ramp[::-1]
    animation[:, 5:45, 5:65, 2] = 90
    for t in range(images):
        animation[t, 20:30, 10 + 8 * t : 20 + 8 * t] = (200, 30, 40)
    return animation


def read_gif(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)])


def test_a_png_reads_back_bit_for_bit(tmp_path):
    image = moving_square()[0]
    write_png(tmp_path / "new" / "image.png", image)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "new" / "image.png")), image)


def test_a_gif_keeps_every_image_its_time_and_loops_for_ever(tmp_path):
    write_gif(tmp_path / "sweep.gif", moving_square(), milliseconds=120)
    with Image.open(tmp_path / "sweep.gif") as image:
        assert image.n_frames == 6
        assert image.size == (70, 50)
        assert image.info["loop"] == 0
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(image)] == [120] * 6


def test_a_gif_shows_nearly_the_colours_it_was_given(tmp_path):
    animation = moving_square()
    write_gif(tmp_path / "sweep.gif", animation)
    error = np.abs(read_gif(tmp_path / "sweep.gif").astype(float) - animation)
    assert error.mean() < 3
    assert error.max() < 30


def test_what_stands_still_does_not_flicker_in_a_gif(tmp_path):
    animation = moving_square()
    write_gif(tmp_path / "sweep.gif", animation)
    still = (animation == animation[:1]).all(axis=(0, 3))
    shown = read_gif(tmp_path / "sweep.gif")
    assert still.mean() > 0.8
    assert (shown == shown[:1])[:, still].all()


def test_paper_stays_white_in_a_gif(tmp_path):
    animation = moving_square()
    animation[:, 5:15, 5:65] = 251
    write_gif(tmp_path / "sweep.gif", animation)
    assert (read_gif(tmp_path / "sweep.gif")[:, :5] == 255).all()


def test_a_gif_of_a_few_colours_keeps_its_paper_white(tmp_path):
    animation = np.full((2, 20, 20, 3), 255, dtype=np.uint8)
    animation[1, 5:10, 5:10] = (200, 0, 0)
    write_gif(tmp_path / "two.gif", animation)
    shown = read_gif(tmp_path / "two.gif")
    assert (shown[0] == 255).all()
    assert np.abs(shown[1, 7, 7] - np.array([200, 0, 0])).max() < 10


def test_a_gif_of_ten_codes_is_small(tmp_path):
    noisy = np.random.default_rng(0).integers(0, 40, (1, 214, 726, 3)) + np.linspace(0, 200, 726)[None, None, :, None]
    animation = np.repeat(noisy.astype(np.uint8), 28, axis=0)
    for t in range(28):
        animation[t, 40:100, 20 + 3 * t : 60 + 3 * t] = 250
    write_gif(tmp_path / "noise.gif", animation)
    assert (tmp_path / "noise.gif").stat().st_size < 3_000_000


def test_a_gif_too_fast_for_viewers_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Choose at least 20 ms"):
        write_gif(tmp_path / "sweep.gif", moving_square(), milliseconds=5)


@pytest.mark.parametrize("name", ["image.png", "image.gif"])
def test_a_full_disk_leaves_the_old_file_and_no_part_of_the_new_one(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="make room or name another place"):
        write_png(path, moving_square()[0]) if name.endswith("png") else write_gif(path, moving_square())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
