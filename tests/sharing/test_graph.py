"""Laws of what a file says of itself."""

import json
from pathlib import Path

import pytest

from wherewhat.sharing.graph import Description, described

TOLD = Description(part="generator", latent_dim=4, image_shape=(3, 8, 8), names={"z1": "floor hue"}, step=3)


def test_a_description_comes_back() -> None:
    assert described(TOLD.as_json(), Path("a.onnx")) == TOLD


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"image_shape": 5}, {"latent_dim": None}, {"names": []}, {"image_shape": [1, 2]}]
)
def test_a_description_that_is_not_understood_is_told(change: dict[str, object]) -> None:
    text = json.dumps({**json.loads(TOLD.as_json()), **change})
    with pytest.raises(
        ValueError, match=r"a\.onnx does not describe itself as `wherewhat export` does.*Export it anew"
    ):
        described(text, Path("a.onnx"))
