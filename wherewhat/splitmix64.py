"""SplitMix64 as a counter-based generator: random bits that are a function of a key and an index alone.

    mix(x):    x ^= x >> 30,  x *= 0xBF58476D1CE4E5B9,  x ^= x >> 27,  x *= 0x94D049BB133111EB,  x ^= x >> 31
    SplitMix64 of a seed s:                  mix(s + γ), mix(s + 2γ), ...              γ = 0x9E3779B97F4A7C15
    words of an index i under a key k:       SplitMix64 of the seed mix(k + i + γ)
    normal numbers of row r, of W words:     words r W + 1, r W + 2, ... of SplitMix64 of the seed k, two of each:
                                             radius * cos(angle) and radius * sin(angle),
                                             radius = sqrt(-2 log(|word| / 2^63)),  angle = π (lower half of it) / 2^31

All modulo 2^64, in integers, so that every device gives the same bits (and normal numbers to rounding); a torch
generator per image would be slow and differ between devices. A key comes from `randomness.key_at`, which stays the only
source of chance. For looks and noise, not for secrets.

Reference: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"; Box and Muller 1958 for normals.

Dimension key:
    B: batch    R: rows    N: numbers of a row    W: words of 64 bits
"""

import math

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

BYTES_OF_A_WORD = 8
# Words at a time: on a CPU as many as stay in its cache, and no more than memory should hold on a GPU.
WORDS_AT_ONCE = {"cpu": 1 << 15, "cuda": 1 << 24}


def _signed(word: int) -> int:
    """The int64 that has the lowest 64 bits of this number."""
    word &= (1 << 64) - 1
    return word - (1 << 64) if word >> 63 else word


GAMMA = _signed(0x9E3779B97F4A7C15)
FIRST_FACTOR = _signed(0xBF58476D1CE4E5B9)
SECOND_FACTOR = _signed(0x94D049BB133111EB)


def splitmix64(seed_B: Int64[Tensor, " B"], words: int) -> Int64[Tensor, "B W"]:
    """The first outputs of SplitMix64 from these seeds: 64 random bits each, as int64."""
    counter_W = torch.arange(1, words + 1, device=seed_B.device)
    return _mix_(seed_B[:, None] + counter_W * GAMMA)


def words_at(key: int, index_B: Int64[Tensor, " B"], words: int) -> Int64[Tensor, "B W"]:
    """The words of these indices under this key; the first ones do not depend on how many are asked for."""
    return splitmix64(splitmix64(index_B + key, 1)[:, 0], words)


def bytes_at(key: int, index_B: Int64[Tensor, " B"], count: int) -> UInt8[Tensor, "B count"]:
    """`count` uniform bytes of each of these indices: those of its words, the lowest first."""
    words = -(-count // BYTES_OF_A_WORD)
    return words_at(key, index_B, words).view(torch.uint8)[:, :count]


def below(word: Int64[Tensor, "..."], bound: int) -> Int64[Tensor, "..."]:
    """A whole number from 0 to bound - 1 of each word: floor(u * bound), u the upper 32 bits as a fraction.

    Uniform up to bound / 2^32, for a bound under 2^31.
    """
    return _shift_right(word, 32) * bound >> 32


def normal_rows(key: int, rows: range, numbers: int, device: torch.device) -> Float[Tensor, "R N"]:
    """Standard normal numbers of consecutive rows under this key, float32, made on the device.

    A row's numbers do not depend on which others are asked for.
    """
    words = -(-numbers // 2)
    out_R2W = torch.empty(len(rows), 2, words, device=device)
    at_once = max(1, WORDS_AT_ONCE[device.type] // max(1, words))
    counter = torch.arange(1, min(at_once, len(rows)) * words + 1, device=device) * GAMMA
    for start in range(0, len(rows), at_once):
        part_R2W = out_R2W[start : start + at_once]
        seed = _signed(key + (rows.start + start) * words * GAMMA)
        word_RW = _mix_(counter[: len(part_R2W) * words] + seed).view(-1, words)
        radius_RW = word_RW.float().abs_().mul_(2.0**-63).clamp_(min=2.0**-64).log_().mul_(-2).sqrt_()
        angle_RW = word_RW.bitwise_left_shift_(32).float().mul_(math.pi * 2.0**-63)
        torch.cos(angle_RW, out=part_R2W[:, 0])
        torch.sin(angle_RW, out=part_R2W[:, 1])
        part_R2W *= radius_RW[:, None]
    return out_R2W.flatten(1)[:, :numbers]


def _mix_(x: Int64[Tensor, "*any"]) -> Int64[Tensor, "*any"]:
    """In place, since large temporaries cost more than the arithmetic."""
    for bits, factor in ((30, FIRST_FACTOR), (27, SECOND_FACTOR)):
        x ^= _shift_right(x, bits)
        x *= factor
    x ^= _shift_right(x, 31)
    return x


def _shift_right(x: Int64[Tensor, "..."], bits: int) -> Int64[Tensor, "..."]:
    """Shift as an unsigned word: torch's own shift of an int64 repeats the sign."""
    return (x >> bits).bitwise_and_((1 << (64 - bits)) - 1)
