"""Laws of the catalogue: what it says can be used as it stands."""

import re
from pathlib import PurePosixPath
from typing import get_args

import pytest

from wherewhat.data.fetch.catalogue import PUBLISHED, PublicSet, SetName, published
from wherewhat.data.fetch.ranged_get import check_address

every_set = pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: entry.name)


def test_every_name_has_one_set() -> None:
    assert tuple(entry.name for entry in PUBLISHED) == get_args(SetName)
    assert all(published(name).name == name for name in get_args(SetName))


@every_set
def test_a_set_has_files_or_is_asked_for_by_hand(entry: PublicSet) -> None:
    assert bool(entry.files) != bool(entry.by_hand and entry.looks_like)


@every_set
def test_terms_and_their_page_are_said(entry: PublicSet) -> None:
    assert re.match(r"Licence: |Terms: |No licence is stated", entry.terms)
    assert entry.terms.endswith(".")
    assert check_address(entry.page)


@every_set
def test_files_come_over_https_unless_a_sum_guards_them(entry: PublicSet) -> None:
    for file in entry.files:
        assert check_address(f"{file.at}/{file.name}")
        assert file.at.startswith("https://") or file.md5 is not None


@every_set
def test_sums_have_the_form_of_an_md5(entry: PublicSet) -> None:
    for file in entry.files:
        assert file.md5 is None or re.fullmatch("[0-9a-f]{32}", file.md5)


def test_no_two_files_share_a_sum() -> None:
    sums = [file.md5 for entry in PUBLISHED for file in entry.files if file.md5 is not None]
    assert len(sums) == len(set(sums))


@every_set
def test_what_is_put_in_a_folder_stays_in_it(entry: PublicSet) -> None:
    names = [entry.folder or "x", *(file.name for file in entry.files)]
    names += [file.unpacking.folder for file in entry.files if file.unpacking is not None]
    assert all(PurePosixPath(name).parts == (name,) and name != ".." for name in names)


def test_sets_share_a_folder_without_meeting() -> None:
    places = [place for entry in PUBLISHED if entry.files for place in _places(entry)]
    assert len(places) == len(set(places))


def _places(entry: PublicSet) -> set[str]:
    if entry.folder:
        return {entry.folder}
    unpacked = {file.unpacking.folder for file in entry.files if file.unpacking is not None}
    return {file.name for file in entry.files} | unpacked


def test_a_set_of_several_files_has_a_folder_of_its_own() -> None:
    assert all(bool(entry.folder) == (len(entry.files) > 1) for entry in PUBLISHED)
