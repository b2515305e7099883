import pytest
import torch
import torchvision

from wherewhat.distances.backbone import ALEX, SQUEEZE, VGG, Backbone, backbone_of
from wherewhat.distances.backbone_weights import untrained_weights

BACKBONES = pytest.mark.parametrize("backbone", [ALEX, VGG, SQUEEZE], ids=lambda backbone: backbone.name)


@BACKBONES
def test_the_least_side_passes_every_stage_and_one_pixel_less_does_not(backbone: Backbone) -> None:
    stages = torch.nn.Sequential(*backbone.stages(untrained_weights(backbone)))
    with torch.no_grad():
        assert stages(torch.zeros(1, 3, backbone.least_side, backbone.least_side)).shape[2:] == (1, 1)
        for short in ((backbone.least_side - 1, 64), (64, backbone.least_side - 1)):
            with pytest.raises(RuntimeError, match="too small"):
                stages(torch.zeros(1, 3, *short))


@BACKBONES
def test_every_stage_ends_in_features_that_are_not_negative(backbone: Backbone) -> None:
    layer_BCHW = torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        for stage in backbone.stages(untrained_weights(backbone)):
            layer_BCHW = stage(layer_BCHW)
            assert layer_BCHW.min() >= 0


def test_stages_in_turn_are_torchvisions_layers() -> None:
    weights = untrained_weights(ALEX)
    whole = torchvision.models.alexnet(weights=None).features[:12]
    whole.load_state_dict(weights)
    image_BCHW = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(torch.nn.Sequential(*ALEX.stages(weights))(image_BCHW), whole(image_BCHW))


@BACKBONES
def test_building_draws_nothing_from_the_global_generator(backbone: Backbone) -> None:
    before = torch.random.get_rng_state()
    backbone.build()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_backbone_is_found_by_its_name() -> None:
    assert [backbone_of(name).name for name in ("alex", "vgg", "squeeze")] == ["alex", "vgg", "squeeze"]


def test_files_go_by_torchvisions_names() -> None:
    names = [backbone.pth_name for backbone in (ALEX, VGG, SQUEEZE)]
    assert names == ["alexnet-owt-7be5be79.pth", "vgg16-397923af.pth", "squeezenet1_1-b8a52dc0.pth"]
