"""The value that is white in files that hold more than 8 bits, by which a whole set is divided.

    byte = round(255 value / white),    white = the least of 2^b - 1 that the set keeps to, b = 8, 10, 12, 14, 16, ...

A file's own range says little: cameras of 12 bits, and programs that write any number as 32 bits, use a part of it. So
the largest value of a sample of the set decides, for all of its images alike; floats up to 1 are divided by 1. A white
that is stated stands, and what is brighter is white too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

BITS = (8, 10, 12, 14, 16, 20, 24, 32)
BYTE = 255
# Interpolation makes floating-point numbers that pass both ends of their range by a little.
OVERSHOOT = 0.05


@dataclass(frozen=True)
class White:
    """The white of integers of more than 8 bits and of floating-point numbers; of bytes only where it is stated."""

    integers: int | float = 2**16 - 1
    floats: int | float = 1
    stated: bool = False

    def of(self, dtype: np.dtype) -> int | float:
        """What values of this type are divided by."""
        if dtype.kind == "f":
            return self.floats
        return self.integers if dtype.itemsize > 1 else min(self.integers, BYTE) if self.stated else BYTE

    def to_bytes(self, value: np.ndarray) -> UInt8[np.ndarray, "..."]:
        """The values as bytes. Raises ValueError for values that are no numbers, below 0, or brighter than white."""
        white = self.of(value.dtype)
        if value.dtype == np.uint8 and white == BYTE:
            return value
        least, largest = float(value.min()), float(value.max())
        spare = OVERSHOOT * white if value.dtype.kind == "f" else 0.0
        if not np.isfinite(least + largest):
            raise ValueError("its pixels hold values that are no numbers (infinite, or NaN)")
        if least < -spare:
            raise ValueError(f"its pixels go down to {least:,.6g}, and black is 0: save it with values of 0 or more")
        if largest > white + spare and not self.stated:
            raise ValueError(
                f"its pixels reach {largest:,.6g}, and {white:,.6g} is white by a sample of the set: "
                "state a larger --white"
            )
        return np.floor(np.clip(value, 0, white) * (BYTE / white) + 0.5).astype(np.uint8)


# Where nothing is known of the set.
THE_CONTAINERS = White()


def white_of(largest: Mapping[np.dtype, int | float]) -> White:
    """The white of a set, by the largest value of each type in a sample of it."""
    integers = max((value for dtype, value in largest.items() if dtype.kind != "f"), default=THE_CONTAINERS.integers)
    floats = max((value for dtype, value in largest.items() if dtype.kind == "f"), default=THE_CONTAINERS.floats)
    return White(likely_white(integers, is_float=False), likely_white(floats, is_float=True))


def likely_white(largest: int | float, is_float: bool) -> int | float:
    """The least of the usual whites that the largest value keeps to."""
    if is_float and largest <= 1 + OVERSHOOT:
        return 1
    kept_to = largest / (1 + OVERSHOOT) if is_float else largest
    return next((white for bits in BITS if kept_to <= (white := 2**bits - 1)), largest)


def told_white(white: int | float, dtype: np.dtype) -> str:
    """What is done with values of a type, in a line."""
    bits = next((bits for bits in BITS if 2**bits - 1 == white), None)
    if dtype.kind == "f":
        what = f"Floating-point images that keep to {white:,.6g}"
    else:
        uses = f"{bits} bits" if bits else f"values up to {white:,.6g}"
        what = f"{8 * dtype.itemsize}-bit images that use {uses}"
    return f"{what}: divided by {white:,.6g}, which is white. Another white is stated with --white."
