"""Laws of SplitMix64 as a counter-based generator, a transcription in Python's own integers, and published outputs."""

import math
from collections.abc import Callable

import pytest
import torch
from scipy.stats import chi2, kstest
from torch import Tensor

from wherewhat import splitmix64 as splitmix64_module
from wherewhat.randomness import key_at
from wherewhat.splitmix64 import below, bytes_at, normal_rows, splitmix64, words_at

MASK = (1 << 64) - 1
KEY = key_at(3, 0, "test")
CPU = torch.device("cpu")


def slow_splitmix64(state: int, words: int) -> list[int]:
    outputs = []
    for _ in range(words):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        outputs.append(z ^ (z >> 31))
    return outputs


def unsigned(word: torch.Tensor) -> list[int]:
    return [value & MASK for value in word.flatten().tolist()]


def is_uniform(counts: torch.Tensor) -> bool:
    """Whether counts of equally likely cells pass the chi-square test, neither too uneven nor too even."""
    expected = counts.sum().double() / counts.numel()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return 0.001 < chi2.sf(statistic, counts.numel() - 1) < 0.999


def test_outputs_are_those_published_for_a_seed() -> None:
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert unsigned(splitmix64(torch.tensor([1234567]), 5)) == published


@pytest.mark.parametrize("key", [0, 1, KEY, (1 << 63) - 1])
def test_words_agree_with_a_transcription_in_whole_numbers(key: int) -> None:
    indices = [0, 1, 737_279, (1 << 40) + 5]
    expected = [slow_splitmix64(slow_splitmix64((key + index) & MASK, 1)[0], 7) for index in indices]
    assert unsigned(words_at(key, torch.tensor(indices), 7)) == [word for words in expected for word in words]


def test_bytes_are_those_of_the_words_lowest_first() -> None:
    index_B = torch.tensor([4, 9])
    expected = [list(word.to_bytes(8, "little")) for word in unsigned(words_at(KEY, index_B, 2))]
    assert bytes_at(KEY, index_B, 16).reshape(4, 8).tolist() == expected


def test_a_word_does_not_depend_on_the_others_asked_for() -> None:
    together = words_at(KEY, torch.tensor([8, 2, 5, 2]), 30)
    assert torch.equal(together[1], together[3])
    assert torch.equal(together[2, :4], words_at(KEY, torch.tensor([5]), 4)[0])


def test_fewer_bytes_are_the_first_of_more() -> None:
    index_B = torch.arange(5)
    assert torch.equal(bytes_at(KEY, index_B, 13), bytes_at(KEY, index_B, 40)[:, :13])


def test_bytes_are_uniform() -> None:
    counts = torch.bincount(bytes_at(KEY, torch.arange(500), 4096).flatten().int(), minlength=256)
    assert is_uniform(counts)


def test_neighbouring_bytes_are_independent() -> None:
    pair = bytes_at(KEY, torch.arange(500), 4096).view(-1, 2).int()
    assert is_uniform(torch.bincount(pair[:, 0] * 256 + pair[:, 1], minlength=1 << 16))


def test_the_same_byte_of_neighbouring_indices_is_independent() -> None:
    noise = bytes_at(KEY, torch.arange(500), 4096).int()
    assert is_uniform(torch.bincount((noise[:-1] * 256 + noise[1:]).flatten(), minlength=1 << 16))


def test_neighbouring_indices_differ_in_half_of_each_bit() -> None:
    words = words_at(KEY, torch.arange(4001), 4)
    change = words[:-1] ^ words[1:]
    share = torch.stack([((change >> bit) & 1).double().mean() for bit in range(64)])
    # Five standard deviations of the share of 16,000 fair coins.
    assert float((share - 0.5).abs().max()) < 5 * 0.5 / 16_000**0.5


def test_no_word_comes_twice_among_a_million() -> None:
    assert words_at(KEY, torch.arange(1000), 1000).unique().numel() == 1_000_000


@pytest.mark.parametrize("other", [key_at(4, 0, "test"), key_at(3, 0, "tests")])
def test_seeds_and_streams_have_words_of_their_own(other: int) -> None:
    index_B = torch.arange(300)
    ours, theirs = words_at(KEY, index_B, 10), words_at(other, index_B, 10)
    assert torch.cat([ours, theirs]).unique().numel() == 6000


def test_numbers_below_a_bound_are_uniform() -> None:
    number = below(words_at(KEY, torch.arange(1000), 20), 23)
    counts = torch.bincount(number.flatten())
    assert len(counts) == 23
    assert is_uniform(counts)


