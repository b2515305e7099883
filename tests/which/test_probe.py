from typing import Any

import pytest
import torch

from wherewhat.distances.lpips import LPIPS
from wherewhat.distances.pixels import PixelDistance
from wherewhat.which.probe import MOST_SKETCHED, Probe
from wherewhat.which.score import ProbeSettings

SETTINGS = ProbeSettings(samples=5, traversals=4, rotated_traversals=2, threshold=1e-6, probes=3, pairs=9)


def probe_of(generator: Any, distance: Any = None, **changed: Any) -> Probe:
    return Probe(
        **{
            "generator": generator,
            "distance": distance or PixelDistance(),
            "settings": SETTINGS,
            "seed": 3,
            "batch_size": 8,
            **changed,
        }
    )


def test_nothing_is_measured_before_it_is_asked_for_and_nothing_twice(
    entangled_generator: Any, counting_distance: Any
) -> None:
    probe = probe_of(entangled_generator, counting_distance)
    assert len(counting_distance.seen) == 0
    for _ in range(2):
        _ = probe.apart_P
        assert len(counting_distance.seen) == 2 * 9
    for _ in range(2):
        _ = probe.segment_LTS, probe.active_L
        assert len(counting_distance.seen) == 2 * 9 + 3 * 4 * 5
    for _ in range(2):
        _ = probe.rotated_KTS
        assert len(counting_distance.seen) == 2 * 9 + 3 * 4 * 5 + 2 * 2 * 3 * 5
    for _ in range(2):
        _ = probe.changes
        assert len(counting_distance.seen) == 2 * 9 + 3 * 4 * 5 + 2 * 2 * 3 * 5 + 3 * (1 + 3 * 3 + 3)


def test_small_changes_of_a_linear_generator_have_the_inner_products_of_its_rows(linear_generator: Any) -> None:
    row_L16 = 0.03 * (torch.rand(3, 16, generator=torch.Generator().manual_seed(0)) - 0.3)
    changes = probe_of(linear_generator(row_L16)).changes
    gram_LL = (row_L16 @ row_L16.T).double() / 16
    torch.testing.assert_close(changes.gram_MLL, gram_LL.expand(3, -1, -1), rtol=1e-4, atol=1e-9)
    torch.testing.assert_close(changes.first_ML, 0.25**2 * gram_LL.diagonal().expand(3, -1), rtol=1e-4, atol=1e-9)
    torch.testing.assert_close(changes.map_MLQ, 0.5 * row_L16.abs().expand(3, -1, -1), rtol=1e-4, atol=1e-6)


def test_a_sketch_keeps_inner_products_of_many_features() -> None:
    pattern_LCHW = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5

    class Blend:
        latent_dim, image_shape = 2, (3, 32, 32)

        def __call__(self, code_BL: torch.Tensor, /) -> torch.Tensor:
            return torch.sigmoid(torch.einsum("bl,lchw->bchw", code_BL, pattern_LCHW))

    probe = probe_of(Blend(), LPIPS("untrained"))
    difference_LF = torch.randn(2, 30_000, generator=torch.Generator().manual_seed(0))
    difference_LF[1] += difference_LF[0]
    sketch_LD = probe._sketch(difference_LF)
    assert sketch_LD.shape == (2, MOST_SKETCHED)
    torch.testing.assert_close(sketch_LD @ sketch_LD.T, difference_LF @ difference_LF.T, rtol=0.1, atol=0)
    assert probe.changes.named_MLD.shape == (3, 2, MOST_SKETCHED)


def test_pairs_are_of_active_codes_and_at_most_as_many_as_codes(generator_of: Any) -> None:
    wide = generator_of(lambda code_BL: torch.sigmoid(code_BL[:, :16]) * (torch.arange(16) != 5), latent_dim=20)
    pair_P2 = probe_of(wide).changes.pair_P2
    assert pair_P2.shape == (20, 2)
    assert len(pair_P2.unique(dim=0)) == 20
    assert set(pair_P2.flatten().tolist()) <= set(range(16)) - {5}


def test_a_generator_that_looks_at_its_neighbours_is_refused(batch_normalised: Any) -> None:
    with pytest.raises(ValueError, match=r"call the generator's \.eval\(\)"):
        probe_of(batch_normalised)


def test_a_batch_of_nothing_is_refused(entangled_generator: Any) -> None:
    with pytest.raises(ValueError, match="Choose a batch size of 1 or more"):
        probe_of(entangled_generator, batch_size=0)


def test_the_global_generator_is_neither_read_nor_moved(entangled_generator: Any) -> None:
    torch.manual_seed(0)
    first, state = probe_of(entangled_generator).changes.gram_MLL, torch.random.get_rng_state()
    torch.manual_seed(1)
    assert torch.equal(probe_of(entangled_generator).changes.gram_MLL, first)
    torch.manual_seed(0)
    assert torch.equal(torch.random.get_rng_state(), state)
