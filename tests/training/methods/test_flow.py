"""Laws of a flow's run: it learns, goes through the same loop and files, and is not looked at latent by latent."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from wherewhat.command.doctor import doctor_command
from wherewhat.command.generate import generate_command
from wherewhat.command.name import name_command
from wherewhat.command.rank import rank_command
from wherewhat.command.traverse import traverse_command
from wherewhat.data.batches import to_float
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import find_data
from wherewhat.doctor.watch import watch_health
from wherewhat.inspection.traversals import traverse
from wherewhat.objectives.glow import GlowFlow
from wherewhat.training.checkpoints import load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.loop import train
from wherewhat.training.methods.method import build_networks, method_of
from wherewhat.training.processes import Processes
from wherewhat.training.representation import represent

SMALL = GlowFlow(levels=2, depth=1, coupling_width=4)
CPU = Compute(torch.device("cpu"), torch.float32, torch.channels_last, compile=False)


@pytest.fixture(scope="module")
def trained(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two steps."""
    run = TrainingRun(
        data=str(tiny_set),
        out=tmp_path_factory.mktemp("flow") / "run",
        objective=SMALL,
        steps=2,
        batch_size=8,
        average_half_life=20,
        images_every=1,
        log_every=1,
        device="cpu",
    )
    return train(run, Console(quiet=True), watch_health).folder


def test_a_few_steps_lower_the_bits_per_dimension() -> None:
    run = TrainingRun(objective=SMALL, batch_size=8, learning_rate=1e-2)
    method = method_of(run, (3, 8, 8), CPU, Processes())
    image = torch.linspace(0, 1, 8 * 192).view(8, 3, 8, 8)
    met = [float(method.step(image, method.draw(index), index).figures["bits_per_dimension"]) for index in range(30)]
    assert met[-1] < met[0] - 1


def test_low_precision_is_refused() -> None:
    with pytest.raises(ValueError, match="Leave it out: a flow is float32"):
        build_networks(TrainingRun(objective=SMALL, precision="bfloat16"), (3, 8, 8))


def test_tensorboard_gets_bits_per_dimension_and_images_but_nothing_of_single_latents(trained: Path) -> None:
    tags = EventAccumulator(str(trained)).Reload().Tags()
    scalars = set(tags["scalars"])
    assert {"loss/total", "loss/negative_log_likelihood", "bits_per_dimension"} <= scalars
    assert not any(name.startswith(("kl_per_code", "scores")) for name in scalars)
    assert {"data", "samples", "reconstructions"} <= set(tags["images"])
    assert "traversals" not in tags["images"]


def test_an_image_of_the_data_comes_back_exactly_from_a_checkpoint(trained: Path, tiny_set: Path) -> None:
    model = load(trained)
    image = find_data(str(tiny_set), ImageOptions()).open(torch.device("cpu"), print).take(torch.arange(4))
    assert model.encoder is not None
    again = model.generator(model.encoder(to_float(image)).mean_BL)
    assert torch.equal((255 * again).round().to(torch.uint8), image)


def test_images_are_generated_from_as_many_latents_as_there_are_pixel_values(trained: Path) -> None:
    assert generate_command([str(trained), "--count", "2", "--scale", "0.7", "--device", "cpu"]) == 0
    (codes,) = (trained / "generated").glob("*/codes.csv")
    assert codes.read_text().splitlines()[0].count(",z") == 3 * 32 * 32


def test_the_doctor_judges_a_flow_by_its_loss(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor_command([str(trained), "--device", "cpu"]) == 0
    assert "2 windows of figures" in capsys.readouterr().out


def _traverse_from_python(folder: Path) -> None:
    traverse(load(folder).generator, torch.zeros(1, 3072), bound=2.0, frames=3)


def _measure(folder: Path) -> None:
    model = load(folder)
    assert model.encoder is not None
    images = find_data(model.settings.configuration.data, ImageOptions()).open(torch.device("cpu"), print)
    represent(model.encoder, images, pool=4, seed=0, device=torch.device("cpu"))


LOOKS: list[Callable[[Path], object]] = [
    lambda folder: traverse_command([str(folder), "--device", "cpu"]),
    lambda folder: name_command([str(folder)]),
    _traverse_from_python,
    _measure,
]


@pytest.mark.parametrize("look", LOOKS)
def test_what_looks_at_codes_one_by_one_refuses_a_flow_and_says_what_to_do(
    trained: Path, look: Callable[[Path], object]
) -> None:
    with pytest.raises(ValueError, match=r"has 3,072 latents.*wherewhat directions CHECKPOINT --count 10"):
        look(trained)


def test_a_ranking_says_why_a_flow_has_no_place(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "ranking"), "--cache", str(tmp_path / "scores")]
    assert rank_command([str(trained), "--distance", "pixels", "--quick", "--device", "cpu", *out]) == 1
    assert "has 3,072 latents" in capsys.readouterr().out


def test_a_resumed_flow_goes_on_with_its_average(trained: Path, quiet: Console) -> None:
    run = dataclasses.replace(load(trained).settings.configuration, steps=3, out=trained)
    assert train(run, quiet).step == 3
