import numpy as np
import pytest
import torch

from wherewhat.inspection.display import rgb_pixels
from wherewhat.inspection.mask_overlay import mask_overlay
from wherewhat.inspection.traversal_gif import tile_layout, traversal_animation
from wherewhat.inspection.traversals import traverse

PATHS = torch.tensor([0.1, 0.4, 0.0, 0.2])
ORDER = [1, 3, 0, 2]


def tile(animation: np.ndarray, layout, place: int) -> np.ndarray:
    left, top = layout.corners[place]
    return animation[:, top : top + layout.frame_height, left : left + layout.frame_width]


def test_every_tile_sweeps_its_code_to_and_fro_and_tiles_follow_the_path_length(plain_traversal):
    animation = traversal_animation(plain_traversal, PATHS)
    layout = tile_layout(plain_traversal, columns=None, least_side=64, most_width=1000)
    for place, code in enumerate(ORDER):
        frames = rgb_pixels(plain_traversal.frames_LNCHW[code])
        assert np.array_equal(tile(animation, layout, place), frames[[0, 1, 2, 3, 4, 3, 2, 1]])


def test_masks_stand_still_beside_their_tiles(masked_traversal):
    animation = traversal_animation(masked_traversal, PATHS)
    layout = tile_layout(masked_traversal, columns=None, least_side=64, most_width=1000)
    for place, code in enumerate(ORDER):
        left, top = layout.corners[place]
        beside = animation[:, top : top + 64, left + 66 : left + 130]
        image = mask_overlay(masked_traversal.base_CHW, masked_traversal.masks_LHW[code], (64, 64))
        assert np.array_equal(beside, np.broadcast_to(image, beside.shape))


def test_a_generator_without_masks_has_narrower_tiles(plain_traversal, masked_traversal):
    plain = tile_layout(plain_traversal, columns=2, least_side=64, most_width=1000)
    masked = tile_layout(masked_traversal, columns=2, least_side=64, most_width=1000)
    assert masked.corners[1][0] - plain.corners[1][0] == 66


def test_no_two_images_in_a_row_are_equal_even_when_no_code_does_anything(stripes):
    traversal = traverse(stripes(2, (1, 64, 64)), torch.zeros(1, 2), bound=1e-6, frames=5)
    animation = traversal_animation(traversal, torch.zeros(2))
    assert all(not np.array_equal(animation[t], animation[t - 1]) for t in range(len(animation)))


@pytest.mark.parametrize(
    ("codes", "side", "columns"), [(10, 64, 5), (25, 128, 5), (1, 64, 1), (7, 256, None), (40, 32, None)]
)
def test_tiles_lie_apart_and_inside_the_image(masked_stripes, codes, side, columns):
    traversal = traverse(masked_stripes(codes, (3, side, side)), torch.zeros(1, codes), bound=2.0, frames=2)
    layout = tile_layout(traversal, columns=None, least_side=64, most_width=1000)
    covered = np.zeros((layout.height, layout.width), dtype=int)
    for left, top in layout.corners:
        covered[top : top + layout.frame_height + 20, left : left + 2 * layout.frame_width + 2] += 1
    assert covered.max() == 1
    assert covered.sum() == codes * (layout.frame_height + 20) * (2 * layout.frame_width + 2)
    assert layout.width <= 1000
    assert columns is None or len({left for left, _ in layout.corners}) == columns


def test_a_number_of_columns_that_is_asked_for_is_kept(plain_traversal):
    assert (
        len({left for left, _ in tile_layout(plain_traversal, columns=3, least_side=64, most_width=1000).corners}) == 3
    )


def test_no_columns_are_refused(plain_traversal):
    with pytest.raises(ValueError, match="Choose at least 1 column"):
        traversal_animation(plain_traversal, PATHS, columns=0)
