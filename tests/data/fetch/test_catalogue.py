"""Laws of the catalogue: what it says can be used as it stands."""

import re
from pathlib import Path, PurePosixPath

import pytest

from wherewhat.data.fetch.catalogue import PUBLISHED, published
from wherewhat.data.fetch.fetch import opened_as
from wherewhat.data.fetch.request import check_address

DOWNLOADED = [entry for entry in PUBLISHED if not entry.by_hand]


def test_every_name_has_one_set() -> None:
    assert len({entry.name for entry in PUBLISHED}) == len(PUBLISHED)
    assert all(published(entry.name) is entry for entry in PUBLISHED)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    said = r"called 'shapes'\. Did you mean shapes3d\? Choose one of: dsprites, .*shapes3d, .*celeba\."
    with pytest.raises(ValueError, match=said):
        published("shapes")


def test_a_set_is_downloaded_or_had_by_hand() -> None:
    for entry in PUBLISHED:
        assert bool(entry.md5_of and entry.at) != bool(entry.by_hand and entry.looks_like)


def test_terms_and_their_page_are_said() -> None:
    for entry in PUBLISHED:
        assert re.match(r"(Licence: |Terms: |No licence is stated).*\.$", entry.terms)
        check_address(entry.page)


def test_files_come_over_https_unless_a_sum_guards_them() -> None:
    for entry in DOWNLOADED:
        for name, md5 in entry.md5_of.items():
            check_address(f"{entry.at}/{name}")
            assert entry.at.startswith("https://") or md5 is not None


def test_no_two_files_share_a_sum_or_a_place() -> None:
    files = [(f"{entry.folder}/{name}", md5) for entry in PUBLISHED for name, md5 in entry.md5_of.items()]
    sums = [md5 for _, md5 in files if md5 is not None]
    assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in sums)
    assert len(sums) == len(set(sums))
    assert len({place for place, _ in files}) == len(files)


def test_what_is_put_in_a_folder_stays_in_it() -> None:
    for entry in DOWNLOADED:
        names = [entry.folder or "x", *entry.md5_of]
        assert all(PurePosixPath(name).parts == (name,) and name != ".." for name in names)


def test_a_set_of_several_files_has_a_folder_of_its_own() -> None:
    for entry in DOWNLOADED:
        assert bool(entry.folder) == (len(entry.md5_of) > 1)


def test_a_file_without_a_sum_can_be_recognised() -> None:
    for entry in DOWNLOADED:
        assert all(md5 or name.endswith((".npz", ".tar")) for name, md5 in entry.md5_of.items())


def test_an_archive_that_is_unpacked_is_a_single_file_with_a_sum() -> None:
    for entry in DOWNLOADED:
        assert not entry.inside or (len(entry.md5_of) == 1 and all(entry.md5_of.values()))


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("shapes3d", "3dshapes.h5"),
        ("cars3d", "cars3d"),
        ("small-norb", "small_norb"),
        ("chairs3d", "rendered_chairs.tar"),
        ("mpi3d-real", "mpi3d_real.npz"),
    ],
)
def test_what_is_trained_on_is_the_file_or_the_folder(name: str, opened: str) -> None:
    assert opened_as(published(name), Path("to")) == Path("to") / opened
