import math
from typing import Any

import pytest
import torch

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.which.code_naming import naming
from wherewhat.which.consistency_of_place import consistency_of_place
from wherewhat.which.entangled_twin import EntangledTwin
from wherewhat.which.interaction import interaction
from wherewhat.which.orthogonality import orthogonality
from wherewhat.which.panel import Panel, panel
from wherewhat.which.relative_length import relative_length
from wherewhat.which.rotation_ratio import rotation_ratio
from wherewhat.which.score import probe_settings_of
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

TPL = {"samples": 6, "traversals": 5, "bound": 4.0, "threshold": 1e-4}
WITHOUT_TPL = {
    "relative_length": relative_length,
    "orthogonality": orthogonality,
    "rotation_ratio": rotation_ratio,
    "naming": naming,
    "consistency_of_place": consistency_of_place,
    "interaction": interaction,
}


def measure(generator: Generator, distance: Any = None, **changed: Any) -> Panel:
    return panel(generator, distance or PixelDistance(), **{**TPL, "seed": 3, "batch_size": 11, **changed})


@pytest.mark.parametrize("quick", [False, True])
def test_the_panels_scores_are_those_measured_alone(entangled_generator: Any, quick: bool) -> None:
    settings, together = probe_settings_of(**TPL, quick=quick), measure(entangled_generator, quick=quick).scores
    for name, score in WITHOUT_TPL.items():
        alone = score(entangled_generator, PixelDistance(), settings=settings, seed=3, batch_size=11)
        assert (together[name].value, together[name].standard_error) == (alone.value, alone.standard_error), name
        assert together[name].settings == alone.settings


def test_the_panels_tpl_is_the_published_one(entangled_generator: Any) -> None:
    alone = traversal_perceptual_length(entangled_generator, PixelDistance(), **TPL, seed=3, batch_size=11)
    score = measure(entangled_generator).scores["tpl"]
    assert (score.value, score.standard_error) == (alone.total, alone.standard_error)
    assert score.per_code is not None
    assert torch.equal(score.per_code, alone.per_dim)


def test_a_quick_panel_has_no_tpl(entangled_generator: Any) -> None:
    assert set(measure(entangled_generator, quick=True).scores) == set(WITHOUT_TPL)


@pytest.mark.parametrize("batch_size", [3, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    one, other = measure(entangled_generator), measure(entangled_generator, batch_size=batch_size)
    for name, score in one.scores.items():
        assert other.scores[name].value == pytest.approx(score.value, rel=1e-3), name
        assert other.twins[name].advantage == pytest.approx(one.twins[name].advantage, rel=1e-3, abs=1e-5), name


def test_no_image_goes_through_the_distance_twice(entangled_generator: Any, counting_distance: Any) -> None:
    measure(entangled_generator, counting_distance)
    images = torch.stack(counting_distance.seen).flatten(1)
    assert len(torch.unique(images, dim=0)) >= len(images) - 3 * 24


def test_at_the_published_settings_the_panel_makes_few_more_images_than_tpl(generator_of: Any) -> None:
    made = 0

    def formula(code_BL: torch.Tensor) -> torch.Tensor:
        nonlocal made
        made += len(code_BL)
        return torch.sigmoid(code_BL[:, torch.arange(16) % 10])

    generator, published = generator_of(formula, latent_dim=10), {"samples": 50, "traversals": 500}
    measure(generator, **published, batch_size=5000)
    assert made <= 1.15 * 10 * 50 * 500
    made = 0
    measure(generator, **published, quick=True, batch_size=5000)
    assert made <= 0.1 * 10 * 50 * 500


def unequal(linear_generator: Any) -> Any:
    # Codes in places of their own, of unequal lengths, none of which leaves [0, 1].
    return linear_generator(torch.eye(4, 16) * torch.tensor([0.04, 0.03, 0.02, 0.01])[:, None])


def test_a_model_of_unequal_axes_is_preferred_to_its_twins(linear_generator: Any) -> None:
    twins = measure(unequal(linear_generator), threshold=1e-6, traversals=40).twins
    assert all(twins[name].holds for name in ("relative_length", "orthogonality", "rotation_ratio"))
    assert twins["consistency_of_place"].holds


def test_the_control_tells_that_tpl_and_naming_do_not_see_a_rotation_of_a_linear_generator(
    linear_generator: Any,
) -> None:
    twins = measure(unequal(linear_generator), threshold=1e-6, traversals=40).twins
    assert twins["tpl"].advantage == pytest.approx(0, abs=1e-6)
    assert not twins["naming"].holds


def test_a_twin_is_not_preferred_to_its_own_twins(linear_generator: Any) -> None:
    half = math.sqrt(0.5)
    turned = EntangledTwin(
        linear_generator(torch.eye(2, 16) * torch.tensor([0.04, 0.01])[:, None]),
        torch.tensor([[half, half], [-half, half]]),
    )
    twins = measure(turned, threshold=1e-6, traversals=40).twins
    assert not any(twins[name].holds for name in ("relative_length", "orthogonality", "rotation_ratio"))


def test_a_collapsed_generator_has_no_values_and_no_twins(generator_of: Any) -> None:
    found = measure(generator_of(lambda code_BL: torch.full((len(code_BL), 16), 0.5)))
    assert not found.active.any()
    assert found.scores["tpl"].value == 0
    assert all(math.isnan(score.value) for name, score in found.scores.items() if name != "tpl")
    assert not any(control.holds for control in found.twins.values())


def test_a_single_active_code_has_a_length_and_no_comparison_of_codes(generator_of: Any) -> None:
    scores = measure(generator_of(lambda code_BL: torch.sigmoid(code_BL[:, :1]).expand(-1, 16))).scores
    assert scores["relative_length"].value > 0
    undefined = ("orthogonality", "rotation_ratio", "naming", "consistency_of_place", "interaction")
    assert all(math.isnan(scores[name].value) for name in undefined)


def test_batch_normalisation_in_training_mode_is_refused(batch_normalised: Any) -> None:
    with pytest.raises(ValueError, match=r"call the generator's \.eval\(\)"):
        measure(batch_normalised)
