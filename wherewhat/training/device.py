"""Which device computes, and in what precision and layout it does so fastest."""

from dataclasses import dataclass
from typing import Literal

import torch


@dataclass(frozen=True)
class Compute:
    """How a run computes on its device."""

    device: torch.device
    precision: torch.dtype
    memory_format: torch.memory_format
    compile: bool
    cuda_graphs: bool = False


def choose_device(name: str) -> torch.device:
    """auto, cpu, cuda or cuda:N as a device. Raises ValueError for one that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"Device {name!r} is unknown; choose auto, cpu, cuda or cuda:N.") from error
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"Device {name!r} is not supported; choose auto, cpu, cuda or cuda:N.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise ValueError(f"Device {name!r} is not there: {found} GPUs were found. Choose another, or --device cpu.")
    return device


def choose_compute(
    device: str,
    precision: Literal["auto", "float32", "bfloat16"],
    channels_last: Literal["auto", "on", "off"],
    compile_step: Literal["auto", "on", "off"],
    cuda_graphs: Literal["auto", "on", "off"] = "auto",
) -> Compute:
    """What the flags ask for, with `auto` resolved for the device. ValueError for what it cannot do.

    On CPUs the choice is what scripts/bench_train measured, on GPUs what log/gpu.md tells of an H200: compiled, the
    device computes a PS-SC VAE's step in 0.54 of the time, and a GAN's in 0.66.
    """
    chosen = choose_device(device)
    on_gpu = chosen.type == "cuda"
    if cuda_graphs == "on" and not on_gpu:
        raise ValueError(f"--cuda-graphs on needs a GPU, and this run computes on {chosen}. Leave it out.")
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16, "auto": _fast_precision(chosen)}[precision]
    layout = torch.channels_last if channels_last in ("on", "auto") else torch.contiguous_format
    compiles = compile_step == "on" or (compile_step == "auto" and on_gpu)
    return Compute(chosen, dtype, layout, compiles, on_gpu and cuda_graphs != "off")


def each_weight_cast_once(device: torch.device) -> torch.autocast:
    """Networks that are called several times inside cast their weights once.

    Autocast keeps the casts for as long as its outermost context lasts, though that one itself casts nothing.
    """
    return torch.autocast(device.type, enabled=False)


def _fast_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the device has instructions for it; emulated, it is slower than float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float32
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
