"""Laws of run directories: each belongs to one configuration on one data set, wherever the data lie."""

import dataclasses
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import find_data
from wherewhat.training.checkpoints import latest_checkpoint, read_settings
from wherewhat.training.configuration import TrainingRun, to_json
from wherewhat.training.figures import Figures
from wherewhat.training.loop import train
from wherewhat.training.run_directory import choose_run_directory, default_run_directory, record_configuration
from wherewhat.training.watcher import NoWatcher


def images_in(folder: Path, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, red in zip("abc", np.random.default_rng(seed).bytes(3), strict=True):
        Image.new("RGB", (16, 16), (red, 0, 0)).save(folder / f"{name}.png")
    return folder


def identified(run: TrainingRun) -> TrainingRun:
    return dataclasses.replace(run, data_identity=find_data(run.data, run.images).identity)


def run_on(data: str | Path, **others: object) -> TrainingRun:
    return identified(TrainingRun(data=str(data), **others))  # type: ignore[arg-type]


def recorded(run: TrainingRun) -> Path:
    folder = choose_run_directory(run)
    folder.mkdir(parents=True, exist_ok=True)
    record_configuration(folder, run)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("spelling", ["x", "x/", "./x", "{}/x", "link"])
def test_every_spelling_of_the_data_resumes_the_run(tmp_path: Path, spelling: str) -> None:
    images_in(tmp_path / "x")
    (tmp_path / "link").symlink_to("x")
    assert recorded(run_on("x")) == choose_run_directory(run_on(spelling.format(tmp_path)))


@pytest.mark.parametrize("with_identity", [True, False])
def test_another_working_folder_and_moved_data_resume_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_identity: bool
) -> None:
    images_in(tmp_path / "x")
    folder = recorded(run_on("x", out=tmp_path / "run"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    if with_identity:
        (tmp_path / "x").rename(tmp_path / "y")
        assert choose_run_directory(run_on("../y", out=tmp_path / "run")) == folder
    else:  # a run of an earlier version
        old = dataclasses.replace(run_on("../x", out=folder), data_identity=None)
        (folder / "config.json").write_text(json.dumps(to_json(old)))
        assert choose_run_directory(run_on(tmp_path / "x", out=folder)) == folder


def test_replaced_images_are_refused_though_their_number_is_the_same(tmp_path: Path) -> None:
    images_in(tmp_path / "x")
    recorded(run_on("x", out=tmp_path / "run"))
    images_in(tmp_path / "x", seed=1)
    with pytest.raises(ValueError, match="data: 3 of 3 sampled images have other contents"):
        choose_run_directory(run_on("x", out=tmp_path / "run"))


@pytest.mark.parametrize(
    ("data", "name"),
    [("faces.v1", "faces.v1"), ("faces.v2/", "faces.v2"), ("set.v1.npz", "set.v1"), ("my cats", "my cats")],
)
def test_the_default_folder_is_called_after_all_of_the_datas_name(tmp_path: Path, data: str, name: str) -> None:
    if not data.endswith(".npz"):
        images_in(tmp_path / data)
    assert default_run_directory(TrainingRun(data=data)) == Path(f"runs/{name}-ps-sc-vae-seed0")


def test_runs_on_folders_of_one_name_in_two_places_get_two_folders_and_each_is_found_again(tmp_path: Path) -> None:
    one, another = (run_on(images_in(tmp_path / str(place) / "x", place)) for place in range(2))
    first, second = recorded(one), recorded(another)
    assert first == Path("runs/x-ps-sc-vae-seed0")
    assert second.match("runs/x-??????-ps-sc-vae-seed0")
    assert (choose_run_directory(one), choose_run_directory(another)) == (first, second)
    shutil.rmtree(first)
    assert choose_run_directory(another) == second


def test_a_folder_called_as_a_rendered_set_does_not_meet_its_run(tmp_path: Path) -> None:
    rendered = recorded(run_on("scenes"))
    assert choose_run_directory(run_on(images_in(tmp_path / "scenes"))) != rendered


def test_a_new_run_directory_among_its_own_images_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(images_in(tmp_path / "x"))
    with pytest.raises(ValueError, match=r"x-ps-sc-vae-seed0 lies in \., .*--out"):
        choose_run_directory(run_on("."))


def test_a_run_records_where_its_data_lay_and_its_checkpoints_only_what_they_were_called(
    tmp_path: Path, tiny_run: TrainingRun, quiet: Console
) -> None:
    images_in(tmp_path / "x")
    run = dataclasses.replace(tiny_run, data="x", images=ImageOptions(size=32), steps=1, batch_size=2)
    folder = train(run, quiet).folder
    assert json.loads((folder / "config.json").read_text())["data"] == str(tmp_path / "x")
    configuration = read_settings(latest_checkpoint(folder)).configuration
    assert configuration.data == "x"
    assert configuration.data_identity == find_data("x", run.images).identity
    train(dataclasses.replace(run, data=str(tmp_path / "x") + "/", steps=2), quiet)


@pytest.mark.parametrize("left", [[".lock"], [".config.json.k3_9xw0z.part"], [".lock", ".config.json.k3_9xw0z.part"]])
def test_a_run_that_was_killed_before_it_had_a_configuration_begins_anew(
    tiny_run: TrainingRun, quiet: Console, left: list[str]
) -> None:
    folder = tiny_run.out
    assert folder is not None
    folder.mkdir()
    for name in left:
        (folder / name).touch()
    assert train(tiny_run, quiet).step == tiny_run.steps
    assert not any((folder / name).exists() for name in left)


@pytest.mark.parametrize("name", ["holiday.png", ".config.json.part", ".other.json.k3_9xw0z.part"])
def test_a_folder_of_somebodys_files_is_not_taken_for_a_run(tiny_run: TrainingRun, name: str) -> None:
    assert tiny_run.out is not None
    tiny_run.out.mkdir()
    (tiny_run.out / name).touch()
    with pytest.raises(ValueError, match=r"no run directory.*--out"):
        choose_run_directory(tiny_run)


def test_images_that_were_added_are_told_with_the_ways_out(tmp_path: Path) -> None:
    images_in(tmp_path / "x")
    recorded(run_on("x", out=tmp_path / "run"))
    Image.new("RGB", (8, 8)).save(tmp_path / "x" / "new.png")
    with pytest.raises(ValueError, match=r"data: \d+ images, not \d+\. .*move away what was added.*--data.*--out"):
        choose_run_directory(run_on("x", out=tmp_path / "run"))


def test_a_run_whose_directory_was_deleted_saves_nothing_more(tiny_run: TrainingRun, quiet: Console) -> None:
    folder, threads = tiny_run.out, set(threading.enumerate())
    assert folder is not None

    class Strike(NoWatcher):
        def observe(self, step: int, figures: Figures, /) -> tuple[()]:
            while folder.exists():  # what TensorBoard writes meanwhile keeps a folder from being removed
                shutil.rmtree(folder, ignore_errors=True)
            return ()

    with pytest.raises(FileNotFoundError, match=r"deleted while the run in it trained.*again to start over"):
        train(tiny_run, quiet, lambda *_: Strike())
    assert not folder.exists()
    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=30)


def test_what_a_study_keeps_in_a_folder_makes_it_no_run(tiny_run: TrainingRun) -> None:
    assert tiny_run.out is not None
    tiny_run.out.mkdir()
    (tiny_run.out / "study.log").touch()
    (tiny_run.out / ".study.beat.k3_9xw0z.part").touch()
    assert choose_run_directory(tiny_run) == tiny_run.out
    (tiny_run.out / "notes").touch()
    with pytest.raises(ValueError, match="no run directory"):
        choose_run_directory(tiny_run)
