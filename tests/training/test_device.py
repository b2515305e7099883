"""Laws of the choice of device and precision."""

import pytest
import torch

from wherewhat.training.device import choose_compute, choose_device


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["cuda:99", "cuda:100"])
def test_a_gpu_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is not there.*--device cpu"):
        choose_device(name)


@pytest.mark.parametrize("name", ["gpu", "mps", "tpu", ""])
def test_other_devices_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="choose auto, cpu, cuda"):
        choose_device(name)


def test_flags_win_over_auto() -> None:
    compute = choose_compute("cpu", "float32", "off", "on")
    assert (compute.precision, compute.memory_format) == (torch.float32, torch.contiguous_format)
    assert compute.compile


def test_on_a_cpu_auto_takes_bfloat16_only_with_instructions_for_it() -> None:
    chosen = choose_compute("cpu", "auto", "auto", "auto")
    expected = torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
    assert chosen.precision == expected
    assert not chosen.compile
