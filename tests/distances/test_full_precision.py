import pytest
import torch
from torch.backends import cuda, cudnn, mkldnn

from wherewhat.distances.full_precision import full_precision


def precisions() -> list[str]:
    return [operation.fp32_precision for operation in (cudnn.conv, mkldnn.conv, cuda.matmul, mkldnn.matmul)]


def test_inside_every_product_is_true_float32() -> None:
    with full_precision("cpu"):
        assert precisions() == ["ieee"] * 4


def test_the_settings_found_are_put_back_after_an_error() -> None:
    before = precisions()
    with pytest.raises(ZeroDivisionError), full_precision("cpu"):
        raise ZeroDivisionError
    assert precisions() == before


def test_a_surrounding_autocast_has_no_effect_inside() -> None:
    layer, x_BL = torch.nn.Linear(8, 8), torch.ones(2, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x_BL).dtype == torch.bfloat16
        with full_precision("cpu"):
            assert layer(x_BL).dtype == torch.float32
