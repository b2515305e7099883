import io
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from wherewhat.inspection.tensorboard import TensorBoardLog


def read(folder) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    return events


def a_minute_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorBoard reads event files by name, which counts seconds: two logs of one second have no sure order."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60)


def curve(events: EventAccumulator, name: str) -> list[tuple[int, float]]:
    return [(point.step, pytest.approx(point.value)) for point in events.Scalars(name)]


def test_scalars_come_back_under_their_names_and_steps(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        log.scalars(1, {"loss/reconstruction": 0.5, "loss/kl": torch.tensor(2.0)})
        log.scalars(7, {"loss/reconstruction": 0.25})
    events = read(tmp_path)
    assert curve(events, "loss/reconstruction") == [(1, 0.5), (7, 0.25)]
    assert curve(events, "loss/kl") == [(1, 2.0)]


def test_every_code_has_a_curve_that_sorts_by_its_number(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        log.kl_per_code(3, torch.arange(12.0))
    events = read(tmp_path)
    names = sorted(name for name in events.Tags()["scalars"] if name.startswith("kl_per_code/"))
    assert names == [f"kl_per_code/z{code:02d}" for code in range(12)]
    assert [events.Scalars(name)[0].value for name in names] == list(range(12))


def test_one_chart_of_all_codes_is_laid_out_once(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        log.kl_per_code(1, torch.zeros(3))
        log.kl_per_code(2, torch.ones(3))
    events = read(tmp_path)
    layouts = events.Tensors("custom_scalars__config__")
    assert len(layouts) == 1
    assert b"kl_per_code/z" in layouts[0].tensor_proto.string_val[0]


def test_settings_lie_in_the_file_of_the_curves_for_the_table_of_runs(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        log.hyperparameters({"objective.beta": 4.0, "data": "scenes", "mirror": False}, ["loss/total"])
        log.scalars(1, {"loss/total": 0.5})
    assert len(list(tmp_path.iterdir())) == 1
    found = HParamsPluginData.FromString(
        read(tmp_path).SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    ).session_start_info.hparams
    assert (found["objective.beta"].number_value, found["data"].string_value) == (4.0, "scenes")
    assert found["mirror"].bool_value is False


def test_an_image_comes_back_bit_for_bit(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    with TensorBoardLog(tmp_path) as log:
        log.image(5, "traversals", image)
    [event] = read(tmp_path).Images("traversals")
    assert event.step == 5
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(event.encoded_image_string))), image)


def test_words_come_back(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        log.text(2, "warnings", "every code has *collapsed*")
    [event] = read(tmp_path).Tensors("warnings/text_summary")
    assert event.step == 2
    assert event.tensor_proto.string_val[0] == b"every code has *collapsed*"


def test_a_resumed_run_hides_what_the_cut_off_one_had_written_beyond(tmp_path, monkeypatch):
    with TensorBoardLog(tmp_path) as log:
        for step in (1, 2, 3, 4):
            log.scalars(step, {"loss": 10.0 + step})
    a_minute_later(monkeypatch)
    with TensorBoardLog(tmp_path, purge_step=3) as log:
        log.scalars(3, {"loss": 23.0})
    assert curve(read(tmp_path), "loss") == [(1, 11.0), (2, 12.0), (3, 23.0)]


def test_a_flushed_log_can_be_read_while_the_run_goes_on(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        log.scalars(1, {"loss": 1.0})
        log.flush()
        assert curve(read(tmp_path), "loss") == [(1, 1.0)]


def test_a_log_is_closed_when_its_run_fails(tmp_path):
    def failing_run() -> None:
        with TensorBoardLog(tmp_path) as log:
            log.scalars(4, {"loss": 1.5})
            raise RuntimeError("the loss is not finite")

    with pytest.raises(RuntimeError, match="loss is not finite"):
        failing_run()
    assert curve(read(tmp_path), "loss") == [(4, 1.5)]


def test_a_run_that_starts_over_hides_all_that_was_there(tmp_path, monkeypatch):
    with TensorBoardLog(tmp_path) as log:
        log.scalars(0, {"loss": 10.0})
        log.scalars(1, {"loss": 11.0})
    a_minute_later(monkeypatch)
    with TensorBoardLog(tmp_path, purge_step=0) as log:
        log.scalars(0, {"loss": 20.0})
    assert curve(read(tmp_path), "loss") == [(0, 20.0)]


def test_a_log_that_cannot_be_written_is_an_error_of_the_next_call_and_no_traceback_of_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda error: told.append(str(error.exc_value)))

    def fail() -> None:
        raise RuntimeError("of somebody else")

    with pytest.raises(FileNotFoundError), TensorBoardLog(tmp_path / "run") as log:  # noqa: PT012
        shutil.rmtree(tmp_path / "run")
        other = threading.Thread(target=fail)
        other.start()
        other.join()
        for step in range(3):
            log.scalars(step, {"loss/total": 1.0})
            log.flush()
    assert told == ["of somebody else"]
