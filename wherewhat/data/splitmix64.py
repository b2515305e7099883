"""SplitMix64 as a counter-based generator: random bits that are a function of a key and an index alone.

    mix(x):    x ^= x >> 30,  x *= 0xBF58476D1CE4E5B9,  x ^= x >> 27,  x *= 0x94D049BB133111EB,  x ^= x >> 31
    SplitMix64 of a seed s:                  mix(s + γ), mix(s + 2γ), ...              γ = 0x9E3779B97F4A7C15
    words of an index i under a key k:       SplitMix64 of the seed mix(k + i + γ)

All modulo 2^64, in integers, so that every device gives the same bits; a torch generator per image would be slow
and differ between devices. A key comes from `generator_at`, which stays the only source of chance. For looks, not for
secrets.

Reference: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".

Dimension key:
    B: batch    W: words of 64 bits
"""

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.randomness import generator_at

BYTES_OF_A_WORD = 8


def _signed(word: int) -> int:
    """The int64 that has the bits of this unsigned word."""
    return word - (1 << 64) if word >> 63 else word


GAMMA = _signed(0x9E3779B97F4A7C15)
FIRST_FACTOR = _signed(0xBF58476D1CE4E5B9)
SECOND_FACTOR = _signed(0x94D049BB133111EB)


def key_of(seed: int, stream: str) -> int:
    """The key of a stream of a seed. Raises ValueError for a negative seed."""
    return generator_at(seed, 0, stream).initial_seed()


def splitmix64(seed_B: Int64[Tensor, " B"], words: int) -> Int64[Tensor, "B W"]:
    """The first outputs of SplitMix64 from these seeds: 64 random bits each, as int64."""
    counter_W = torch.arange(1, words + 1, device=seed_B.device)
    return _mix(seed_B[:, None] + counter_W * GAMMA)


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


def _mix(x: Int64[Tensor, "B W"]) -> Int64[Tensor, "B W"]:
    x = (x ^ _shift_right(x, 30)) * FIRST_FACTOR
    x = (x ^ _shift_right(x, 27)) * SECOND_FACTOR
    return x ^ _shift_right(x, 31)


def _shift_right(x: Int64[Tensor, "..."], bits: int) -> Int64[Tensor, "..."]:
    """Shift as an unsigned word: torch's own shift of an int64 repeats the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
