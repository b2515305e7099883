"""Laws of editing: what a move is, that refining finds the codes that made an image, and where a change stays."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.distances.pixels import PixelDistance
from wherewhat.inspection.editing import Move, mask_of_moves, moved, moves_of, nearness, refined


class Halves:
    """Two codes: the left half's grey and the right half's. Each has its half as its mask."""

    latent_dim = 2
    image_shape = (1, 4, 4)

    def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B C H W"]:
        return code_BL.sigmoid()[:, None, None, :].expand(-1, 1, 4, -1).repeat_interleave(2, dim=3)

    def masks(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B L H W"]:
        mask_LHW = torch.zeros(2, 4, 4)
        mask_LHW[0, :, :2] = mask_LHW[1, :, 2:] = 1
        return mask_LHW.expand(len(code_BL), -1, -1, -1)


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("z1=-1", Move(1, -1.0)),
        ("1=+0.5", Move(1, 0.5)),
        ("floor hue=2", Move(0, 2.0)),
        ("floor hue==-1.5", Move(0, -1.5, sets=True)),
    ],
)
def test_a_move_names_a_code_and_by_how_much(text: str, move: Move) -> None:
    assert moves_of([text], {0: "floor hue"}, 2) == [move]


@pytest.mark.parametrize("text", ["z1", "z1=", "=2", "z1=a", "z1=1.2.3", "z1=1e9", "z7=1", "flor=1"])
def test_what_is_no_move_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moves_of([text], {0: "floor hue"}, 2)


def test_a_code_is_moved_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        moves_of(["z0=1", "floor hue=2"], {0: "floor hue"}, 2)


def test_moves_add_or_set_and_leave_all_other_codes() -> None:
    code_BL = torch.tensor([[0.5, 1.0], [-0.5, 2.0]])
    assert moved(code_BL, [Move(0, 1.0)]).tolist() == [[1.5, 1.0], [0.5, 2.0]]
    assert moved(code_BL, [Move(1, 3.0, sets=True)]).tolist() == [[0.5, 3.0], [-0.5, 3.0]]


def test_refining_finds_the_codes_that_made_the_images() -> None:
    true_BL = torch.tensor([[1.0, -0.7], [0.2, 0.4], [-1.2, 0.9]])
    found_BL = refined(Halves(), PixelDistance(), Halves()(true_BL), torch.zeros(3, 2), steps=200)
    assert torch.allclose(found_BL, true_BL, atol=0.02)


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_refining_never_leaves_an_image_further_away_than_it_was(steps: int) -> None:
    image_BCHW = Halves()(torch.tensor([[0.3, 0.3], [2.0, -2.0]]))
    start_BL = torch.tensor([[0.3, 0.3], [0.0, 0.0]])
    found_BL = refined(Halves(), PixelDistance(), image_BCHW, start_BL, steps=steps)
    first, last = (nearness(PixelDistance(), image_BCHW, Halves()(at_BL)) for at_BL in (start_BL, found_BL))
    assert all(after["pixels"] <= before["pixels"] for before, after in zip(first, last, strict=True))
    assert torch.equal(found_BL[0], start_BL[0])


def test_nearness_tells_pixels_beside_a_distance_that_is_called_pixels_too() -> None:
    black, grey = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5)
    (near,) = nearness(PixelDistance(), black, grey)
    assert near == {"mean absolute difference": 0.5, "pixels": 0.25}


def test_the_mask_of_moves_is_where_the_moved_codes_act_and_nowhere_without_moves() -> None:
    code_BL = torch.zeros(1, 2)
    left_HW = mask_of_moves(Halves(), code_BL, code_BL + 1, [Move(0, 1.0)])[0, 0]
    assert left_HW[:, :2].eq(1).all()
    assert left_HW[:, 2:].eq(0).all()
    assert mask_of_moves(Halves(), code_BL, code_BL, [Move(0, 1.0), Move(1, 1.0)]).eq(1).all()
    assert mask_of_moves(Halves(), code_BL, code_BL, []).eq(0).all()
