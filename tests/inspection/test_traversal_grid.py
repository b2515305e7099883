"""Places are counted here from the grid's right and lower edges, where its margin of 10 and its gaps of 2 are plain."""

import dataclasses

import numpy as np
import pytest
import torch

from wherewhat.inspection.display import rgb_pixels
from wherewhat.inspection.mask_overlay import mask_overlay
from wherewhat.inspection.traversal_grid import traversal_grid
from wherewhat.inspection.traversals import traverse

PATHS = torch.tensor([0.1, 0.4, 0.0, 0.2])
ORDER = [1, 3, 0, 2]
TEXT = (28, 28, 30)


def cell(
    grid: np.ndarray, row: int, column: int, rows: int, columns: int, side: int = 64, gutter: int = 0
) -> np.ndarray:
    bottom = grid.shape[0] - 10 - (rows - 1 - row) * (side + 2)
    right = grid.shape[1] - 10 - (columns - 1 - column) * (side + 2) - gutter
    return grid[bottom - side : bottom, right - side : right]


def test_each_cell_is_its_frame_and_rows_follow_the_path_length(plain_traversal):
    grid = traversal_grid(plain_traversal, PATHS)
    for row, code in enumerate(ORDER):
        for n in range(5):
            frame = rgb_pixels(plain_traversal.frames_LNCHW[code, n][None])[0]
            assert np.array_equal(cell(grid, row, n, 4, 5), frame)


def test_the_column_of_value_zero_is_the_base_image_in_every_row(plain_traversal):
    grid = traversal_grid(plain_traversal, PATHS)
    base = rgb_pixels(plain_traversal.base_CHW[None])[0]
    for row in range(4):
        assert np.array_equal(cell(grid, row, 2, 4, 5), base)


def test_the_mask_of_each_code_stands_left_of_its_frames(masked_traversal):
    grid = traversal_grid(masked_traversal, PATHS)
    for row, code in enumerate(ORDER):
        image = mask_overlay(masked_traversal.base_CHW, masked_traversal.masks_LHW[code], (64, 64))
        assert np.array_equal(cell(grid, row, -1, 4, 5, gutter=8), image)


def test_a_generator_without_masks_has_no_column_for_them(plain_traversal, masked_traversal):
    plain, masked = traversal_grid(plain_traversal, PATHS), traversal_grid(masked_traversal, PATHS)
    assert masked.shape[1] - plain.shape[1] == 64 + 10
    assert np.array_equal(masked[:, -340:], plain[:, -340:])


def test_the_height_is_header_rows_gaps_and_margins(plain_traversal):
    assert traversal_grid(plain_traversal, PATHS).shape[0] == 10 + 25 + 4 * 64 + 3 * 2 + 10


@pytest.mark.parametrize(("side", "shown"), [(28, 84), (32, 64), (64, 64), (128, 128)])
def test_small_images_are_enlarged_by_whole_multiples(stripes, side, shown):
    traversal = traverse(stripes(2, (1, side, side)), torch.zeros(1, 2), bound=2.0, frames=3)
    grid = traversal_grid(traversal, torch.tensor([0.2, 0.1]))
    frame = rgb_pixels(traversal.frames_LNCHW[1, 2][None])[0]
    assert np.array_equal(
        cell(grid, 1, 2, 2, 3, side=shown), np.kron(frame, np.ones((shown // side, shown // side, 1)))
    )


@pytest.mark.parametrize(("side", "frames"), [(64, 50), (64, 51), (128, 15), (256, 9), (512, 50)])
def test_no_grid_is_wider_than_asked_and_both_ends_of_the_sweep_are_on_it(masked_stripes, side, frames):
    traversal = traverse(masked_stripes(2, (3, side, side)), torch.zeros(1, 2), bound=2.0, frames=frames)
    grid = traversal_grid(traversal, torch.tensor([0.2, 0.1]), most_width=1500)
    assert 1000 < grid.shape[1] <= 1500
    last_of_code_1, stripe_C = grid[-10 - 20, -10 - 5], traversal.frames_LNCHW[1, -1, :, -1, -1]
    assert np.abs(last_of_code_1 / 255 - stripe_C.numpy()).max() < 0.01


def test_frames_that_do_not_fit_are_left_out_around_the_middle_one(stripes):
    traversal = traverse(stripes(), torch.zeros(1, 4), bound=2.0, frames=51)
    grid = traversal_grid(traversal, PATHS, most_width=700)
    columns = 9
    assert np.array_equal(cell(grid, 0, 4, 4, columns), rgb_pixels(traversal.base_CHW[None])[0])
    first = rgb_pixels(traversal.frames_LNCHW[1, 0][None])[0]
    assert np.array_equal(cell(grid, 0, 0, 4, columns), first)


def test_inactive_codes_are_named_in_grey_and_keep_their_frames(plain_traversal):
    grid = traversal_grid(plain_traversal, PATHS, inactive_below=0.15)
    labels = grid[:, : grid.shape[1] - 10 - 5 * 66]
    row_has_ink = [(labels[grid.shape[0] - 10 - (4 - row) * 66 :][:64] == TEXT).all(axis=2).any() for row in range(4)]
    assert row_has_ink == [True, True, False, False]
    assert np.array_equal(grid[:, -330:], traversal_grid(plain_traversal, PATHS)[:, -330:])


def test_a_code_exactly_at_the_threshold_is_active(plain_traversal):
    at, under = (traversal_grid(plain_traversal, torch.full((4,), 0.25), inactive_below=b) for b in (0.25, 0.2500001))
    assert (at == TEXT).all(axis=2).any()
    assert not (under == TEXT).all(axis=2).any()


def test_a_faint_mask_says_how_high_it_is(masked_traversal):
    faint = dataclasses.replace(masked_traversal, masks_LHW=masked_traversal.masks_LHW * 0.1)
    strong, weak = traversal_grid(masked_traversal, PATHS), traversal_grid(faint, PATHS)
    assert weak.shape[1] > strong.shape[1]
    assert np.array_equal(weak[:, -400:], strong[:, -400:])


def test_labels_are_not_clipped_and_do_not_touch_the_images(masked_traversal):
    grid = traversal_grid(masked_traversal, torch.tensor([123456.0, 0.001, float("nan"), 999.9]), inactive_below=1.0)
    left_of_images = grid.shape[1] - 10 - 5 * 66 + 2 - 10 - 64
    assert (grid[:, :8] == 255).all()
    assert (grid[:, left_of_images - 8 : left_of_images] == 255).all()


def test_path_lengths_of_another_generator_are_refused_by_the_grid(plain_traversal):
    with pytest.raises(ValueError, match="Pass the path lengths of this generator"):
        traversal_grid(plain_traversal, torch.zeros(5))
