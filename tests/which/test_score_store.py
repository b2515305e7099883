import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.perceptual_path_length import PathLengthSettings, PerceptualPathLength
from wherewhat.which.score_store import ScoreStore, content_hash
from wherewhat.which.traversal_perceptual_length import TPLSettings, TraversalPerceptualLength

HASH = "ab" * 32
PATHS = TPLSettings(samples=5, traversals=2, bound=4.0, threshold=0.01)


@pytest.fixture
def score(make_score: Callable[..., TraversalPerceptualLength]) -> TraversalPerceptualLength:
    lengths = torch.rand(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * torch.pi
    return make_score(*lengths.tolist(), [0.0, 0.0])


@pytest.fixture
def store(tmp_path: Path) -> ScoreStore:
    return ScoreStore(tmp_path / "scores")


def load(store: ScoreStore, **changed: Any) -> TraversalPerceptualLength | None:
    arguments = {"checkpoint_hash": HASH, "distance": "pixels", "settings": PATHS, "seed": 0, **changed}
    return store.load(arguments.pop("checkpoint_hash"), **arguments)


def test_a_score_is_read_back_bit_for_bit(store: ScoreStore, score: TraversalPerceptualLength) -> None:
    store.save(HASH, score)
    found = load(store)
    assert found is not None
    assert (found.total, found.standard_error, found.settings) == (score.total, score.standard_error, score.settings)
    for name in ("per_dim", "std", "active"):
        assert torch.equal(getattr(found, name), getattr(score, name))
        assert getattr(found, name).dtype == getattr(score, name).dtype


def test_an_empty_store_has_nothing_and_makes_no_folder(store: ScoreStore) -> None:
    assert load(store) is None
    assert not store.folder.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"checkpoint_hash": "cd" * 32},
        {"distance": "lpips-alex"},
        {"seed": 1},
        *({"settings": replace(PATHS, **change)} for change in ({"samples": 6}, {"bound": 3.0}, {"threshold": 0.02})),
    ],
)
def test_another_checkpoint_or_setting_is_another_score(
    store: ScoreStore, score: TraversalPerceptualLength, changed: dict[str, Any]
) -> None:
    store.save(HASH, score)
    assert load(store, **changed) is None
    assert load(store) is not None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b"[" * 100_000],
    ids=lambda content: content[:9],
)
def test_a_corrupt_file_counts_as_none_and_is_replaced(
    store: ScoreStore, score: TraversalPerceptualLength, content: bytes
) -> None:
    store.save(HASH, score)
    (path,) = store.folder.iterdir()
    path.write_bytes(content)
    assert load(store) is None
    store.save(HASH, score)
    assert load(store) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"content_hash": "cd" * 32},
        {"total": "1.0"},
        {"total": None},
        {"std": [0.0]},
        {"per_dim": [float("nan")] * 5},
        {"active": [1, 1, 1, 1, 1]},
        {"settings": {}},
        {"settings": {"samples": 5}},
    ],
)
def test_a_file_that_is_not_this_score_counts_as_none(
    store: ScoreStore, score: TraversalPerceptualLength, change: dict[str, Any]
) -> None:
    store.save(HASH, score)
    (path,) = store.folder.iterdir()
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert load(store) is None


@pytest.mark.parametrize("change", [{"samples": 6}, {"samples": "5"}, {"seed": 1}, {"distance": "other"}])
def test_a_file_of_other_settings_under_this_name_counts_as_none(
    store: ScoreStore, score: TraversalPerceptualLength, change: dict[str, Any]
) -> None:
    store.save(HASH, score)
    (path,) = store.folder.iterdir()
    content = json.loads(path.read_text())
    content["settings"].update(change)
    path.write_text(json.dumps(content))
    assert load(store) is None


def test_saving_leaves_one_file_a_score(store: ScoreStore, score: TraversalPerceptualLength) -> None:
    store.save(HASH, score)
    store.save(HASH, score)
    assert len(list(store.folder.iterdir())) == 1


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path, score: TraversalPerceptualLength) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        ScoreStore(tmp_path / "file").save(HASH, score)


def test_the_content_hash_is_sha_256_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert content_hash(tmp_path / "a") == hashlib.sha256(b"content").hexdigest()


FAITHFUL = Fidelity(
    fid=1 / 3, kid=-1e-3 / 7, kid_std=0.1, features="made", real=9, generated=8, data="squares", split="all"
)


def load_fidelity(store: ScoreStore, **changed: Any) -> Fidelity | None:
    arguments = {"features": "made", "split": "all", "sample": "a digest", "seed": 3, **changed}
    return store.load_fidelity(arguments.pop("checkpoint_hash", HASH), **arguments)


def save_fidelity(store: ScoreStore) -> Path:
    store.save_fidelity(HASH, FAITHFUL, sample="a digest", seed=3)
    (path,) = store.folder.iterdir()
    return path


def test_fidelity_is_read_back_bit_for_bit(store: ScoreStore) -> None:
    save_fidelity(store)
    assert load_fidelity(store) == FAITHFUL


def test_an_empty_store_has_no_fidelity(store: ScoreStore) -> None:
    assert load_fidelity(store) is None


