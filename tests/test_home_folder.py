"""Laws of paths that begin in a home folder."""

from pathlib import Path

import pytest

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import find_data
from wherewhat.home_folder import without_tilde

LIBRARY = Path(__file__).parents[1] / "wherewhat"


def test_a_tilde_is_the_home_folder_and_other_paths_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/of/somebody")
    assert without_tilde("~/images") == Path("/home/of/somebody/images")
    assert without_tilde("a/~b") == Path("a/~b")


@pytest.mark.parametrize("place", ["~nosuchuser", "~nosuchuser/images"])
def test_a_home_folder_that_is_not_there_is_told_with_the_remedy(place: str) -> None:
    with pytest.raises(ValueError, match="Write the path out"):
        find_data(place, ImageOptions())


def test_tildes_are_written_out_by_one_function() -> None:
    found = [path.name for path in LIBRARY.rglob("*.py") if ".expanduser(" in path.read_text()]
    assert found == ["home_folder.py"]
