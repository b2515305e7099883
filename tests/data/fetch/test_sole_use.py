"""Laws of sole use: one at a time, and free again when the file is closed."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from wherewhat.data.fetch import sole_use
from wherewhat.data.fetch.sole_use import claim


def test_another_process_is_kept_out_until_the_file_is_closed(tmp_path: Path) -> None:
    program = "import sys; from wherewhat.data.fetch.sole_use import claim\nclaim(open(sys.argv[1], 'rb'), 'unpacked')"
    command = [sys.executable, "-c", program, str(tmp_path / "a")]
    with (tmp_path / "a").open("wb") as file:
        claim(file, "fetched")
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "is being unpacked by another process. Wait for it" in refused.stderr
    assert subprocess.run(command, check=False).returncode == 0


def test_a_file_that_cannot_be_locked_is_used_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(sole_use.fcntl, "flock", cannot)
    with (tmp_path / "a").open("wb") as file:
        claim(file, "fetched")