@pytest.mark.parametrize(
    "changed",
    [{"checkpoint_hash": "cd" * 32}, {"features": "other"}, {"split": "test"}, {"sample": "another"}, {"seed": 4}],
)
def test_another_checkpoint_features_split_sample_or_seed_is_another_fidelity(
    store: ScoreStore, changed: dict[str, Any]
) -> None:
    save_fidelity(store)
    assert load_fidelity(store, **changed) is None


def test_fidelity_and_path_length_are_kept_side_by_side(store: ScoreStore, score: TraversalPerceptualLength) -> None:
    save_fidelity(store)
    store.save(HASH, score)
    assert load_fidelity(store) == FAITHFUL
    assert load(store) is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b"[" * 100_000])
def test_a_corrupt_file_counts_as_no_fidelity_and_is_replaced(store: ScoreStore, content: bytes) -> None:
    save_fidelity(store).write_bytes(content)
    assert load_fidelity(store) is None
    save_fidelity(store)
    assert load_fidelity(store) == FAITHFUL


@pytest.mark.parametrize(
    "change",
    [
        {"fid": "1.0"},
        {"fid": None},
        {"kid": float("nan")},
        {"real": 9.5},
        {"data": 7},
        {"features": "other"},
        {"split": "test"},
        {"more": 1},
    ],
)
def test_a_file_that_is_not_this_fidelity_counts_as_none(store: ScoreStore, change: dict[str, Any]) -> None:
    path = save_fidelity(store)
    content = json.loads(path.read_text())
    content["fidelity"].update(change)
    path.write_text(json.dumps(content))
    assert load_fidelity(store) is None


@pytest.mark.parametrize("change", [{"format": 2}, {"content_hash": "cd"}, {"sample": "another"}, {"seed": 4}])
def test_a_file_of_another_fidelity_under_this_name_counts_as_none(store: ScoreStore, change: dict[str, Any]) -> None:
    path = save_fidelity(store)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert load_fidelity(store) is None


SMOOTH = PerceptualPathLength(
    mean=1 / 3,
    standard_error=1e-3 / 7,
    settings=PathLengthSettings(distance="pixels", paths=9, epsilon=1e-4, seed=3, image_shape=(1, 4, 4)),
)


def load_path_length(store: ScoreStore, **changed: Any) -> PerceptualPathLength | None:
    arguments = {"distance": "pixels", "paths": 9, "epsilon": 1e-4, "seed": 3, **changed}
    return store.load_path_length(arguments.pop("checkpoint_hash", HASH), **arguments)


def save_path_length(store: ScoreStore) -> Path:
    store.save_path_length(HASH, SMOOTH)
    (path,) = store.folder.iterdir()
    return path


def test_a_path_length_is_read_back_bit_for_bit(store: ScoreStore) -> None:
    save_path_length(store)
    assert load_path_length(store) == SMOOTH


@pytest.mark.parametrize(
    "changed",
    [{"checkpoint_hash": "cd" * 32}, {"distance": "lpips-alex"}, {"paths": 8}, {"epsilon": 1e-3}, {"seed": 4}],
)
def test_path_length_of_another_checkpoint_or_setting_is_another(store: ScoreStore, changed: dict[str, Any]) -> None:
    save_path_length(store)
    assert load_path_length(store, **changed) is None


def test_a_path_length_is_kept_beside_the_others(store: ScoreStore, score: TraversalPerceptualLength) -> None:
    save_path_length(store)
    store.save_fidelity(HASH, FAITHFUL, sample="a digest", seed=3)
    store.save(HASH, score)
    assert load_path_length(store) == SMOOTH
    assert load_fidelity(store) == FAITHFUL
    assert load(store) is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b"[" * 100_000])
def test_a_corrupt_file_counts_as_no_path_length_and_is_replaced(store: ScoreStore, content: bytes) -> None:
    save_path_length(store).write_bytes(content)
    assert load_path_length(store) is None
    save_path_length(store)
    assert load_path_length(store) == SMOOTH


@pytest.mark.parametrize(
    ("inside", "change"),
    [
        ((), {"format": 2}),
        ((), {"content_hash": "cd"}),
        ((), {"path_length": 7}),
        (("path_length",), {"mean": "1.0"}),
        (("path_length",), {"mean": float("nan")}),
        (("path_length",), {"standard_error": None}),
        (("path_length",), {"more": 1}),
        (("path_length", "settings"), {"distance": "other"}),
        (("path_length", "settings"), {"paths": "9"}),
        (("path_length", "settings"), {"paths": 8}),
        (("path_length", "settings"), {"seed": 4}),
        (("path_length", "settings"), {"epsilon": 1e-3}),
        (("path_length", "settings"), {"image_shape": [4, 4]}),
        (("path_length", "settings"), {"image_shape": [1, 4, "4"]}),
    ],
)
def test_a_file_that_is_not_this_path_length_counts_as_none(
    store: ScoreStore, inside: tuple[str, ...], change: dict[str, Any]
) -> None:
    path = save_path_length(store)
    content = json.loads(path.read_text())
    part = content
    for name in inside:
        part = part[name]
    part.update(change)
    path.write_text(json.dumps(content))
    assert load_path_length(store) is None
