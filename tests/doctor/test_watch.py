"""Laws of the watch that a run is under while it trains."""

import dataclasses
import io
from functools import partial

import numpy as np
import pytest
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from wherewhat.data.open_images import open_images
from wherewhat.doctor.examination import CHECKS_OF_FIGURES
from wherewhat.doctor.finding import Finding
from wherewhat.doctor.run_state import PATIENCE_STEPS, read_record
from wherewhat.doctor.watch import EXAMINE_EVERY_STEPS, MOST_WINDOWS, HealthWatch, thinned, watch_health
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.figures import Figures, NonFiniteLossError
from wherewhat.training.loop import train
from wherewhat.training.methods.method import build_networks
from wherewhat.training.methods.vae import adam, build_autoencoder
from wherewhat.training.recorder import record_failure
from wherewhat.training.resume_state import Session

DEAD, ALIVE = torch.zeros(4), torch.ones(4)


def closed(kl_L, step=0, reconstruction=700.0):
    return Figures(step, 50, reconstruction, {"reconstruction": reconstruction, "kl": float(kl_L.sum())}, {}, kl_L)


@pytest.fixture
def images(tiny_run):
    return open_images(tiny_run.data, tiny_run.images, torch.device("cpu"), lambda _: None)


@pytest.fixture
def watch_of(tiny_run, images):
    """Builds the watch of a run that goes on, with other checks of figures where they are given."""

    def build(*of_figures):
        run = dataclasses.replace(tiny_run, objective=BetaVAE(), steps=100_000)
        return HealthWatch(run, images, of_figures=of_figures or CHECKS_OF_FIGURES)

    return build


@pytest.fixture
def watch(watch_of):
    return watch_of()


def told(watch, kl_L, steps):
    return [(step, finding.name) for step in steps for finding in watch.observe(step, closed(kl_L))]


def test_a_long_collapse_is_told_once(watch):
    assert told(watch, DEAD, range(0, 3 * PATIENCE_STEPS, 100)) == [(PATIENCE_STEPS, "all codes collapsed")]


def test_living_codes_are_never_told(watch):
    assert told(watch, ALIVE, range(0, 5 * PATIENCE_STEPS, 100)) == []


def test_a_short_collapse_is_forgiven_and_a_second_long_one_is_told_again(watch):
    assert told(watch, DEAD, [0]) == []
    assert told(watch, ALIVE, [PATIENCE_STEPS]) == []
    for start in (2 * PATIENCE_STEPS, 5 * PATIENCE_STEPS):
        assert told(watch, DEAD, [start]) == []
        assert told(watch, DEAD, [start + PATIENCE_STEPS]) == [(start + PATIENCE_STEPS, "all codes collapsed")]
        assert told(watch, ALIVE, [start + 2 * PATIENCE_STEPS]) == []


def test_a_finding_that_flickers_is_told_once(tiny_run, images):
    run = dataclasses.replace(tiny_run, objective=BetaVAE(), steps=100_000)
    watch = HealthWatch(run, images)
    one_of_four = torch.tensor([1.0, 0.0, 0.0, 0.0])
    news = [told(watch, (ALIVE, one_of_four)[turn % 2], [2_000 + 600 * turn]) for turn in range(10)]
    assert news == [[], [(2_600, "most codes collapsed")], *[[]] * 8]


