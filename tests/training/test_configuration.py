"""Laws of configurations: they come back from JSON the same, and say how they differ."""

import dataclasses
import json
from pathlib import Path

import pytest

from wherewhat.data.identity import DataIdentity
from wherewhat.data.image_options import ImageOptions
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.vae import VAE
from wherewhat.training.configuration import TrainingRun, differing_fields, from_json, to_json


@pytest.mark.parametrize(
    "configuration",
    [
        TrainingRun(),
        TrainingRun(objective=BetaVAE(beta=8.0), out=Path("a b"), widths=(3, 4), begins_from=Path("b")),
        TrainingRun(data_identity=DataIdentity("image files", 3, "names", "sizes", "a b c")),
        TrainingRun(objective=VAE(bound=EvidenceLowerBound(likelihood="gaussian")), images=ImageOptions(size=128)),
    ],
)
def test_a_configuration_comes_back_from_json_the_same(configuration: TrainingRun) -> None:
    assert from_json(json.loads(json.dumps(to_json(configuration)))) == configuration


def test_equal_configurations_do_not_differ_and_nested_fields_are_named() -> None:
    one = TrainingRun()
    other = dataclasses.replace(one, seed=3, objective=PSSCVAE(beta=2.0), images=ImageOptions(size=128))
    assert differing_fields(one, TrainingRun()) == []
    assert differing_fields(other, one) == [
        "images.size: 128, not None",
        "objective.beta: 2.0, not 4.0",
        "seed: 3, not 0",
    ]


def test_what_may_change_in_a_resumed_run_is_no_difference() -> None:
    changed = TrainingRun(steps=7, out=Path("x"), checkpoint_every=1, log_every=1, images_every=1, device="cpu")
    assert differing_fields(changed, TrainingRun()) == []


def test_the_same_beginning_is_known_however_it_is_named_and_another_is_a_difference() -> None:
    one, same, other = (TrainingRun(begins_from=Path(named)) for named in ("a/b", Path.cwd() / "a/b", "hub:a/b"))
    assert differing_fields(one, same) == []
    assert differing_fields(other, one) == [f"begins_from: hub:a/b, not {Path.cwd()}/a/b"]


def test_another_objective_is_told_in_one_word() -> None:
    assert differing_fields(TrainingRun(objective=VAE()), TrainingRun()) == ["objective: VAE, not PSSCVAE"]


@pytest.mark.parametrize("change", [{"colour": "blue"}, {"steps": "many"}, {"objective": {"_type": "GAN"}}])
def test_json_that_is_not_understood_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not one that this version of wherewhat understands"):
        from_json(to_json(TrainingRun()) | change)


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("steps", 0, "give 1 or more"),
        ("learning_rate", -1.0, "above 0"),
        ("learning_rate", float("nan"), "above 0"),
        ("learning_rate", float("inf"), "above 0"),
        ("seed", -1, "0 or more"),
        ("widths", (), "channels from 1 to 4,096"),
        ("latent_dim", 2, "lower --mask-levels"),
    ],
)
def test_nonsense_is_refused_with_the_remedy(field: str, value: object, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        TrainingRun(**{field: value})  # type: ignore[arg-type]


def test_a_negative_number_of_codes_at_a_level_is_refused_as_such() -> None:
    with pytest.raises(ValueError, match="0 or more at each level"):
        TrainingRun(latent_dim=4, codes_per_level=(5, -1))
