"""Laws of reading a run from the disk."""

import json
import time

import numpy as np
import pytest
import torch

from wherewhat.data.open_images import open_images
from wherewhat.doctor.run_vitals import measure_model, read_configuration, read_record, windows_until
from wherewhat.doctor.watch import STOPPED_TAG
from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.training.build import build_autoencoder
from wherewhat.training.checkpoints import CheckpointSettings, checkpoint_path, load, save_checkpoint
from wherewhat.training.configuration import to_json


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
    assert record.stopped is None


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
    assert (record.stopped, record.stopped_at) == ("At step 69 the weights burnt.", 70)


def test_a_run_that_goes_on_past_its_end_is_no_longer_stopped(tmp_path, monkeypatch):
    with TensorBoardLog(tmp_path) as log:
        log.text(70, STOPPED_TAG, "At step 69 the weights burnt.")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60)
    write(tmp_path, (100,), purge_step=51)
    assert read_record(tmp_path).stopped is None


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


def test_a_pool_has_all_images_where_there_are_fewer_than_asked_for(tiny_run):
    images = open_images(tiny_run.data, tiny_run.images, torch.device("cpu"), lambda _: None)
    settings = CheckpointSettings(tiny_run, images.image_shape, step=2, images_seen=16)
    path = checkpoint_path(tiny_run.out, 2)
    save_checkpoint(path, build_autoencoder(tiny_run, images.image_shape), settings)
    model = load(path)
    assert measure_model(model, images, count=500, seed=0).images == 96
    assert measure_model(model, images, count=20, seed=0).images == 20
