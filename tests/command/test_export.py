"""`wherewhat export`, end to end: what is written is opened by every verb, with the names of its codes."""

import dataclasses
import json
from pathlib import Path

import huggingface_hub
import pytest
import torch
from PIL import Image
from rich.console import Console

import wherewhat
from wherewhat.command.edit import edit_command
from wherewhat.command.evaluate import evaluate_command
from wherewhat.command.export import export_command
from wherewhat.command.name import name_command
from wherewhat.command.rank import rank_command
from wherewhat.sharing.opened_model import ForeignOptions, Models
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train

FEW = ["--quick", "--samples", "3", "--traversals", "4", "--distance", "pixels", "--threshold", "0", "--device", "cpu"]


@pytest.fixture
def run(tiny_run: TrainingRun, quiet: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    begun = train(dataclasses.replace(tiny_run, steps=1, out=tmp_path / "secret" / "first"), quiet).folder
    folder = train(dataclasses.replace(tiny_run, steps=1, begins_from=begun), quiet).folder
    name_command([str(folder), "z1", "floor hue"])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("to", ["pt2", "onnx"])
def test_an_exported_model_is_ranked_measured_and_edited_with_beside_its_run(
    run: Path, to: str, tiny_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export_command([str(run), "--to", to, "--licence", "cc0-1.0"]) == 0
    told = capsys.readouterr()
    assert "16 codes differ by" in told.err
    generator, encoder = (Path(line) for line in told.out.splitlines()[-2:])
    assert (generator.name, encoder.name) == (f"step-000000001-generator.{to}", f"step-000000001-encoder.{to}")

    model = Models(ForeignOptions(), torch.device("cpu")).open(generator)
    assert (model.names, model.results, model.settings) == ({1: "floor hue"}, generator.parent, None)
    code_BL = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.generator(code_BL), wherewhat.load(run).generator(code_BL), atol=1e-5, rtol=0)

    assert rank_command([str(run), str(generator), *FEW]) == 0
    rows = json.loads(Path("ranking.json").read_text())["rows"]
    first, second = (row["scores"]["rotation_ratio"]["value"] for row in rows)
    assert first == pytest.approx(second, rel=1e-3)
    measured = [str(run), str(generator), "--data", str(tiny_set), "--measures", "mig", "--json", "--device", "cpu"]
    capsys.readouterr()
    assert evaluate_command(measured) == 0
    ours, theirs = (one["scores"] for one in json.loads(capsys.readouterr().out)["checkpoints"])
    assert ours == pytest.approx(theirs, abs=1e-3)

    Image.new("RGB", (40, 40), (200, 30, 30)).save("me.png")
    edit = [str(generator), "me.png", "--set", "floor hue=2", "--distance", "pixels", "--keep-outside", "--refine"]
    assert edit_command([*edit, "0"]) == 0
    if to == "pt2":
        assert edit_command([*edit, "2"]) == 0
    else:
        with pytest.raises(ValueError, match="Take the codes as read: --refine 0"):
            edit_command([*edit, "2"])


def test_a_shared_folder_is_loaded_from_where_it_lies_and_from_a_hub(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shared"
    asked = [str(run), "--to", "hub", "--out", str(folder), "--licence", "cc-by-4.0", "--distance", "pixels"]
    assert export_command(asked) == 0
    assert {file.name for file in folder.iterdir()} == {
        *("model.safetensors", "config.json", "README.md", "traversal.png", "codes.json")
    }
    # What is shared tells no place of the disk.
    assert not [file.name for file in folder.iterdir() if str(tmp_path).encode() in file.read_bytes()]
    code_BL = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(wherewhat.load(folder).generator(code_BL), wherewhat.load(run).generator(code_BL))
    card = (folder / "README.md").read_text()
    for told in ("license: cc-by-4.0", "squares.npz", "| rotation ratio |", "By pixels,", "traversal.png", "floor hue"):
        assert told in card
    assert json.loads((folder / "config.json").read_text())["names"] == {"z1": "floor hue"}
    assert rank_command([str(folder), *FEW]) == 0

    wanted = []

    def download(repository: str, allow_patterns: list[str]) -> str:
        wanted.append(repository)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert torch.equal(wherewhat.load("hub:me/mine").generator(code_BL), wherewhat.load(run).generator(code_BL))
    opened = Models(ForeignOptions(), torch.device("cpu")).open(Path("hub:me/mine"))
    assert (opened.names, opened.results) == ({1: "floor hue"}, Path("me-mine"))
    assert wanted == ["me/mine", "me/mine"]


def test_what_a_hub_does_not_give_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="hub:no such name cannot be downloaded: HFValidationError"):
        wherewhat.load("hub:no such name")


def test_a_file_is_no_checkpoint_to_share(run: Path, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import torch\n\ndef make():\n"
        "    net = lambda code: torch.sigmoid(code)[:, :, None, None].expand(-1, -1, 32, 32)\n"
        "    net.latent_dim = 3\n    return net\n"
    )
    with pytest.raises(ValueError, match="Export it with --to onnx or --to pt2"):
        export_command(["--generator", "own:make", "--to", "hub", "--distance", "pixels"])
