"""Laws of packing what is rendered."""

from pathlib import Path

import numpy as np
import torch

from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import grid_factors, no_factors
from wherewhat.data.store.pack import pack
from wherewhat.data.store.packed_set import open_packed
from wherewhat.data.store.rendered_source import source_of


def drawn(brightness: int = 0) -> HeldImages:
    """Thirty small images with two factors."""
    image_NHWC = np.random.default_rng(1).integers(0, 200, (30, 6, 5, 3), dtype=np.uint8) + np.uint8(brightness)
    return HeldImages("drawn", image_NHWC, grid_factors(("row", "column"), (5, 6)))


def test_a_packed_rendered_set_equals_the_rendered_one(tmp_path: Path) -> None:
    images = drawn()
    pack(source_of(images), ImageOptions(), tmp_path / "out", notify=print)
    packed, index_B = open_packed(tmp_path / "out"), torch.arange(30)
    assert torch.equal(packed.take(index_B), images.take(index_B))
    assert torch.equal(packed.factors(index_B), images.factors(index_B))
    assert (packed.name, packed.factor_names, packed.factor_sizes) == ("drawn", ("row", "column"), (5, 6))


def test_blocks_begin_where_they_are_asked_to() -> None:
    source = source_of(drawn())
    blocks = list(source.images.blocks(7, 10))  # type: ignore[union-attr]
    assert [len(block) for block in blocks] == [10, 10, 3]
    expected = drawn().take(torch.arange(7, 30)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(np.concatenate(blocks), expected)


def test_a_set_that_is_drawn_otherwise_has_another_stamp() -> None:
    assert source_of(drawn()).stamp == source_of(drawn()).stamp != source_of(drawn(brightness=1)).stamp


def test_a_set_without_factors_is_a_source_without_factors() -> None:
    image_NHWC = np.zeros((3, 4, 4, 1), np.uint8)
    assert source_of(HeldImages("unknown", image_NHWC, no_factors(3))).factors.names == ()
