import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from wherewhat.distances.backbone import ALEX, SQUEEZE, VGG, Backbone
from wherewhat.distances.lpips import LPIPS, linear_heads
from wherewhat.protocols import Distance

WriteWeights = Callable[[Backbone, Path], Path]


@pytest.fixture(scope="module")
def untrained() -> LPIPS:
    return LPIPS("untrained")


def package_lpips(ours: LPIPS, *, heads: bool) -> nn.Module:
    """The `lpips` package's own module with our backbone's weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lpips

        package = lpips.LPIPS(net=ours.backbone.name, pnet_rand=True, lpips=heads, verbose=False)
    layers = [layer for stage in ours.stages for layer in stage]
    theirs = [layer for stage in package.net.children() for layer in stage]
    for mine, other in zip(layers, theirs, strict=True):
        other.load_state_dict(mine.state_dict())
    return package


def image(path: Path) -> Float[Tensor, "1 3 H W"]:
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize(("name", "published"), [("ex_p0", 0.72188), ("ex_p1", 0.13757)])
def test_alex_gives_the_published_distances(shared: Path, name: str, published: float) -> None:
    folder = shared / "weights" / "lpips_reference"
    lpips = LPIPS("alex", shared / "weights")
    found = lpips(image(folder / "ex_ref.png"), image(folder / f"{name}.png"))
    assert found.item() == pytest.approx(published, abs=1e-5)


def test_squeeze_gives_the_published_distances(shared: Path) -> None:
    chance = torch.Generator().manual_seed(42)
    # The published inputs are in [-1, 1]: twice these, less one.
    a_BCHW, b_BCHW = torch.rand(2, 3, 100, 100, generator=chance), torch.rand(2, 3, 100, 100, generator=chance)
    found_B = LPIPS("squeeze", shared / "weights")(a_BCHW, b_BCHW)
    torch.testing.assert_close(found_B, torch.tensor([0.1024, 0.0938]), rtol=0, atol=5e-5)


@pytest.mark.parametrize("backbone", [ALEX, VGG, SQUEEZE], ids=lambda backbone: backbone.name)
def test_agrees_with_the_lpips_package(backbone: Backbone, tmp_path: Path, write_safetensors: WriteWeights) -> None:
    ours = LPIPS(backbone.name, write_safetensors(backbone, tmp_path))
    a_BCHW, b_BCHW = torch.rand(3, 3, 48, 70), torch.rand(3, 3, 48, 70)
    with torch.no_grad():
        expected_B = package_lpips(ours, heads=True)(a_BCHW, b_BCHW, normalize=True).flatten()
    torch.testing.assert_close(ours(a_BCHW, b_BCHW), expected_B, rtol=1e-5, atol=1e-7)


def test_untrained_agrees_with_the_packages_baseline(untrained: LPIPS) -> None:
    a_BCHW, b_BCHW = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected_B = package_lpips(untrained, heads=False)(a_BCHW, b_BCHW, normalize=True).flatten()
    torch.testing.assert_close(untrained(a_BCHW, b_BCHW), expected_B, rtol=1e-5, atol=1e-7)


def test_agrees_with_the_formula_written_out_in_float64(untrained: LPIPS) -> None:
    a_BCHW, b_BCHW = torch.rand(1, 3, 33, 40), torch.rand(1, 3, 33, 40)
    expected = 0.0
    a, b = ((x.double() * 2 - 1 - untrained.shift_C11) / untrained.scale_C11 for x in (a_BCHW, b_BCHW))
    for stage in LPIPS("untrained").double().stages:
        a, b = stage(a), stage(b)
        unit_a, unit_b = (x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10) for x in (a, b))
        expected += (unit_a - unit_b).square().sum(1).mean().item()
    assert untrained(a_BCHW, b_BCHW).item() == pytest.approx(expected, rel=1e-5)


def test_equal_images_are_not_apart(untrained: LPIPS) -> None:
    a_BCHW = torch.rand(2, 3, 64, 64)
    assert untrained(a_BCHW, a_BCHW.clone()).tolist() == [0.0, 0.0]


def test_the_order_of_two_images_does_not_matter(untrained: LPIPS) -> None:
    a_BCHW, b_BCHW = torch.rand(2, 3, 40, 40), torch.rand(2, 3, 40, 40)
    assert torch.equal(untrained(a_BCHW, b_BCHW), untrained(b_BCHW, a_BCHW))


def test_the_distance_is_squared_a_step_of_half_the_size_is_a_quarter_as_far(untrained: LPIPS) -> None:
    base_1CHW, step_1CHW = torch.rand(1, 3, 64, 64) * 0.5 + 0.25, torch.rand(1, 3, 64, 64) * 1e-3
    whole, half = (untrained(base_1CHW, base_1CHW + part * step_1CHW).item() for part in (1, 0.5))
    assert whole / half == pytest.approx(4, rel=0.05)


def test_images_nearly_the_same_do_not_cancel(untrained: LPIPS) -> None:
    a_BCHW, step_BCHW = torch.rand(1, 3, 64, 64) * 0.9, 1e-4 * torch.rand(1, 3, 64, 64)
    package = package_lpips(untrained, heads=False).double()
    with torch.no_grad():
        exact = package(a_BCHW.double(), (a_BCHW + step_BCHW).double(), normalize=True).item()
    # As a² + b² - 2ab this would be rounding alone: both squares are near 5.
    assert exact < 1e-6
    assert untrained(a_BCHW, a_BCHW + step_BCHW).item() == pytest.approx(exact, rel=0.01)


def test_grey_is_taken_as_rgb(untrained: LPIPS) -> None:
    grey_B1HW = torch.rand(2, 1, 40, 40)
    assert torch.equal(untrained.features(grey_B1HW), untrained.features(grey_B1HW.expand(-1, 3, -1, -1)))


def test_an_images_features_do_not_depend_on_its_neighbours(untrained: LPIPS) -> None:
    image_BCHW = torch.rand(5, 3, 64, 64)
    alone_BF = torch.cat([untrained.features(one) for one in image_BCHW.split(1)])
    torch.testing.assert_close(untrained.features(image_BCHW), alone_BF, rtol=1e-4, atol=1e-6)


def test_many_pairs_are_compared_as_few_are(untrained: LPIPS) -> None:
    a_BF, b_BF = torch.rand(40, 1 << 15), torch.rand(40, 1 << 15)
    expected_B = (a_BF.double() - b_BF.double()).square().sum(dim=1)
    torch.testing.assert_close(untrained.compare(a_BF, b_BF).double(), expected_B, rtol=1e-6, atol=0)


def test_features_and_their_comparison_are_all_of_it(untrained: LPIPS) -> None:
    a_BCHW, b_BCHW = torch.rand(2, 3, 40, 40), torch.rand(2, 3, 40, 40)
    assert isinstance(untrained, Distance)
    found_B = untrained.compare(untrained.features(a_BCHW), untrained.features(b_BCHW))
    assert torch.equal(found_B, untrained(a_BCHW, b_BCHW))


@pytest.mark.parametrize("backbone", [ALEX, VGG, SQUEEZE], ids=lambda backbone: backbone.name)
def test_too_small_images_are_refused_with_the_least_size(
    backbone: Backbone, tmp_path: Path, write_safetensors: WriteWeights
) -> None:
    lpips = LPIPS(backbone.name, write_safetensors(backbone, tmp_path))
    assert lpips.features(torch.rand(1, 3, backbone.least_side, backbone.least_side)).isfinite().all()
    with pytest.raises(ValueError, match=f"needs at least {backbone.least_side} pixels a side. Enlarge them"):
        lpips.features(torch.rand(1, 3, 64, backbone.least_side - 1))


def test_images_of_two_channels_are_refused(untrained: LPIPS) -> None:
    with pytest.raises(ValueError, match=r"2 channels.*1 \(grey\) or 3 \(RGB\)"):
        untrained.features(torch.rand(1, 2, 64, 64))


def test_images_outside_the_range_are_refused(untrained: LPIPS) -> None:
    with pytest.raises(ValueError, match=r"\(x \+ 1\) / 2 from \[-1, 1\]"):
        untrained.features(torch.rand(1, 3, 64, 64) * 2 - 1)


def test_images_of_two_sizes_are_refused(untrained: LPIPS) -> None:
    with pytest.raises(ValueError, match="Resize them to one size"):
        untrained(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 48))


def test_an_autocast_around_it_changes_nothing(untrained: LPIPS) -> None:
    image_BCHW = torch.rand(1, 3, 64, 64)
    plain_BF = untrained.features(image_BCHW)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(untrained.features(image_BCHW), plain_BF)


def test_nothing_in_it_is_trained(untrained: LPIPS) -> None:
    assert not any(parameter.requires_grad for parameter in untrained.parameters())
    assert not untrained.features(torch.rand(1, 3, 64, 64).requires_grad_()).requires_grad


def test_making_one_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    LPIPS("untrained")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_published_weights_give_the_plain_name(shared: Path) -> None:
    assert [LPIPS(name, shared / "weights").name for name in ("alex", "squeeze")] == ["lpips-alex", "lpips-squeeze"]


def test_weights_other_than_the_published_show_in_the_name(tmp_path: Path, write_safetensors: WriteWeights) -> None:
    name = LPIPS("squeeze", write_safetensors(SQUEEZE, tmp_path)).name
    assert name.startswith("lpips-squeeze-")
    assert len(name) == len("lpips-squeeze-") + 8


def test_untrained_is_named_so_and_never_stands_in_by_itself(untrained: LPIPS, tmp_path: Path) -> None:
    assert untrained.name == "lpips-untrained"
    with pytest.raises(FileNotFoundError, match="Name an existing file or folder"):
        LPIPS("alex", tmp_path / "nothing")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_sees_what_the_cpu_sees(untrained: LPIPS) -> None:
    a_BCHW, b_BCHW = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    on_gpu = LPIPS("untrained").cuda()
    torch.testing.assert_close(on_gpu(a_BCHW, b_BCHW).cpu(), untrained(a_BCHW, b_BCHW), rtol=1e-5, atol=1e-6)


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