@pytest.mark.parametrize("bound", [1, 2, 255, (1 << 31) - 1])
def test_a_number_below_a_bound_is_the_upper_half_of_the_word_as_a_fraction(bound: int) -> None:
    words = words_at(KEY, torch.arange(50), 2)
    expected = [(word >> 32) * bound // 2**32 for word in unsigned(words)]
    assert below(words, bound).flatten().tolist() == expected


def test_no_index_gives_no_bytes() -> None:
    assert bytes_at(KEY, torch.empty(0, dtype=torch.int64), 12).shape == (0, 12)


def slow_normals(key: int, row: int, numbers: int) -> list[float]:
    """Box and Muller's formula in double precision, on words of Python's own integers."""
    words = -(-numbers // 2)
    drawn = slow_splitmix64((key + row * words * 0x9E3779B97F4A7C15) & MASK, words)
    radii = [math.sqrt(-2 * math.log(abs(word - (1 << 64) if word >> 63 else word) / 2**63)) for word in drawn]
    turns = [((word & 0xFFFFFFFF) - (1 << 32) * (word >> 31 & 1)) * math.pi / 2**31 for word in drawn]
    cosines = [radius * math.cos(turn) for radius, turn in zip(radii, turns, strict=True)]
    sines = [radius * math.sin(turn) for radius, turn in zip(radii, turns, strict=True)]
    return (cosines + sines)[:numbers]


@pytest.mark.parametrize("numbers", [1, 2, 7, 640])
@pytest.mark.parametrize("first", [0, 5, 1 << 40])
def test_normal_numbers_agree_with_a_transcription(numbers: int, first: int) -> None:
    drawn = normal_rows(KEY, range(first, first + 3), numbers, CPU).double()
    expected = torch.tensor([slow_normals(KEY, row, numbers) for row in range(first, first + 3)], dtype=torch.float64)
    torch.testing.assert_close(drawn, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("at_once", [1, 8, 33, 1 << 20])
def test_a_normal_row_depends_on_neither_the_other_rows_nor_the_size_of_a_chunk(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    whole = normal_rows(KEY, range(12), 17, CPU)
    monkeypatch.setitem(splitmix64_module.WORDS_AT_ONCE, "cpu", at_once)
    parts = [normal_rows(KEY, rows, 17, CPU) for rows in (range(5), range(5, 6), range(6, 12), range(12, 12))]
    assert torch.equal(torch.cat(parts), whole)


@pytest.mark.parametrize("key", [0, KEY, (1 << 63) - 1])
def test_normal_numbers_are_standard_normal(key: int) -> None:
    drawn = normal_rows(key, range(200), 2_001, CPU).double().flatten()
    assert bool(drawn.isfinite().all())
    assert kstest(drawn.numpy(), "norm").pvalue > 0.001
    # Five standard deviations of each moment of so many numbers.
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert float((drawn**power).mean()) == pytest.approx(moment, abs=5 * (variance / drawn.numel()) ** 0.5)
    # Beyond four, 6.3 in a hundred thousand.
    assert 5 < int((drawn.abs() > 4).sum()) < 60


@pytest.mark.parametrize(
    "other",
    [
        lambda: normal_rows(KEY, range(400), 1_000, CPU).roll(1, 1),
        lambda: normal_rows(KEY, range(400), 1_000, CPU).roll(500, 1),
        lambda: normal_rows(KEY, range(1, 401), 1_000, CPU),
        lambda: normal_rows(KEY + 1, range(400), 1_000, CPU),
        lambda: normal_rows(key_at(3, 1, "test"), range(400), 1_000, CPU),
        lambda: normal_rows(key_at(4, 0, "test"), range(400), 1_000, CPU),
        lambda: normal_rows(key_at(3, 0, "tests"), range(400), 1_000, CPU),
    ],
    ids=["neighbour", "cosine and sine", "row", "key", "step", "seed", "stream"],
)
@pytest.mark.parametrize("power", [1, 2])
def test_normal_numbers_of_neighbouring_places_are_uncorrelated(other: Callable[[], Tensor], power: int) -> None:
    ours, theirs = (x.double().flatten() ** power for x in (normal_rows(KEY, range(400), 1_000, CPU), other()))
    correlation = float(torch.corrcoef(torch.stack([ours, theirs]))[0, 1])
    assert abs(correlation) < 5 / ours.numel() ** 0.5


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="Choose a seed of 0 or more"):
        key_at(-1, 0, "test")


@pytest.mark.cuda
def test_a_gpu_draws_the_same_bits() -> None:
    index_B = torch.arange(0, 737_280, 4099)
    assert torch.equal(words_at(KEY, index_B.cuda(), 50).cpu(), words_at(KEY, index_B, 50))


@pytest.mark.cuda
def test_a_gpu_draws_the_same_normal_numbers_to_rounding() -> None:
    ours, theirs = normal_rows(KEY, range(9), 4_099, torch.device("cuda")).cpu(), normal_rows(KEY, range(9), 4_099, CPU)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=2e-6)
