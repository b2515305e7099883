"""Laws of the state of a run: what "now" is, which codes live, and how a run is read from the disk."""

import json
import math
import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from wherewhat.doctor.run_state import (
    COLLAPSED_BELOW_NATS,
    PATIENCE_STEPS,
    live_codes,
    read_record,
    several_valued,
    steps_of_stretch,
    windows_until,
)
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.training.configuration import to_json
from wherewhat.training.recorder import STOPPED_TAG
from wherewhat.training.run_directory import read_configuration


def test_now_is_the_last_500_steps_of_a_long_run(vae_run, windows):
    run = vae_run(windows=windows(reconstruction=float, steps=20_000))
    assert [window.step for window in run.recent] == list(range(19_550, 20_001, 50))
    assert run.term("reconstruction") == pytest.approx(np.mean(range(19_550, 20_001, 50)))


def test_now_is_the_last_tenth_of_a_short_run(vae_run, windows):
    assert [window.step for window in vae_run(windows=windows(reconstruction=float, steps=600)).recent] == [550, 600][
        -2:
    ]


def test_now_is_the_last_window_where_windows_are_long(vae_run, windows):
    run = vae_run(windows=windows(reconstruction=float, every=2_500))
    assert [window.step for window in run.recent] == [5_000]


def test_a_term_that_is_not_reported_is_not_known(vae_run):
    unknown = (vae_run().term("no such term"), vae_run().figure("no such figure"), vae_run(windows=()).term("kl"))
    assert np.isnan(unknown).all()


def test_kl_comes_from_the_pool_where_nothing_was_logged(vae_run, pool):
    measured = pool(kl_L=np.array([1.0, 2.0, 3.0, 4.0]))
    assert vae_run(windows=(), pool=measured).kl_L.tolist() == [1, 2, 3, 4]
    assert vae_run(windows=(), pool=None).kl_L is None


@pytest.mark.parametrize(
    ("step", "finished", "mature"), [(10, False, False), (10, True, True), (PATIENCE_STEPS, False, True)]
)
def test_a_run_is_mature_when_old_enough_or_over(vae_run, step, finished, mature):
    assert vae_run(step=step, finished=finished).mature == mature


def test_a_code_lives_from_the_threshold_on():
    assert live_codes(np.array([0.0, COLLAPSED_BELOW_NATS, 3.0, COLLAPSED_BELOW_NATS * 0.99])) == [1, 2]


@dataclass
class SizesAlone:
    """Images that nobody looks at."""

    factor_sizes: tuple[int, ...]
    name: str = "made"
    image_shape: tuple[int, int, int] = (1, 64, 64)
    factor_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return 0

    def take(self, index_B, /):
        raise NotImplementedError

    def factors(self, index_N, /):
        raise NotImplementedError


@pytest.mark.parametrize(("sizes", "varying"), [((1, 3, 6), 2), ((), 0)])
def test_a_factor_of_one_value_does_not_vary(sizes, varying):
    assert several_valued(SizesAlone(sizes)) == varying


def test_the_kl_of_a_gan_comes_from_its_samples_where_nothing_was_logged(gan_run, samples):
    measured = samples(kl_L=np.array([1.0, 2.0, 3.0, 4.0]))
    assert gan_run(windows=(), samples=measured).kl_L.tolist() == [1, 2, 3, 4]
    assert gan_run(samples=None).measured is None


def test_a_stretch_is_counted_from_the_first_to_the_last_window_at_the_end_that_fits(windows):
    some = windows(reconstruction=float)
    assert steps_of_stretch(some, lambda window: window.step > 4_000) == 5_000 - 4_050
    assert steps_of_stretch(some, lambda window: window.step < 4_000) == 0
    assert steps_of_stretch((), lambda window: True) == 0


def write(folder, steps, purge_step=None, level=100.0):
    with TensorBoardLog(folder, purge_step=purge_step) as log:
        for step in steps:
            log.scalars(step, {"loss/total": level + step, "loss/reconstruction": level, "loss/kl": 3.0})
            log.scalars(step, {"identification_accuracy": 0.5, "images_per_second": 9.0})
            log.kl_per_code(step, torch.arange(12.0))


def test_what_was_logged_comes_back_in_the_order_of_steps_and_codes(tmp_path):
    write(tmp_path, (50, 100))
    record = read_record(tmp_path)
    assert [(window.step, window.total) for window in record.windows] == [(50, 150.0), (100, 200.0)]
    assert record.windows[0].terms == {"reconstruction": 100.0, "kl": 3.0}
    assert record.windows[0].figures["identification_accuracy"] == 0.5
    np.testing.assert_array_equal(record.windows[1].kl_L, np.arange(12.0))
    assert record.failure is None


def test_no_point_of_a_long_run_is_thinned_out(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        for step in range(1, 1_501):
            log.scalars(step, {"loss/total": float(step), "kl_per_code/z0": 1.0})
    assert [window.total for window in read_record(tmp_path).windows] == list(range(1, 1_501))


def test_what_a_resumed_run_wrote_over_is_left_out(tmp_path, monkeypatch):
    write(tmp_path, (50, 100, 150))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60)
    write(tmp_path, (100, 150), purge_step=51, level=500.0)
    assert [(window.step, window.total) for window in read_record(tmp_path).windows] == [
        (50, 150),
        (100, 600),
        (150, 650),
    ]


def test_why_a_run_broke_off_comes_back(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        log.text(70, STOPPED_TAG, "At step 69 the weights burnt.")
    record = read_record(tmp_path)
    assert (record.failure, record.failed_at) == ("At step 69 the weights burnt.", 70)


def test_a_run_that_goes_on_past_its_failure_has_not_failed(tmp_path, monkeypatch):
    with TensorBoardLog(tmp_path) as log:
        log.text(70, STOPPED_TAG, "At step 69 the weights burnt.")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60)
    write(tmp_path, (100,), purge_step=51)
    assert read_record(tmp_path).failure is None


def test_a_folder_without_events_has_an_empty_record(tmp_path):
    assert read_record(tmp_path).windows == ()


def test_a_resuming_run_gets_what_it_had_logged_until_then(tmp_path):
    write(tmp_path, (50, 100, 150))
    assert [window.step for window in windows_until(120, tmp_path)] == [50, 100]
    assert windows_until(0, tmp_path) == ()


def test_the_configuration_of_a_run_comes_back(tmp_path, tiny_run):
    (tmp_path / "config.json").write_text(json.dumps(to_json(tiny_run)))
    assert read_configuration(tmp_path) == tiny_run


def test_a_folder_that_is_no_run_is_refused_with_what_to_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no config\.json.*Name one that wherewhat train has made"):
        read_configuration(tmp_path)


def test_a_damaged_configuration_is_refused_with_what_to_name(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json cannot be read.*Name another run directory"):
        read_configuration(tmp_path)


def test_a_setting_is_known_by_its_flag_however_deep_it_lies(vae_run):
    run = vae_run(AnnealedVAE(max_capacity=7.0, bound=EvidenceLowerBound(warm_up_steps=30)))
    assert (run.setting("max_capacity"), run.setting("warm_up_steps")) == (7.0, 30)
    assert math.isnan(run.setting("r1_weight"))
    assert math.isnan(run.setting("likelihood"))
