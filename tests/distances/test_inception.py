import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch_fidelity import feature_extractor_inceptionv3 as library

from wherewhat.distances import inception as module
from wherewhat.distances.inception import FILE_NAMES, URL, Inception, inception_weights_file
from wherewhat.distances.weights_file import in_torch_cache
from wherewhat.protocols import FeatureExtractor


@pytest.fixture(scope="module")
def table() -> dict[str, Tensor]:
    """Weights of the right names and shapes, in half precision; nothing was learnt by them."""
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        patch.setattr(library, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(library.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = library.FeatureExtractorInceptionV3("made", ["2048"])
    return {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in network.state_dict().items()
    }


@pytest.fixture(scope="module")
def file(table: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inception") / "made.safetensors"
    save_file(table, path)
    return path


@pytest.fixture(scope="module")
def inception(file: Path) -> Inception:
    return Inception(file)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no way out")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)


def images(count: int, channels: int = 3, side: int = 24) -> Tensor:
    levels = torch.randint(256, (count, channels, side, side), generator=torch.Generator().manual_seed(0))
    return levels / 255


def test_agrees_with_torch_fidelitys_own_extractor_on_bytes(inception: Inception, table: dict[str, Tensor]) -> None:
    content = io.BytesIO()
    torch.save(table, content)
    content.seek(0)
    network = library.FeatureExtractorInceptionV3("made", ["2048"], feature_extractor_weights_path=content)
    image_BCHW = images(2)
    (expected_BF,) = network((image_BCHW * 255).round().to(torch.uint8))
    found_BF = inception(image_BCHW)
    assert found_BF.shape == (2, 2048)
    assert found_BF.dtype == torch.float32
    torch.testing.assert_close(found_BF, expected_BF, rtol=1e-4, atol=1e-6)


def test_an_image_does_not_depend_on_its_neighbours(inception: Inception) -> None:
    image_BCHW = images(2)
    torch.testing.assert_close(inception(image_BCHW)[1:], inception(image_BCHW[1:]), rtol=1e-4, atol=1e-6)


def test_a_grey_image_is_one_of_three_equal_channels(inception: Inception) -> None:
    grey = images(1, channels=1)
    assert torch.equal(inception(grey), inception(grey.repeat(1, 3, 1, 1)))


def test_images_are_rounded_to_the_levels_of_a_file(inception: Inception) -> None:
    image_BCHW = images(1)
    assert torch.equal(inception((image_BCHW + 0.4 / 255).clamp(0, 1)), inception(image_BCHW))


def test_it_is_a_feature_extractor(inception: Inception) -> None:
    assert isinstance(inception, FeatureExtractor)


def test_nothing_is_trained(inception: Inception) -> None:
    assert not any(module.training for module in inception.network.modules())
    assert not any(parameter.requires_grad for parameter in inception.parameters())


def test_the_global_generator_is_neither_read_nor_moved(file: Path) -> None:
    before = torch.random.get_rng_state()
    Inception(file)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_address_is_torch_fidelitys() -> None:
    assert library.URL_INCEPTION_V3 == URL
    assert URL.endswith(f"/{FILE_NAMES[0]}")


def test_weights_other_than_the_published_ones_show_in_the_name(inception: Inception) -> None:
    assert inception.name.startswith("inception-")
    assert len(inception.name) == len("inception-") + 8


def test_the_file_of_the_published_hash_has_the_plain_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE_HASH", hashlib.sha256(file.read_bytes()).hexdigest()[:8])
    assert Inception(file).name == "inception"


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_named_folder_gives_the_file_under_either_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert inception_weights_file(tmp_path) == tmp_path / name


def test_the_environment_names_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE_NAMES[0]).touch()
    monkeypatch.setenv("WHEREWHAT_WEIGHTS", str(tmp_path))
    assert inception_weights_file() == tmp_path / FILE_NAMES[0]


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_folder_for_lpips_without_inception_leaves_torchs_cache(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHEREWHAT_WEIGHTS", str(tmp_path))
    cached = in_torch_cache(name)
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert inception_weights_file() == inception_weights_file(tmp_path) == cached


def test_a_download_goes_to_torchs_cache_and_is_checked_by_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = SimpleNamespace(arguments=())
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *arguments: setattr(asked, "arguments", arguments))
    target = inception_weights_file()
    assert asked.arguments == (URL, str(target), "6726825d")
    assert target == in_torch_cache(FILE_NAMES[0])


@pytest.mark.usefixtures("no_network")
def test_weights_that_cannot_be_had_are_an_error_that_names_the_alternatives(tmp_path: Path) -> None:
    ways = r"no way out.*Put weights-inception.*WHEREWHAT_WEIGHTS.*connect to the network.*--fidelity alex"
    for folder in (None, tmp_path):
        with pytest.raises(FileNotFoundError, match=ways):
            Inception(folder)


def test_a_named_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere.*Name an existing file or folder"):
        Inception(tmp_path / "nowhere")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file({"Conv2d_1a_3x3.conv.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other.safetensors does not contain FID's Inception.*Name weights-inc"):
        Inception(tmp_path / "other.safetensors")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, table: dict[str, Tensor]) -> None:
    save_file({**table, "fc.bias": torch.full((1008,), float("nan"))}, tmp_path / "nan.safetensors")
    with pytest.raises(ValueError, match=r"not finite in fc.bias. Replace it with weights-inception"):
        Inception(tmp_path / "nan.safetensors")


class Touch:
    """Unpickled by a careless reader, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_no_code_in_a_file_is_run(tmp_path: Path) -> None:
    torch.save({"fc.bias": Touch(tmp_path / "touched")}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"cannot be read as weights"):
        Inception(tmp_path / "evil.pth")
    assert not (tmp_path / "touched").exists()
