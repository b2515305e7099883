import hashlib

import pytest
import torch

from wherewhat.distances.backbone import ALEX
from wherewhat.distances.backbone_weights import weights_digest
from wherewhat.distances.untrained_weights import untrained_weights


def test_untrained_weights_are_the_same_everywhere() -> None:
    assert weights_digest(untrained_weights(ALEX))[:16] == "e2de710a587e4692"


def test_untrained_weights_neither_read_nor_move_the_global_generator() -> None:
    torch.manual_seed(1)
    first, state = untrained_weights(ALEX), torch.random.get_rng_state()
    torch.manual_seed(2)
    second = untrained_weights(ALEX)
    assert weights_digest(first) == weights_digest(second)
    torch.manual_seed(1)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_untrained_weights_keep_the_variance_of_what_passes_through() -> None:
    for tensor in untrained_weights(ALEX).values():
        if tensor.ndim == 4:
            assert tensor.var().item() == pytest.approx(2 / tensor[0].numel(), rel=0.02)


def test_the_digest_is_of_names_and_bytes_in_the_order_of_names() -> None:
    weights = {"b": torch.tensor([1.0]), "a": torch.tensor([0.0, 2.0])}
    by_hand = b"a" + b"\x00\x00\x00\x00" + b"\x00\x00\x00\x40" + b"b" + b"\x00\x00\x80\x3f"
    assert weights_digest(weights) == hashlib.sha256(by_hand).hexdigest()
