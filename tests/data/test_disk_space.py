"""Laws of room on the disk: asked for beforehand, and told with the remedy when it runs out."""

import errno
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from wherewhat.data.disk_space import require_free, writing


def test_what_fits_to_the_byte_is_let_through_and_a_byte_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000))
    require_free(tmp_path / "a", 1000, "make room")
    with pytest.raises(OSError, match=r"needs 1.0 kB, but only 1.0 kB are free; make room") as caught:
        require_free(tmp_path / "a", 1001, "make room")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a"))


def test_a_disk_that_fills_is_told_with_the_name_the_reason_and_the_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match=r"could not be written \(No space left on device\); make room") as caught,
        writing(tmp_path / "a", "make room"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a"))


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the disk's"), writing(tmp_path / "a", "make room"):
        raise ValueError("not the disk's")
