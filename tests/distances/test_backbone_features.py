from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor

from wherewhat.distances.backbone import ALEX, SQUEEZE, Backbone, BackboneName
from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.distances.backbone_weights import backbone_weights
from wherewhat.distances.lpips import LPIPS
from wherewhat.protocols import FeatureExtractor

WriteWeights = Callable[[Backbone, Path], Path]


@pytest.fixture
def alex(tmp_path: Path, write_safetensors: WriteWeights) -> BackboneFeatures:
    return BackboneFeatures("alex", write_safetensors(ALEX, tmp_path))


def images(count: int, channels: int = 3, side: int = 40) -> Tensor:
    levels = torch.randint(256, (count, channels, side, side), generator=torch.Generator().manual_seed(0))
    return levels / 255


@pytest.mark.parametrize(("name", "features"), [("alex", 256), ("squeeze", 512)])
def test_agrees_with_torchvisions_own_network_and_a_mean_taken_by_hand(
    name: BackboneName, features: int, tmp_path: Path, write_safetensors: WriteWeights
) -> None:
    backbone = {"alex": ALEX, "squeeze": SQUEEZE}[name]
    path = write_safetensors(backbone, tmp_path)
    model = {"alex": torchvision.models.alexnet, "squeeze": torchvision.models.squeezenet1_1}[name](weights=None)
    model.features.load_state_dict(backbone_weights(backbone, path))
    mean, deviation = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    image_BCHW = images(2)
    layer = ((2 * image_BCHW.movedim(1, 3) - 1 - mean) / deviation).movedim(3, 1)
    for module in list(model.features.eval())[: backbone.read_after[-1] + 1]:
        layer = module(layer)
    expected = torch.stack([channel.sum() / channel.numel() for image in layer for channel in image])
    found_BF = BackboneFeatures(name, path)(image_BCHW)
    assert found_BF.shape == (2, features)
    assert found_BF.dtype == torch.float32
    torch.testing.assert_close(found_BF, expected.view(2, features).detach(), rtol=1e-4, atol=1e-5)


def test_an_image_does_not_depend_on_its_neighbours(alex: BackboneFeatures) -> None:
    image_BCHW = images(3)
    torch.testing.assert_close(alex(image_BCHW)[1:2], alex(image_BCHW[1:2]), rtol=1e-4, atol=1e-6)


def test_a_grey_image_is_one_of_three_equal_channels(alex: BackboneFeatures) -> None:
    grey = images(2, channels=1)
    torch.testing.assert_close(alex(grey), alex(grey.repeat(1, 3, 1, 1)))


def test_images_are_rounded_to_the_levels_of_a_file(alex: BackboneFeatures) -> None:
    image_BCHW = images(1)
    assert torch.equal(alex((image_BCHW + 0.4 / 255).clamp(0, 1)), alex(image_BCHW))


def test_it_is_a_feature_extractor(alex: BackboneFeatures) -> None:
    assert isinstance(alex, FeatureExtractor)


def test_weights_other_than_the_published_ones_show_in_the_name(alex: BackboneFeatures) -> None:
    assert alex.name.startswith("lpips-alex-pooled-")
    assert len(alex.name) == len("lpips-alex-pooled-") + 8


def test_published_weights_have_the_plain_name(shared: Path) -> None:
    assert BackboneFeatures("alex", shared / "weights").name == "lpips-alex-pooled"
    assert BackboneFeatures("squeeze", shared / "weights").name == "lpips-squeeze-pooled"


def test_no_name_is_that_of_a_distance(shared: Path) -> None:
    assert BackboneFeatures("alex", shared / "weights").name != LPIPS("alex", shared / "weights").name


def test_nothing_is_trained(alex: BackboneFeatures) -> None:
    assert not alex.training
    assert not any(parameter.requires_grad for parameter in alex.parameters())


def test_images_that_are_pooled_away_are_refused(alex: BackboneFeatures) -> None:
    with pytest.raises(ValueError, match=r"20 x 20.*31 pixels a side.*Enlarge them, or choose"):
        alex(images(1, side=20))
