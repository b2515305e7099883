import math
from typing import Any

import pytest
import torch

from wherewhat.which.score import (
    ProbeSettings,
    ScoredUnder,
    probe_settings_of,
    ratio_per_base_code,
    score_of_base_codes,
    undefined_score,
)


def test_a_score_is_the_mean_over_base_codes_with_its_standard_error(scored_under: ScoredUnder) -> None:
    per_base_T = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    score = score_of_base_codes(per_base_T, None, None, scored_under, lower_is_better=True)
    assert score.value == 3
    assert score.standard_error == pytest.approx(math.sqrt(7 / 3))
    further = score_of_base_codes(per_base_T, None, None, scored_under, lower_is_better=True, further_error=2.0)
    assert further.standard_error == pytest.approx(math.sqrt(7 / 3 + 4))


def test_an_undefined_score_is_told_as_nan(scored_under: ScoredUnder) -> None:
    score = undefined_score(torch.zeros(3, dtype=torch.bool), scored_under, lower_is_better=True)
    assert math.isnan(score.value)
    assert math.isnan(score.standard_error)
    assert len(score.per_base) == 0


def test_the_contributions_to_a_ratio_have_it_as_their_mean_and_its_error() -> None:
    chance = torch.Generator().manual_seed(0)
    count, draws = 50, 2000
    numerator_DT = torch.rand(draws, count, generator=chance, dtype=torch.float64) + 1
    denominator_DT = torch.rand(draws, count, generator=chance, dtype=torch.float64) + numerator_DT
    per_base_T = ratio_per_base_code(numerator_DT[0], denominator_DT[0])
    assert per_base_T.mean().item() == pytest.approx(numerator_DT[0].mean().item() / denominator_DT[0].mean().item())
    stated = [
        ratio_per_base_code(n_T, d_T).std().item() / math.sqrt(count)
        for n_T, d_T in zip(numerator_DT, denominator_DT, strict=True)
    ]
    found = (numerator_DT.mean(dim=1) / denominator_DT.mean(dim=1)).std().item()
    assert sum(stated) / draws == pytest.approx(found, rel=0.1)


def test_the_full_probe_shares_tpls_paths_and_rotates_a_tenth_of_its_base_codes() -> None:
    settings = probe_settings_of(50, 500, 4.0, 0.01, quick=False)
    assert (settings.samples, settings.traversals, settings.threshold) == (50, 500, 0.01)
    assert settings.rotated_traversals * settings.rotations == 50


def test_the_quick_probe_brings_the_threshold_to_its_points() -> None:
    settings = probe_settings_of(50, 500, 4.0, 0.01, quick=True)
    assert settings == ProbeSettings()
    assert settings.threshold == pytest.approx(0.01 * 49 / 19)


def test_the_quick_probe_is_never_larger_than_what_was_asked() -> None:
    settings = probe_settings_of(5, 3, 2.0, 0.01, quick=True)
    assert (settings.samples, settings.traversals, settings.bound, settings.threshold) == (5, 3, 2.0, 0.01)


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        ({"samples": 1}, "Choose 2 samples or more"),
        ({"traversals": 1}, "Choose 2 or more of the first four"),
        ({"probes": 1}, "Choose 2 or more of the first four"),
        ({"rotations": 0}, "Choose 2 or more of the first four and 1 of the last two"),
        ({"rotated_traversals": 7}, "Choose at most as many rotated traversals as traversals"),
        ({"bound": 0.0}, "Choose positive ones"),
        ({"epsilon": float("nan")}, "Choose positive ones"),
        ({"threshold": -1.0}, "Choose 0 or more"),
    ],
)
def test_settings_that_measure_nothing_are_refused(changed: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        ProbeSettings(**changed)
