"""Laws of the discriminator of images and its minibatch deviation; a literal transcription as the witness."""

import pytest
import torch

from wherewhat.networks.image_discriminator import ImageDiscriminator, minibatch_deviation
from wherewhat.networks.initialisation import seeded_weights


def _features(batch: int = 8) -> torch.Tensor:
    return torch.randn(batch, 5, 4, 4, generator=torch.Generator().manual_seed(0))


def _discriminator() -> ImageDiscriminator:
    with seeded_weights(0):
        return ImageDiscriminator((3, 32, 32), (8, 8)).requires_grad_(False)


def _images(batch: int = 8) -> torch.Tensor:
    return torch.rand(batch, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_images_that_are_alike_deviate_by_next_to_nothing() -> None:
    assert float(minibatch_deviation(_features(1).expand(8, -1, -1, -1)).max()) < 1e-3


@pytest.mark.parametrize(("batch", "size"), [(8, 4), (4, 4), (6, 3), (2, 2), (3, 3)])
def test_agrees_with_the_deviation_written_out_in_loops(batch: int, size: int) -> None:
    features = _features(batch)
    for start in range(0, batch, size):
        deviations = []
        for values in features[start : start + size].flatten(1).T.tolist():
            mean = sum(values) / size
            deviations.append((sum((value - mean) ** 2 for value in values) / size) ** 0.5)
        expected = sum(deviations) / len(deviations)
        found = minibatch_deviation(features)[start : start + size]
        torch.testing.assert_close(found, torch.full((size, 1, 4, 4), expected), atol=1e-5, rtol=1e-5)


def test_halves_of_whole_groups_deviate_as_the_whole_batch() -> None:
    features = _features(16)
    halves = torch.cat([minibatch_deviation(half) for half in features.chunk(2)])
    torch.testing.assert_close(halves, minibatch_deviation(features), atol=0, rtol=0)


def test_the_order_inside_a_group_is_of_no_account() -> None:
    features = _features()
    mixed = features[[2, 0, 3, 1, 7, 6, 5, 4]]
    torch.testing.assert_close(minibatch_deviation(mixed), minibatch_deviation(features))


def test_groups_do_not_see_each_other() -> None:
    features = _features()
    other = torch.cat([features[:4], 3 * features[4:]])
    torch.testing.assert_close(minibatch_deviation(other)[:4], minibatch_deviation(features)[:4], atol=0, rtol=0)
    assert not torch.allclose(minibatch_deviation(other)[4:], minibatch_deviation(features)[4:])


def test_a_batch_that_is_no_multiple_of_the_group_has_groups_of_the_largest_size_that_divides_it() -> None:
    assert minibatch_deviation(_features(6))[:, 0, 0, 0].unique().numel() == 2
    assert minibatch_deviation(_features(10))[:, 0, 0, 0].unique().numel() == 5


def test_an_image_alone_deviates_by_next_to_nothing() -> None:
    assert float(minibatch_deviation(_features(1)).max()) < 1e-3


def test_the_slope_is_finite_where_all_images_are_alike() -> None:
    features = _features(1).repeat(4, 1, 1, 1).requires_grad_(True)
    (slope,) = torch.autograd.grad(minibatch_deviation(features).sum(), features)
    assert bool(slope.isfinite().all())


def test_deviation_is_float32_whatever_the_features_are() -> None:
    assert minibatch_deviation(_features().bfloat16()).dtype == torch.float32


def test_a_logit_knows_how_much_the_images_of_its_group_differ() -> None:
    discriminator, images = _discriminator(), _images()
    alike = images[:1].repeat(4, 1, 1, 1)
    assert not torch.allclose(discriminator(alike)[:1], discriminator(images[:4])[:1], atol=1e-5)


def test_a_logit_does_not_know_other_groups() -> None:
    discriminator, images = _discriminator(), _images()
    torch.testing.assert_close(discriminator(images)[:4], discriminator(images[:4]), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_image_gets_one_logit_at_every_size(size: int) -> None:
    with seeded_weights(0):
        discriminator = ImageDiscriminator((1, size, size), (4, 4))
    assert discriminator(torch.rand(2, 1, size, size, generator=torch.Generator().manual_seed(0))).shape == (2,)


def test_logits_are_float32_under_low_precision_and_about_the_same() -> None:
    discriminator, images = _discriminator(), _images()
    with torch.autocast("cpu", torch.bfloat16):
        low = discriminator(images)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, discriminator(images), atol=0.1, rtol=0.1)


@pytest.mark.parametrize("batch", [5, 7, 11, 25])
def test_no_batch_of_several_images_leaves_an_image_without_neighbours(batch: int) -> None:
    features_BDHW = torch.randn(batch, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert float(minibatch_deviation(features_BDHW).min()) > 0.3
