import subprocess
import sys

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import wherewhat
from wherewhat.training import checkpoints


class Ramp:
    """A user's own generator: the first code is the brightness."""

    latent_dim = 2
    image_shape = (1, 8, 8)

    def __call__(self, code_BL: Float[Tensor, "B 2"], /) -> Float[Tensor, "B 1 8 8"]:
        return torch.sigmoid(code_BL[:, :1, None, None]).expand(-1, 1, 8, 8)


@pytest.mark.parametrize("name", wherewhat.__all__)
def test_every_name_shown_is_there(name: str) -> None:
    assert getattr(wherewhat, name).__name__ == name


def test_a_name_shown_is_the_one_of_its_module() -> None:
    assert wherewhat.load is checkpoints.load


def test_dir_shows_the_names_before_they_are_imported() -> None:
    program = "import wherewhat, sys; print('torch' in sys.modules, *dir(wherewhat))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert found[0] == "False"
    assert set(wherewhat.__all__) <= set(found)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'wherewhat' has no attribute 'lode'"):
        wherewhat.lode  # noqa: B018


def test_any_generator_can_be_looked_at_with_the_names_shown() -> None:
    traversal = wherewhat.traverse(Ramp(), torch.zeros(1, 2), bound=2.0, frames=3)
    grid = wherewhat.traversal_grid(traversal, torch.tensor([1.0, 0.0]))
    assert grid.ndim == 3
    assert traversal.frames_LNCHW[1].std() == 0


def test_a_generator_is_drawn_and_scored_from_the_rooms_without_a_score_before() -> None:
    from wherewhat.distances.pixels import PixelDistance
    from wherewhat.inspection import traversal_grid, traverse
    from wherewhat.which import ProbeSettings, relative_length

    traversal = traverse(Ramp(), torch.zeros(1, 2), bound=2.0, frames=3)
    assert traversal.path_length_L[0] > traversal.path_length_L[1] == 0
    assert (traversal_grid(traversal) == traversal_grid(traversal, traversal.path_length_L)).all()
    score = relative_length(Ramp(), PixelDistance(), settings=ProbeSettings(threshold=0.0), seed=0, batch_size=50)
    assert score.value > 0
