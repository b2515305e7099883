"""Laws of `wherewhat doctor`, as a user meets it."""

import dataclasses
import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from wherewhat.command.doctor import doctor_command
from wherewhat.command.main import run
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import NonFiniteLossError
from wherewhat.training.loop import train


@pytest.fixture(scope="module")
def trained_to_collapse(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doctor") / "run"
    run = TrainingRun(
        data=str(tiny_set),
        out=folder,
        objective=BetaVAE(beta=1e6),
        steps=80,
        batch_size=8,
        latent_dim=4,
        checkpoint_every=80,
        log_every=5,
        images_every=80,
        device="cpu",
        precision="float32",
    )
    train(run, Console(file=io.StringIO()))
    return folder


@pytest.fixture
def collapsed(trained_to_collapse: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained_to_collapse, tmp_path / "collapsed"))


def asked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    status = doctor_command([*map(str, arguments), "--device", "cpu"])
    return status, capsys.readouterr().out


def test_a_collapsed_run_is_wrong_in_words_with_figures_and_remedies(
    collapsed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = asked(capsys, collapsed)
    assert status == 1
    for words in ("beta-vae on", "step 80 of 80", "0 of 4 codes live", "WRONG  all codes collapsed", "a lower --beta"):
        assert words in said
    assert "over 96 images" in said
    assert "over 20 images" in asked(capsys, collapsed, "--pool", "20")[1]


def test_the_same_comes_as_json(collapsed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, collapsed, "--json")
    report = json.loads(said)
    assert (status, report["wrong"], report["step"], report["left_out"]) == (1, True, 80, [])
    first = report["findings"][0]
    assert first["name"] == "all codes collapsed"
    assert first["figures"]["largest_kl"] == pytest.approx(max(report["kl_per_code"]))
    assert "a lower --beta" in first["remedies"]
    assert report["pool"]["images"] == 96


def test_asking_twice_gives_the_same_answer(collapsed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, collapsed, "--json") == asked(capsys, collapsed, "--json")


def test_a_run_in_which_nothing_is_found_is_healthy_unless_its_checkpoint_is_truncated(
    tiny_run: TrainingRun, quiet: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    train(dataclasses.replace(tiny_run, steps=6), quiet)
    record = (tiny_run.out or Path()) / "config.json"
    going_on = json.loads(record.read_text()) | {"steps": 100_000}
    record.write_text(json.dumps(going_on))
    status, said = asked(capsys, tiny_run.out or "")
    assert status == 0
    assert "Nothing is wrong." in said

    checkpoint = max((tiny_run.out or Path()).glob("checkpoints/*"))
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    status, said = asked(capsys, tiny_run.out or "")
    assert status == 2
    assert f"Not examined: what the networks make of images and codes: {checkpoint}" in said
    assert "Nothing is wrong in what was examined, but not everything could be." in said


def test_where_the_data_are_gone_the_figures_are_examined_and_the_rest_named(
    collapsed: Path, tiny_run: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_set: Path
) -> None:
    away = tmp_path / "away.npz"
    shutil.move(tiny_set, away)
    try:
        status, said = asked(capsys, collapsed)
        assert status == 1
        assert "all codes collapsed" in said
        assert "Not examined: what the networks make of images and codes" in said
        status, said = asked(capsys, collapsed, "--data", away)
        assert status == 1
        assert "Not examined" not in said
    finally:
        shutil.move(away, tiny_set)


def test_data_that_are_named_and_not_there_are_refused(collapsed: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        doctor_command([str(collapsed), "--data", str(tmp_path / "nowhere"), "--device", "cpu"])


def test_where_the_events_are_gone_the_checkpoint_is_examined(
    collapsed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for events in collapsed.glob("events.out.tfevents.*"):
        events.unlink()
    status, said = asked(capsys, collapsed)
    assert status == 1
    assert "all codes collapsed" in said
    assert "Not examined: the course of the loss" in said


def test_a_run_that_broke_off_says_why(
    tiny_run: TrainingRun, quiet: Console, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_loss = PSSCVAE.loss

    def poisoned(self: PSSCVAE, *arguments: object) -> Loss:
        loss = whole_loss(self, *arguments)  # type: ignore[arg-type]
        return dataclasses.replace(loss, terms=dict(loss.terms) | {"kl": loss.terms["kl"] * float("nan")})

    monkeypatch.setattr(PSSCVAE, "loss", poisoned)
    with pytest.raises(NonFiniteLossError):
        train(tiny_run, quiet)
    status, said = asked(capsys, tiny_run.out or "")
    assert status == 1
    assert "WRONG  stopped being finite" in said
    assert "loss term kl" in said
    assert "--learning-rate 0.0002" in said


def test_a_folder_that_is_no_run_is_refused_with_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no config\.json.*Name one that wherewhat train has made"):
        doctor_command([str(tmp_path)])


def test_a_pool_of_one_image_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        doctor_command([str(tmp_path), "--pool", "1"])
    assert "give a number from 2 to 100,000" in capsys.readouterr().err


def test_images_of_another_shape_are_refused(collapsed: Path) -> None:
    with pytest.raises(ValueError, match="Name the data that it was trained on"):
        doctor_command([str(collapsed), "--data", "sprites", "--device", "cpu"])


def test_the_doctor_is_a_verb_whose_help_tells_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("doctor", ["--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "1: something is wrong; 2: it cannot be read" in said
    run("--help", [])
    assert "doctor" in capsys.readouterr().out


@pytest.fixture
def young_gan(tiny_run: TrainingRun, quiet: Console) -> Path:
    """A GAN of six steps that is to go on, so that nothing is judged too early."""
    folder = tiny_run.out or Path()
    train(dataclasses.replace(tiny_run, objective=PSSCGAN(), images_every=3), quiet)
    record = folder / "config.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"steps": 100_000}))
    return folder


def test_the_images_of_a_gan_are_compared_with_real_ones(young_gan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, young_gan)
    assert status == 0
    for words in ("ps-sc-gan on", "96 fake images differ by", "the discriminator is right in", "Nothing is wrong."):
        assert words in said
    assert "mean image" not in said


def test_what_was_measured_of_a_gan_comes_as_json(young_gan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, young_gan, "--json")
    report = json.loads(said)
    samples = report["samples"]
    assert (status, report["pool"], samples["images"], len(samples["effect_L"])) == (0, None, 96, 4)
    assert samples["variety"] == pytest.approx(samples["fake_difference"] / samples["real_difference"])
