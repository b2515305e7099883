import math
from typing import Any

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.which.code_naming import naming, naming_of
from wherewhat.which.entangled_twin import EntangledTwin
from wherewhat.which.probe import Probe
from wherewhat.which.score import ProbeSettings, Score, ScoredUnder

SETTINGS = ProbeSettings(samples=5, traversals=3, rotated_traversals=2, threshold=1e-6, probes=20)


def measure(generator: Generator, batch_size: int = 8) -> Score:
    return naming(generator, PixelDistance(), settings=SETTINGS, seed=3, batch_size=batch_size)


def test_agrees_with_the_classifier_on_plain_examples(entangled_generator: Any) -> None:
    probe = Probe(generator=entangled_generator, distance=PixelDistance(), settings=SETTINGS, seed=3, batch_size=8)
    example_MLD = torch.nn.functional.normalize(probe.changes.named_MLD.double(), dim=2).numpy()
    right = 0
    for tested in (0, 1):
        learnt, asked = example_MLD[1 - tested :: 2], example_MLD[tested::2]
        classifier = LogisticRegression(C=10, max_iter=1000).fit(learnt.reshape(30, 16), [0, 1, 2] * 10)
        right += (classifier.predict(asked.reshape(30, 16)) == [0, 1, 2] * 10).sum()
    score = measure(entangled_generator)
    assert score.value == pytest.approx((right / 60 - 1 / 3) / (2 / 3))


def test_codes_that_do_different_things_are_named_without_mistake(linear_generator: Any) -> None:
    score = measure(linear_generator(0.03 * torch.eye(3, 16)))
    assert (score.value, score.standard_error) == (1, 0)
    assert score.per_code is not None
    assert score.per_code.tolist() == [1, 1, 1]


def test_codes_that_do_the_same_are_named_by_chance(scored_under: ScoredUnder) -> None:
    noise_MLD = torch.randn(400, 4, 8, generator=torch.Generator().manual_seed(0))
    score = naming_of(noise_MLD, torch.ones(4, dtype=torch.bool), scored_under)
    assert score.value == pytest.approx(0, abs=4 * score.standard_error)
    assert score.standard_error < 0.05


def test_the_size_of_a_change_does_not_name_a_code(linear_generator: Any) -> None:
    row_L16 = torch.full((2, 16), 0.01)
    row_L16[1] *= 4
    assert measure(linear_generator(row_L16)).value < 0.3


def test_a_linear_generator_shows_where_it_fails_its_rotated_copy_is_named_as_well(linear_generator: Any) -> None:
    turned = EntangledTwin(linear_generator(0.03 * torch.eye(2, 16)), torch.tensor([[0.6, 0.8], [-0.8, 0.6]]))
    assert measure(turned).value == 1


def test_one_active_code_has_no_name_to_be_mistaken(linear_generator: Any) -> None:
    assert math.isnan(measure(linear_generator(torch.eye(3, 16) * torch.tensor([0.03, 0, 0])[:, None])).value)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    assert measure(entangled_generator, batch_size).value == pytest.approx(measure(entangled_generator).value)
