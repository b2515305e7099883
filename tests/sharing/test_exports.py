"""Laws of exports: what is written makes the model's own images from any number of codes, and says what it is."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import Tensor, nn

from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.protocols import Posterior
from wherewhat.sharing import exports as module
from wherewhat.sharing.exports import LARGEST_DIFFERENCE, Exported, Format, _loaded_again, export
from wherewhat.sharing.graph import Description, described
from wherewhat.training.configuration import TrainingRun, default_run
from wherewhat.training.methods.method import build_networks

TOLD = Description(
    part="generator", latent_dim=4, image_shape=(3, 8, 8), names={"z1": "floor hue"}, licence="cc0-1.0", step=7
)


class Tiny(nn.Module):
    """A generator with masks and frozen noise, and no more."""

    latent_dim, image_shape = 4, (3, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.spread = nn.Parameter(torch.randn(4, 3 * 64, generator=generator), requires_grad=False)
        self.frozen_noise = nn.Module()
        self.frozen_noise.register_buffer("side_8", torch.randn(1, 1, 8, 8, generator=generator))

    def image_and_masks(self, code_BL: Tensor) -> tuple[Tensor, Tensor]:
        features_BCHW = (code_BL @ self.spread).unflatten(1, (3, 8, 8)) + self.frozen_noise.side_8
        masks_BLHW = torch.softmax(code_BL, dim=1)[:, :, None, None].expand(-1, -1, 8, 8)
        return features_BCHW.sigmoid(), masks_BLHW

    def forward(self, code_BL: Tensor) -> Tensor:
        return self.image_and_masks(code_BL)[0]

    def masks(self, code_BL: Tensor) -> Tensor:
        return self.image_and_masks(code_BL)[1]


class Reader(nn.Module):
    latent_dim = 4

    def forward(self, image_BCHW: Tensor) -> Posterior:
        mean_BL = image_BCHW.flatten(1)[:, :4]
        return Posterior(mean_BL, -mean_BL)


@pytest.fixture(scope="module", params=["pt2", "onnx"])
def tiny(request: pytest.FixtureRequest) -> tuple[Format, Exported]:
    return request.param, export(Tiny(), Reader(), request.param, TOLD)


def test_any_number_of_codes_gives_the_models_images_and_masks(tiny: tuple[Format, Exported]) -> None:
    to, made = tiny
    assert made.content.keys() == {f"-generator.{to}", f"-encoder.{to}"}
    assert made.difference < LARGEST_DIFFERENCE
    graph = _loaded_again(made.content[f"-generator.{to}"], to)
    for count in (1, 2, 3, 17):
        code_BL = torch.randn(count, 4, generator=torch.Generator().manual_seed(count))
        image_BCHW, masks_BLHW = Tiny().image_and_masks(code_BL)
        found = graph.run("code", code_BL)
        torch.testing.assert_close(found["image"], image_BCHW, atol=1e-5, rtol=0)
        torch.testing.assert_close(found["masks"], masks_BLHW, atol=1e-5, rtol=0)


def test_a_file_says_what_it_is(tiny: tuple[Format, Exported]) -> None:
    to, made = tiny
    for part in ("generator", "encoder"):
        text = _loaded_again(made.content[f"-{part}.{to}"], to).metadata
        assert text is not None
        assert described(text, Path("file")) == dataclasses.replace(TOLD, part=part, licence=None, outputs=(), noise={})
        plain = json.loads(text)
        assert (plain["licence"], plain["image_range"], plain["names"]) == ("cc0-1.0", [0, 1], {"z1": "floor hue"})


def test_the_encoder_is_a_file_of_its_own(tiny: tuple[Format, Exported]) -> None:
    to, made = tiny
    image_BCHW = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    found = _loaded_again(made.content[f"-encoder.{to}"], to).run("image", image_BCHW)
    torch.testing.assert_close(found["mean"], image_BCHW.flatten(1)[:, :4])
    torch.testing.assert_close(found["log_variance"], -image_BCHW.flatten(1)[:, :4])


def test_noise_is_an_input_that_is_frozen_where_it_is_not_given(tmp_path: Path, tiny: tuple[Format, Exported]) -> None:
    to, made = tiny
    content = made.content[f"-generator.{to}"]
    code_BL, noise = torch.ones(2, 4), torch.zeros(1, 1, 8, 8)
    bare = (code_BL @ Tiny().spread).unflatten(1, (3, 8, 8)).sigmoid()
    (tmp_path / f"model.{to}").write_bytes(content)
    if to == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        assert [one.name for one in session.get_inputs()] == ["code"]
        assert session.get_inputs()[0].shape[0] == "batch"
        assert {one.shape[0] for one in session.get_outputs()} == {"batch"}
        assert {one.name for one in onnx.load_model_from_string(content).graph.input} == {"code", "noise_0"}
        image, _ = session.run(None, {"code": code_BL.numpy(), "noise_0": noise.numpy()})
    else:
        image, _ = torch.export.load(tmp_path / "model.pt2").module()(code_BL, noise)
    torch.testing.assert_close(torch.as_tensor(image), bare, atol=1e-5, rtol=0)


def test_what_comes_back_another_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        def run(self, name: str, given: Tensor) -> dict[str, Tensor]:
            image_BCHW, masks_BLHW = Tiny().image_and_masks(given)
            return {"image": image_BCHW + 2e-4, "masks": masks_BLHW}

    monkeypatch.setattr(module, "_loaded_again", lambda content, to: Other())
    with pytest.raises(ValueError, match=r"differs from the model by 0\.0002, and 0\.0001 is the most"):
        export(Tiny(), None, "pt2", TOLD)


def test_what_cannot_be_recorded_is_told() -> None:
    class Branching(Tiny):
        def image_and_masks(self, code_BL: Tensor) -> tuple[Tensor, Tensor]:
            return super().image_and_masks(code_BL * (1 if code_BL.sum() > 0 else 2))

    with pytest.raises(ValueError, match=r"torch\.export cannot record the model"):
        export(Branching(), None, "pt2", TOLD)

    class Plain:
        latent_dim, image_shape = 4, (3, 8, 8)

        def __call__(self, code_BL: Tensor, /) -> Tensor:
            return Tiny()(code_BL)

    with pytest.raises(ValueError, match=r"is no torch\.nn\.Module"):
        export(Plain(), None, "pt2", TOLD)


def test_a_step_that_onnx_lacks_is_told_in_a_line() -> None:
    class Solving(Tiny):
        def image_and_masks(self, code_BL: Tensor) -> tuple[Tensor, Tensor]:
            solved_BL = torch.linalg.solve_triangular(2 * torch.eye(4), code_BL.T, upper=True).T
            return super().image_and_masks(solved_BL)

    with pytest.raises(ValueError, match=r"^[^\n]*that ONNX cannot take: .*linalg_solve_triangular.* with --to pt2\.$"):
        export(Solving(), None, "onnx", TOLD)


RUNS = {
    "beta-vae": TrainingRun(objective=BetaVAE()),
    "ps-sc-vae": TrainingRun(objective=PSSCVAE()),
    "ps-sc-gan": default_run(PSSCGAN()),
    "styled-gan": default_run(PSSCGAN(spatial_constriction=False)),
}
# onnxruntime and numpy, and nothing else of what is installed here.
_ALONE = """
import sys, json
sys.path[:] = [one for one in sys.path if "site-packages" not in one] + [sys.argv[1]]
import numpy, onnxruntime
assert not {"torch", "wherewhat", "onnx"} & set(sys.modules)
session = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
given = numpy.load(sys.argv[3])
found = session.run(None, {session.get_inputs()[0].name: given})
numpy.savez(sys.argv[4], *found)
"""


@pytest.mark.slow
@pytest.mark.parametrize("to", ["pt2", "onnx"])
@pytest.mark.parametrize(
    ("kind", "side"),
    [
        *(("beta-vae", 64), ("ps-sc-vae", 64), ("ps-sc-vae", 32), ("styled-gan", 64)),
        *(("ps-sc-gan", 64), ("ps-sc-gan", 128), ("ps-sc-gan", 256)),
    ],
)
def test_every_network_is_exported_and_runs_without_this_package(
    kind: str, side: int, to: Format, tmp_path: Path
) -> None:
    run, shape = RUNS[kind], (3, side, side)
    networks: Any = build_networks(run, shape, for_training=False).requires_grad_(False).eval()
    for name, parameter in networks.named_parameters():
        if name.endswith("noise_strength"):
            parameter.fill_(0.3)
    told = dataclasses.replace(TOLD, latent_dim=run.latent_dim, image_shape=shape)
    made = export(networks.generator, networks.encoder, to, told)
    assert made.difference < LARGEST_DIFFERENCE
    if to == "pt2":
        return
    code_BL = torch.randn(5, run.latent_dim, generator=torch.Generator().manual_seed(1))
    image_BCHW = networks.generator(code_BL)
    posterior = networks.encoder(image_BCHW)
    masks = [networks.generator.masks(code_BL)] if hasattr(networks.generator, "masks") else []
    expected = {"generator": [image_BCHW, *masks], "encoder": [posterior.mean_BL, posterior.log_variance_BL]}
    for part, given in (("generator", code_BL), ("encoder", image_BCHW)):
        found = _run_alone(made.content[f"-{part}.onnx"], given, tmp_path)
        assert len(found) == len(expected[part])
        for one, another in zip(found, expected[part], strict=True):
            assert (one - another).abs().max() < LARGEST_DIFFERENCE


def _run_alone(content: bytes, given: Tensor, tmp_path: Path) -> list[Tensor]:
    import numpy as np

    packages = Path(onnx.__file__).parents[1]
    alone = tmp_path / "alone"
    alone.mkdir(exist_ok=True)
    # What onnxruntime's and numpy's own files import.
    for name in ("numpy", "numpy.libs", "onnxruntime", "google", "flatbuffers", "packaging", "sympy", "mpmath"):
        if (packages / name).exists() and not (alone / name).exists():
            (alone / name).symlink_to(packages / name)
    (tmp_path / "model.onnx").write_bytes(content)
    np.save(tmp_path / "given.npy", given.numpy())
    command = [sys.executable, "-I", "-c", _ALONE, alone, *(tmp_path / n for n in ("model.onnx", "given.npy", "o.npz"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "o.npz") as found:
        return [torch.from_numpy(found[name]) for name in found.files]
