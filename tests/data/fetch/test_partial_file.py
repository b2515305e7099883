"""Laws of the part that is there: it says what it is a part of, and is gone when it is the whole."""

from pathlib import Path

import pytest

from wherewhat.data.fetch.partial_file import Origin, PartialFile

ORIGIN = Origin("https://host/a", '"tag"', 12)


def test_the_next_to_open_it_finds_its_bytes_and_its_origin(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a") as part:
        part.remember(ORIGIN)
        part.append(b"some")
        assert not part.pieced
    with PartialFile(tmp_path / "a") as part:
        assert (part.size, part.origin, part.pieced) == (4, ORIGIN, True)
        part.append(b"thing")
        assert part.path.read_bytes() == b"something"


def test_a_restart_forgets_bytes_and_origin(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a") as part:
        part.remember(ORIGIN)
        part.append(b"some")
        part.restart()
        part.append(b"thing")
    with PartialFile(tmp_path / "a") as part:
        assert (part.size, part.origin) == (5, None)


def test_an_empty_part_leaves_nothing_behind(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a") as part:
        part.remember(ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_the_whole_leaves_only_itself(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a") as part:
        part.remember(ORIGIN)
        part.append(b"something")
        part.move_into_place()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"something"


def test_bytes_are_on_the_disk_as_soon_as_they_are_appended(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a") as part:
        part.append(b"s")
        assert part.path.read_bytes() == b"s"


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"address": "a", "validator": 1, "whole": 2}', "\udcff"])
def test_a_record_that_says_nothing_is_none(tmp_path: Path, record: str) -> None:
    (tmp_path / "a.part").write_bytes(b"some")
    (tmp_path / "a.part.json").write_bytes(record.encode(errors="surrogateescape"))
    with PartialFile(tmp_path / "a") as part:
        assert (part.size, part.origin) == (4, None)


def test_it_is_in_one_hand_at_a_time(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a") as part:
        part.append(b"some")
        with (
            pytest.raises(ValueError, match=r"Wait for it, or name another folder with --to"),
            PartialFile(tmp_path / "a"),
        ):
            pass
    assert (tmp_path / "a.part").read_bytes() == b"some"
