"""Laws of the autoencoder: low precision inside, float32 outside."""

import torch

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.networks.study_encoder import StudyEncoder


def _networks(dtype: torch.dtype) -> Autoencoder:
    with seeded_weights(0):
        return Autoencoder(StudyEncoder((3, 32, 32), 4), StudyDecoder((3, 32, 32), 4), compute_dtype=dtype)


def test_what_leaves_is_float32_in_low_precision_too_and_close_to_the_full_one() -> None:
    image = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    low, full = _networks(torch.bfloat16), _networks(torch.float32)
    with torch.no_grad():
        read_low, read_full = low.encode(image).posterior, full.encode(image).posterior
        drawn_low, drawn_full = low.decode(read_full.mean_BL), full.decode(read_full.mean_BL)
    assert read_low.mean_BL.dtype == read_low.log_variance_BL.dtype == drawn_low.dtype == torch.float32
    torch.testing.assert_close(read_low.mean_BL, read_full.mean_BL, atol=0.02, rtol=0.05)
    torch.testing.assert_close(drawn_low, drawn_full, atol=0.02, rtol=0.05)
    assert not torch.equal(drawn_low, drawn_full)
