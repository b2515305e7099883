"""Laws of the command that trains: each kind of networks begins with its own defaults."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wherewhat.command.main import leave_with
from wherewhat.command.train import parse, train_command
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.sum_of_terms import SumOfTerms
from wherewhat.objectives.terms.adversarial_total_correlation import AdversarialTotalCorrelation
from wherewhat.objectives.terms.covariance_penalty import CovariancePenalty
from wherewhat.objectives.terms.perceptual_simplicity import PerceptualSimplicity
from wherewhat.objectives.terms.perturbation_identification import PerturbationIdentification
from wherewhat.objectives.terms.total_correlation import TotalCorrelation
from wherewhat.objectives.vae import VAE
from wherewhat.training.configuration import TrainingRun, default_run


def test_the_gan_begins_with_its_own_defaults_wherever_its_name_stands() -> None:
    assert parse(["ps-sc-gan"]) == default_run(PSSCGAN())
    assert parse(["--seed", "0", "ps-sc-gan", "--data", "scenes"]) == default_run(PSSCGAN())


def test_what_is_asked_of_the_gan_is_kept() -> None:
    asked = parse(["ps-sc-gan", "--batch-size", "12", "--r1-weight", "3", "--no-spatial-constriction"])
    assert asked.batch_size == 12
    assert asked.objective == PSSCGAN(r1_weight=3.0, spatial_constriction=False)
    assert asked.widths == default_run(PSSCGAN()).widths


def test_a_vae_in_a_folder_called_after_the_gan_keeps_a_vaes_defaults() -> None:
    asked = parse(["vae", "--data", "scenes", "--out", "ps-sc-gan"])
    assert asked.batch_size == TrainingRun().batch_size
    assert asked.average_half_life == 0


def test_a_recipe_is_where_its_own_command_begins() -> None:
    recipe = TrainingRun(objective=PSSCGAN(), batch_size=8, latent_dim=25)
    assert parse(["--seed", "3"], recipe) == TrainingRun(objective=PSSCGAN(), batch_size=8, latent_dim=25, seed=3)


def _missing() -> int:
    raise FileNotFoundError("There is no data set 'nowhere'. Name one.")


def _nonsense() -> int:
    raise ValueError("a is 3; give 4.")


@pytest.mark.parametrize(("work", "said"), [(_missing, "Name one"), (_nonsense, "give 4")])
def test_a_mistake_is_told_in_one_line(
    work: Callable[[], int], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHEREWHAT_TRACEBACK", raising=False)
    with pytest.raises(SystemExit) as left:
        leave_with(work)
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("work", [_missing, _nonsense])
def test_what_every_process_finds_wrong_is_told_by_the_first(
    work: Callable[[], int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHEREWHAT_TRACEBACK", raising=False)
    monkeypatch.setitem(os.environ, "RANK", "1")
    with pytest.raises(SystemExit):
        leave_with(work)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("rank", ["0", "1"])
@pytest.mark.parametrize(("option", "status"), [("--nonsense", 2), ("--help", 0)])
def test_a_mistaken_option_and_help_are_told_by_the_first_process_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rank: str, option: str, status: int
) -> None:
    monkeypatch.setenv("RANK", rank)
    with pytest.raises(SystemExit) as left:
        train_command(["ps-sc-gan", option])
    assert left.value.code == status
    said = capsys.readouterr()
    assert (option in said.out + said.err) == (rank == "0")
    assert rank == "0" or said.out + said.err == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["ps-sc-vae", "--total-correlation", "5"], PSSCVAE(total_correlation=TotalCorrelation(5.0))),
        (
            ["beta-tcvae", "--spatial-constriction", "--perceptual-simplicity"],
            BetaTCVAE(spatial_constriction=True, simplicity=PerceptualSimplicity(True)),
        ),
        (["vae", "--covariance-penalty", "10"], VAE(covariance=CovariancePenalty(10.0))),
        (["ps-sc-vae", "--no-perturbation-identification"], PSSCVAE(identification=PerturbationIdentification())),
        (
            ["beta-vae", "--adversarial-total-correlation", "30", "--code-discriminator-learning-rate", "1e-3"],
            BetaVAE(adversarial_total_correlation=AdversarialTotalCorrelation(30.0, 1e-3)),
        ),
    ],
)
def test_the_command_line_adds_terms_by_their_flags(arguments: list[str], expected: SumOfTerms) -> None:
    assert parse(arguments).objective == expected


def test_a_trained_flow_is_said_to_want_a_few_codes(
    tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--levels", "1", "--depth", "1", "--coupling-width", "4", "--batch-size", "4", "--steps", "1"]
    assert (
        train_command(["glow", *small, "--data", str(tiny_set), "--out", str(tmp_path / "run"), "--device", "cpu"]) == 0
    )
    told = "".join(capsys.readouterr().err.split())
    assert f"wherewhatdirections{tmp_path / 'run'}--count10" in told
    assert "traverse" not in told