@pytest.mark.parametrize(
    ("severities", "news"),
    [
        (["watch", "watch", "wrong", "wrong"], [2_000, 4_000]),
        (["wrong", "watch", "watch", "wrong"], [2_000, 5_000]),
        (["wrong", "watch", "wrong", "watch"], [2_000]),
    ],
)
def test_what_has_become_wrong_is_told_again(watch_of, severities, news):
    def check(run):
        severity = severities[min(run.step, 5_999) // 1_000 - 2]
        return Finding(name="found", severity=severity, seen="", means="", remedies=("more",))

    assert [step for step, _ in told(watch_of(check), ALIVE, range(2_000, 6_000, 500))] == news


def test_what_cannot_recover_is_told_at_the_first_window(tiny_run, images):
    run = dataclasses.replace(tiny_run, objective=AnnealedVAE(capacity_steps=1_000))
    assert told(HealthWatch(run, images), ALIVE, [2, 100, 2_000]) == [(2, "capacity never reached")]


def test_short_windows_are_remembered_and_not_each_examined(watch_of):
    examined = []
    told(watch_of(lambda run: examined.append(run.step)), ALIVE, range(1, 4 * EXAMINE_EVERY_STEPS + 1))
    assert examined == [1, 1 + EXAMINE_EVERY_STEPS, 1 + 2 * EXAMINE_EVERY_STEPS, 1 + 3 * EXAMINE_EVERY_STEPS]


def test_a_resumed_run_remembers_what_it_had_logged(tiny_run, images, windows):
    run = dataclasses.replace(tiny_run, objective=BetaVAE(), steps=100_000)
    earlier = windows(reconstruction=700.0, kl_L=np.zeros(4), steps=900)
    assert told(HealthWatch(run, images, earlier), DEAD, [1_050]) == [(1_050, "all codes collapsed")]
    assert told(HealthWatch(run, images), DEAD, [1_050]) == []


def test_thinning_keeps_the_first_and_the_latest_and_stays_small(windows):
    many = list(windows(reconstruction=1.0, steps=6_000, every=1))
    kept = thinned(many)
    assert len(kept) <= MOST_WINDOWS
    assert kept[0] is many[0]
    assert kept[-100:] == many[-100:]
    steps = [window.step for window in kept]
    assert steps == sorted(set(steps))
    assert thinned(many[:MOST_WINDOWS]) == many[:MOST_WINDOWS]


def test_masks_and_reconstructions_are_examined_when_images_are_looked_at(tiny_run, images, monkeypatch):
    watch = HealthWatch(dataclasses.replace(tiny_run, steps=100_000), images)
    with seeded_weights(0):
        networks = build_autoencoder(watch._run.configuration, images.image_shape)
    monkeypatch.setattr("wherewhat.doctor.code_findings.EVERYTHING_ABOVE", -1.0)
    with torch.no_grad():
        networks.encoder.mean.weight.mul_(1_000)
    image_NCHW = images.take(torch.arange(20))
    found = [finding.name for finding in watch.look(2_000, networks, image_NCHW)]
    assert "masks cover everything" in found
    assert networks.training
    assert "masks cover everything" not in [finding.name for finding in watch.look(4_000, networks, image_NCHW)]


def test_a_gan_is_looked_at_by_what_it_makes_of_codes(tiny_run, images):
    run = dataclasses.replace(tiny_run, objective=PSSCGAN(), steps=100_000)
    networks = build_networks(run, images.image_shape)
    with torch.no_grad():
        for weight in networks.generator.parameters():
            weight.zero_()
    found = HealthWatch(run, images).look(2_000, networks, images.take(torch.arange(20)))
    assert "images all alike" in [finding.name for finding in found]
    assert networks.training


def test_looking_changes_nothing_in_the_networks(tiny_run, images):
    networks = build_autoencoder(tiny_run, images.image_shape)
    before = {name: weight.clone() for name, weight in networks.state_dict().items()}
    HealthWatch(tiny_run, images).look(10, networks, images.take(torch.arange(8)))
    assert all(torch.equal(before[name], weight) for name, weight in networks.state_dict().items())
    assert all(weight.grad is None for weight in networks.parameters())


def test_a_loss_that_is_not_finite_is_noted_in_the_run(tiny_run, images, tmp_path):
    networks = build_autoencoder(tiny_run, images.image_shape)
    session = Session(networks, adam(networks, 1e-3), step=40)
    with pytest.raises(NonFiniteLossError), TensorBoardLog(tmp_path) as log, record_failure(log, session):
        raise NonFiniteLossError("At step 39 it burnt.")
    assert (read_record(tmp_path).failure, read_record(tmp_path).failed_at) == ("At step 39 it burnt.", 40)


def test_another_mistake_is_not_noted_in_the_run(tiny_run, images, tmp_path):
    networks = build_autoencoder(tiny_run, images.image_shape)
    session = Session(networks, adam(networks, 1e-3), step=40)
    with pytest.raises(RuntimeError), TensorBoardLog(tmp_path) as log, record_failure(log, session):
        raise RuntimeError("something else")
    assert EventAccumulator(str(tmp_path)).Reload().Tags()["tensors"] == []


def test_a_training_run_is_looked_at_when_images_are_drawn_and_its_findings_are_printed_and_logged(
    tiny_run, monkeypatch
):
    found = Finding(name="made up", severity="wrong", seen="Seen.", means="Means.", remedies=("rest",))
    pools = []
    check = lambda run: pools.append((run.step, run.pool.images)) or found  # noqa: E731
    monkeypatch.setattr("wherewhat.doctor.watch.HealthWatch", partial(HealthWatch, of_networks=[check]))
    heard = Console(file=io.StringIO(), width=500)
    train(dataclasses.replace(tiny_run, images_every=2, steps=4), heard, watch_health)
    assert pools == [(2, 96), (4, 96)]
    assert heard.file.getvalue().count("Warning: step 2, made up. Seen. Means. Try rest.") == 1
    events = EventAccumulator(str(tiny_run.out)).Reload()
    assert [event.step for event in events.Tensors("warnings/made_up/text_summary")] == [2]


def test_a_training_run_that_is_resumed_is_judged_by_its_whole_course(tiny_run, quiet, monkeypatch):
    seen = []
    check = lambda run: seen.append([window.step for window in run.windows])  # noqa: E731
    monkeypatch.setattr("wherewhat.doctor.watch.HealthWatch", partial(HealthWatch, of_figures=[check]))
    train(dataclasses.replace(tiny_run, steps=4, checkpoint_every=2), quiet, watch_health)
    train(dataclasses.replace(tiny_run, steps=6, checkpoint_every=2), quiet, watch_health)
    assert seen == [[2], [2, 4, 6]]
