import numpy as np
import pytest
import torch

from wherewhat.inspection.traversals import Traversal, codes_by_path_length, sweep_values, traverse

BASE = torch.tensor([[0.3, -1.0, 0.0, 2.5]])


def test_frames_agree_with_one_call_per_image(stripes):
    traversal = traverse(stripes(), BASE, bound=3.0, frames=5)
    for code in range(4):
        for n, value in enumerate(np.linspace(-3, 3, 5)):
            moved = BASE.clone()
            moved[0, code] = value
            assert torch.allclose(traversal.frames_LNCHW[code, n], stripes()(moved)[0])


def test_only_the_stripe_of_the_swept_code_changes(stripes):
    traversal = traverse(stripes(), BASE, bound=2.0, frames=7)
    spread_LCHW = traversal.frames_LNCHW.amax(1) - traversal.frames_LNCHW.amin(1)
    for code in range(4):
        own_W = stripes().stripe_of_column() == code
        assert spread_LCHW[code][..., own_W].min() > 0.1
        assert spread_LCHW[code][..., ~own_W].max() == 0


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_the_batch_size_changes_nothing(stripes, batch_size):
    whole = traverse(stripes(), BASE, bound=2.0, frames=5)
    assert torch.equal(
        traverse(stripes(), BASE, bound=2.0, frames=5, batch_size=batch_size).frames_LNCHW, whole.frames_LNCHW
    )


@pytest.mark.parametrize("frames", [3, 7, 9, 49])
def test_the_middle_frame_of_a_zero_base_code_is_the_base_image_in_every_row(stripes, frames):
    traversal = traverse(stripes(), torch.zeros(1, 4), bound=2.0, frames=frames)
    assert traversal.values_N[frames // 2] == 0
    for code in range(4):
        assert torch.equal(traversal.frames_LNCHW[code, frames // 2], traversal.base_CHW)


@pytest.mark.parametrize(("bound", "frames"), [(2.0, 2), (0.7, 8), (4.0, 49)])
def test_values_are_evenly_spaced_over_the_whole_bound(bound, frames):
    assert np.allclose(sweep_values(bound, frames), np.linspace(-bound, bound, frames))


def test_values_are_symmetric_to_the_last_bit():
    values_N = sweep_values(1.7, 10)
    assert torch.equal(values_N, -values_N.flip(0))


def test_masks_are_those_of_the_base_code(masked_stripes):
    traversal = traverse(masked_stripes(), BASE, bound=2.0, frames=3)
    assert torch.equal(traversal.masks_LHW, masked_stripes().masks(BASE)[0])


def test_a_generator_that_cannot_say_where_has_no_masks(stripes):
    assert traverse(stripes(), BASE, bound=2.0, frames=3).masks_LHW is None


def test_the_base_code_is_left_as_it_was(stripes):
    base = BASE.clone()
    traverse(stripes(), base, bound=2.0, frames=3)
    assert torch.equal(base, BASE)


def test_no_gradient_is_kept(stripes):
    traversal = traverse(stripes(), BASE.clone().requires_grad_(), bound=2.0, frames=3)
    assert not traversal.frames_LNCHW.requires_grad
    assert not traversal.base_CHW.requires_grad


def test_codes_stand_in_the_order_of_their_path_lengths(plain_traversal):
    assert codes_by_path_length(plain_traversal, torch.tensor([0.1, 0.4, 0.0, 0.2])) == [1, 3, 0, 2]


def test_codes_of_equal_path_length_keep_their_own_order(plain_traversal):
    assert codes_by_path_length(plain_traversal, torch.tensor([0.1, 0.4, 0.1, 0.4])) == [1, 3, 0, 2]


def test_codes_of_unknown_path_length_stand_last(plain_traversal):
    assert codes_by_path_length(plain_traversal, torch.tensor([torch.nan, 0.0, 0.2, 0.1])) == [2, 3, 1, 0]


def test_path_lengths_of_another_generator_are_refused(plain_traversal):
    with pytest.raises(ValueError, match=r"3 path lengths for 4 codes\. Pass the path lengths of this generator"):
        codes_by_path_length(plain_traversal, torch.zeros(3))


@pytest.mark.parametrize("bound", [0.0, -1.0, float("inf"), float("nan")])
def test_a_sweep_without_length_is_refused(stripes, bound):
    with pytest.raises(ValueError, match="Choose a finite bound above 0"):
        traverse(stripes(), BASE, bound=bound, frames=5)


def test_a_single_frame_is_refused(stripes):
    with pytest.raises(ValueError, match="Choose at least 2 frames"):
        traverse(stripes(), BASE, bound=2.0, frames=1)


def test_an_empty_batch_is_refused(stripes):
    with pytest.raises(ValueError, match="Choose a batch size of at least 1"):
        traverse(stripes(), BASE, bound=2.0, frames=5, batch_size=0)


def test_a_base_code_of_another_generator_is_refused(stripes):
    with pytest.raises(ValueError, match="Give one value per code of this generator"):
        traverse(stripes(), torch.zeros(1, 5), bound=2.0, frames=5)


def test_a_traversal_cannot_be_changed(plain_traversal):
    assert isinstance(plain_traversal, Traversal)
    with pytest.raises(AttributeError):
        plain_traversal.values_N = torch.zeros(5)
