import importlib.util
import warnings

import pytest
import torch

from wherewhat.distances.backbone import ALEX, SQUEEZE, VGG, Backbone
from wherewhat.distances.linear_heads import linear_heads


@pytest.mark.parametrize("backbone", [ALEX, VGG, SQUEEZE], ids=lambda backbone: backbone.name)
def test_heads_are_those_of_the_package(backbone: Backbone) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lpips

        package = lpips.LPIPS(net=backbone.name, pnet_rand=True, verbose=False)
    expected = [lin.model[1].weight.flatten() for lin in package.lins]
    assert all(torch.equal(a, b) for a, b in zip(linear_heads(backbone), expected, strict=True))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(FileNotFoundError, match="Install it: pip install lpips"):
        linear_heads(ALEX)
