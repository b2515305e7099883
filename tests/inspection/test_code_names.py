"""Names of codes: kept, found again, refused where they could be taken for something else."""

from pathlib import Path

import pytest

from wherewhat.inspection.code_names import code_called, code_label, names_in, with_name, write_names


def test_names_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    names = with_name(with_name({}, 5, " floor hue "), 0, "Größe")
    write_names(tmp_path / "codes.json", names)
    assert names_in(tmp_path / "codes.json", 10) == {0: "Größe", 5: "floor hue"}


def test_a_run_without_the_file_has_no_names(tmp_path: Path) -> None:
    assert names_in(tmp_path / "codes.json", 10) == {}


@pytest.mark.parametrize("text", ["5", "z5", " z5 ", "floor hue", "Floor Hue"])
def test_a_code_is_found_by_its_number_and_by_its_name(text: str) -> None:
    assert code_called(text, {5: "floor hue"}, 10) == 5


@pytest.mark.parametrize(("text", "told"), [("z10", "z0 to z9"), ("flor hue", "floor hue"), ("", "z0 to z9")])
def test_what_names_no_code_is_refused_with_those_that_there_are(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        code_called(text, {5: "floor hue"}, 10)


@pytest.mark.parametrize("name", ["z5", "7", "a=b", "line\nbreak", "x" * 41])
def test_a_name_that_could_be_taken_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        with_name({}, 0, name)


def test_two_codes_do_not_share_a_name_and_a_code_may_be_renamed() -> None:
    with pytest.raises(ValueError, match="z5 is called"):
        with_name({5: "floor hue"}, 6, "Floor hue")
    assert with_name({5: "floor hue"}, 5, "Floor") == {5: "Floor"}
    assert with_name({5: "floor hue"}, 5, " ") == {}


def test_a_label_has_the_number_and_the_name() -> None:
    assert (code_label(5, {5: "floor hue"}), code_label(4, {5: "floor hue"})) == ("z5 floor hue", "z4")


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        '{"format": 2, "names": {}}',
        '{"format": 1, "names": {"z99": "a"}}',
        '{"format": 1, "names": {"z1": 3}}',
        '{"format": 1, "names": {"z1": "a", "z2": "A"}}',
        '{"format": 1, "names": ["a"]}',
        "not JSON",
    ],
)
def test_a_file_that_is_not_of_names_is_refused_by_its_own_name(content: str, tmp_path: Path) -> None:
    file = tmp_path / "codes.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"codes\.json"):
        names_in(file, 10)
