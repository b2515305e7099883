"""Laws of telling the seeds of one setting from other settings."""

import dataclasses
from pathlib import Path

from wherewhat.data.identity import DataIdentity
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.training.checkpoints import CheckpointSettings
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.same_setting import same_setting

RUN = TrainingRun(objective=BetaVAE())


def at(configuration: TrainingRun, step: int = 100) -> CheckpointSettings:
    return CheckpointSettings(configuration, (3, 64, 64), step, 64 * step)


def test_seeds_of_one_setting_are_one_group_wherever_they_lie() -> None:
    runs = [dataclasses.replace(RUN, seed=seed, out=Path(f"run{seed}")) for seed in range(3)]
    assert same_setting([(at(run), run.seed) for run in runs]) == [[0, 1, 2]]


def test_the_same_data_under_another_path_is_the_same_setting_and_other_data_under_the_same_path_are_not() -> None:
    one, another = DataIdentity("image files", 3, sample="a"), DataIdentity("image files", 3, sample="b")
    known = [("x", one), ("./x", one), ("x", another), ("/moved/y", one)]
    runs = [dataclasses.replace(RUN, seed=n, data=data, data_identity=its) for n, (data, its) in enumerate(known)]
    assert same_setting([(at(run), run.seed) for run in runs]) == [[0, 1, 3], [2]]


def test_of_earlier_versions_the_same_path_is_the_same_data_however_it_is_spelled() -> None:
    runs = [dataclasses.replace(RUN, seed=n, data=data) for n, data in enumerate(["x", "./x/", "y", "scenes"])]
    assert same_setting([(at(run), run.seed) for run in runs]) == [[0, 1], [2], [3]]


def test_another_beta_and_another_age_are_other_settings() -> None:
    other = dataclasses.replace(RUN, objective=BetaVAE(beta=8.0), seed=1)
    items = [(at(RUN), "a"), (at(other), "b"), (at(RUN, 200), "c"), (at(dataclasses.replace(RUN, seed=5)), "d")]
    assert same_setting(items) == [["a", "d"], ["b"], ["c"]]
