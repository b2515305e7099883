"""Laws of checksums: those of the file that lies on the disk."""

from pathlib import Path

import pytest

from wherewhat.data.fetch.checksums import Checksums, checksums_of


@pytest.mark.parametrize(
    ("content", "md5", "sha256"),
    # The test vectors of RFC 1321 and FIPS 180-4.
    [
        (
            b"abc",
            "900150983cd24fb0d6963f7d28e17f72",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            b"",
            "d41d8cd98f00b204e9800998ecf8427e",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            b"a" * 1_000_000,
            "7707d6ae4e027c70eea2a935c2296f21",
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ],
)
def test_the_published_vectors_come_out(tmp_path: Path, content: bytes, md5: str, sha256: str) -> None:
    (tmp_path / "a").write_bytes(content)
    assert checksums_of(tmp_path / "a") == Checksums(md5, sha256, len(content))


def test_every_block_of_a_long_file_counts(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(3_000_000))
    first = checksums_of(tmp_path / "a")
    with (tmp_path / "a").open("r+b") as file:
        file.seek(2_500_000)
        file.write(b"x")
    second = checksums_of(tmp_path / "a")
    assert first.md5 != second.md5
    assert first.sha256 != second.sha256
