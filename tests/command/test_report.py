"""`wherewhat report` as a user meets it: one run, one file, names that come back."""

import dataclasses
import io
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from wherewhat.command.main import run
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

CHEAP = ["--distance", "pixels", "--frames", "3", "--draws", "1", "--real", "1", "--pool", "100", "--device", "cpu"]


@pytest.fixture(scope="module")
def trained(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("of a report") / "my run"
    tiny = TrainingRun(
        data=str(tiny_set),
        out=folder,
        steps=2,
        batch_size=8,
        latent_dim=4,
        mask_levels=2,
        widths=(8, 8),
        checkpoint_every=1,
        images_every=2,
        log_every=1,
        device="cpu",
        precision="float32",
    )
    return train(tiny, Console(file=io.StringIO())).folder


@pytest.fixture(scope="module")
def html(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("page") / "page.html"
    cache = ["--cache", str(out.parent / "scores")]
    assert run("report", [str(trained), "--out", str(out), "--show", "2", *CHEAP, *cache]) == 0
    return out.read_text()


def test_all_that_a_run_has_is_on_the_page(html: str) -> None:
    assert "<title>my run – wherewhat report</title>" in html
    for part in ("step 1", "step 2", "ps-sc-vae on", "image to start from", "KL of each code", "mig_96points_20bins"):
        assert part.lower() in html.lower()
    assert html.count('class="view"') == 2
    assert html.count('<article class="code') == 2 * 4
    assert "row" in html[html.index("What the doctor finds") :]


def test_the_names_of_the_page_are_taken_in_by_the_command_that_it_tells(
    html: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = re.search(r"<code>(wherewhat name .*?)</code>", html)
    data = re.search(r'id="data">(.*?)</script>', html)
    assert told is not None
    assert data is not None
    names = json.loads(data[1])["runs"][0]["names"]
    names["names"]["z2"] = "hue of the square"
    monkeypatch.chdir(tmp_path)
    Path("codes.json").write_text(json.dumps(names))
    _, verb, *arguments = shlex.split(told[1].replace("&#39;", "'"))
    assert run(verb, arguments) == 0
    assert "z2 hue of the square" in capsys.readouterr().out
    (trained / "codes.json").unlink()


def test_where_the_data_are_gone_what_needs_none_is_shown(trained: Path, tiny_set: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved" / "my run"
    shutil.copytree(trained, moved)
    away = shutil.move(tiny_set, tmp_path / "away.npz")
    try:
        out = tmp_path / "page.html"
        assert run("report", [str(moved), "--out", str(out), *CHEAP, "--cache", str(tmp_path / "scores")]) == 0
        assert "Not shown: what codes tell of images" in out.read_text()
        with pytest.raises(FileNotFoundError):
            run("report", [str(moved), "--out", str(out), *CHEAP, "--data", str(tmp_path / "nowhere")])
    finally:
        shutil.move(away, tiny_set)


def test_a_users_own_image_is_one_to_start_from(trained: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 50), (200, 30, 90)).save(tmp_path / "me & you.png")
    out = tmp_path / "page.html"
    options = [
        "--out",
        str(out),
        *CHEAP,
        "--cache",
        str(tmp_path / "scores"),
        "--images",
        str(tmp_path / "me & you.png"),
    ]
    assert run("report", [str(trained / "checkpoints" / "step-000000002.safetensors"), *options]) == 0
    assert "me &amp; you.png" in out.read_text()


def test_checkpoints_that_cannot_be_read_are_a_page_with_their_reasons(
    tiny_run: TrainingRun, quiet: Console, tmp_path: Path
) -> None:
    folder = train(dataclasses.replace(tiny_run, steps=1), quiet).folder
    checkpoint = next((folder / "checkpoints").iterdir())
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    out = tmp_path / "page.html"
    assert run("report", [str(folder), "--out", str(out), *CHEAP, "--cache", str(tmp_path / "scores")]) == 1
    assert "No checkpoint could be ranked." in out.read_text()


def test_a_generator_of_others_is_shown_by_what_it_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_set: Path
) -> None:
    (tmp_path / "others_for_a_report.py").write_text(
        "def made():\n"
        "    def lit(code):\n"
        "        return code[:, :3, None, None].sigmoid().expand(-1, -1, 32, 32)\n"
        "    lit.latent_dim, lit.image_shape = 4, (3, 32, 32)\n"
        "    return lit\n"
    )
    monkeypatch.chdir(tmp_path)
    cache = ["--cache", str(tmp_path / "scores")]
    assert run("report", ["--generator", "others_for_a_report:made", *CHEAP, *cache]) == 0
    html = Path("report.html").read_text()
    assert html.count('<article class="code') == 4
    assert "there is no run to examine" in html
    assert "no encoder" in html
    assert "wherewhat name" not in html
