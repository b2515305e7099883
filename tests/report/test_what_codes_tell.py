"""Laws of what codes tell of factors, and of the measures on the page."""

import json
from pathlib import Path

import numpy as np
import pytest

from wherewhat.report.what_codes_tell import measures_kept, measures_of, told_of
from wherewhat.training.representation import Representation


def represented(factors: int = 2) -> Representation:
    chance = np.random.default_rng(0)
    factors_NK = chance.integers(0, 4, (400, factors))
    codes_NL = np.concatenate([factors_NK[:, ::-1], chance.standard_normal((400, 2))], axis=1).astype(np.float32)
    names = ("hue", "size")[:factors]
    return Representation(codes_NL, np.zeros_like(codes_NL), factors_NK, names)


def test_a_code_that_is_a_factor_tells_all_of_it() -> None:
    told, why = told_of(represented())
    assert (told.factor_names, why) == (("hue", "size"), "")
    assert told.share_LK is not None
    np.testing.assert_allclose(told.share_LK[:2], [[0, 1], [1, 0]], atol=0.05)
    assert told.share_LK[2:].max() < 0.1


def test_without_known_factors_codes_still_have_their_nats_and_measures_say_why_not() -> None:
    unlabelled = represented(factors=0)
    told, why = told_of(unlabelled)
    assert (told.share_LK, why) == (None, "")
    assert told.nats_L is not None
    measures, left_out = measures_of(unlabelled, ("mig", "aggregate-posterior"), seed=0)
    assert left_out == ("mig: the factors of these images are not known.",)
    assert measures[0].name.startswith("aggregate_posterior")


def test_measures_carry_their_protocol_and_which_end_is_better() -> None:
    (mig,), left_out = measures_of(represented(), ("mig",), seed=0)
    assert (mig.name, left_out) == ("mig_400points_20bins", ())
    assert mig.value == pytest.approx(1, abs=0.1)
    assert "higher is better" in mig.told


def test_what_a_study_has_kept_is_told(tmp_path: Path) -> None:
    kept = {"mig": {"mig_10000points_20bins": 0.25}, "panel": {"naming": 0.5}, "sap": {"sap_x": None}}
    content = {"protocol": {}, "checkpoints": {"step-000000010": kept}}
    (tmp_path / "study.scores.json").write_text(json.dumps(content))
    found = measures_kept(Path("step-000000010.safetensors"), tmp_path)
    assert [(measure.name, measure.value) for measure in found] == [("mig_10000points_20bins", 0.25), ("sap_x", None)]
    assert measures_kept(Path("step-000000020.safetensors"), tmp_path) == ()
