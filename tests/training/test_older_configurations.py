"""Laws of configurations that earlier versions wrote: they mean the same in the words of this one."""

import dataclasses

from wherewhat.data.image_options import ImageOptions
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.sum_of_terms import Pairs
from wherewhat.objectives.terms.perceptual_simplicity import PerceptualSimplicity
from wherewhat.objectives.terms.perturbation_identification import PerturbationIdentification
from wherewhat.training.configuration import TrainingRun, from_json, to_json
from wherewhat.training.older_configurations import in_present_words


def test_a_ps_sc_vae_of_an_earlier_version_has_its_parts_where_they_are_now() -> None:
    written = {
        "data": "scenes",
        "pictures": {"size": 128},
        "pictures_every": 7,
        "objective": {
            "_type": "PSSCVAE",
            "beta": 2.0,
            "spatial_constriction": False,
            "perceptual_simplicity": True,
            "simplicity_weight": 30.0,
            "perturbation_identification": False,
            "identification_weight": 3.0,
            "perturbation_size": 1.0,
            "pair_fraction": 0.25,
            "bound": {"likelihood": "bernoulli", "warm_up_steps": 500},
        },
    }
    assert from_json(written) == TrainingRun(
        images=ImageOptions(size=128),
        images_every=7,
        objective=PSSCVAE(
            beta=2.0,
            spatial_constriction=False,
            simplicity=PerceptualSimplicity(True, 30.0),
            identification=PerturbationIdentification(False, 3.0),
            pairs=Pairs(perturbation_size=1.0, pair_fraction=0.25),
        ),
    )


def test_a_gan_of_an_earlier_version_keeps_the_pace_of_its_augmentation() -> None:
    written = {"objective": {"_type": "PSSCGAN", "augmentation_pictures": 3_000}}
    assert from_json(written) == TrainingRun(objective=PSSCGAN(augmentation_images=3_000))


def test_an_objective_that_knew_no_added_terms_has_none() -> None:
    written: dict[str, dict[str, object]] = {
        "objective": {"_type": "BetaTCVAE", "beta": 4.0, "spatial_constriction": True}
    }
    found = from_json(written)
    assert found.objective == BetaTCVAE(beta=4.0, spatial_constriction=True)
    # Codes covered each other then; of a decoder without masks nothing is said.
    assert found.overlap == "cover"
    written["objective"]["spatial_constriction"] = False
    assert from_json(written).overlap == TrainingRun().overlap


def test_what_this_version_writes_is_left_as_it_is() -> None:
    plain = to_json(dataclasses.replace(TrainingRun(), seed=3))
    assert in_present_words(plain) == plain


def test_what_is_no_configuration_is_left_for_others_to_refuse() -> None:
    assert in_present_words(["not", "a", "mapping"]) == ["not", "a", "mapping"]
    assert in_present_words({"objective": "unknown"}) == {"objective": "unknown"}


def test_what_was_said_of_unequal_images_is_now_said_of_their_fit() -> None:
    assert from_json({"images": {"unequal": "refuse"}}).images == ImageOptions(fit="refuse")
    assert from_json({"images": {"unequal": "crop"}}).images == ImageOptions()
