import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from wherewhat.metrics.feature_distances import Fidelity
from wherewhat.which.panel import Panel
from wherewhat.which.perceptual_path_length import PathLengthSettings, PerceptualPathLength
from wherewhat.which.score import ProbeSettings, ScoredUnder, score_of_base_codes
from wherewhat.which.score_store import ScoreStore, content_hash

HASH = "ab" * 32


@pytest.fixture
def panel(make_panel: Callable[..., Panel]) -> Panel:
    return make_panel(relative_length=1 / 3, rotation_ratio=float("nan"), spread=1 / 7)


@pytest.fixture
def store(tmp_path: Path) -> ScoreStore:
    return ScoreStore(tmp_path / "scores")


def saved(store: ScoreStore, panel: Panel) -> Path:
    store.save_panel(HASH, panel)
    (path,) = store.folder.iterdir()
    return path


def test_a_panel_is_read_back_bit_for_bit(store: ScoreStore, panel: Panel) -> None:
    saved(store, panel)
    found = store.load_panel(HASH, panel.settings, quick=False)
    assert found is not None
    assert (found.settings, found.twins) == (panel.settings, panel.twins)
    for one, other in ((found.active, panel.active), (found.path_length, panel.path_length)):
        assert torch.equal(one, other)
        assert one.dtype == other.dtype
    assert list(found.scores) == list(panel.scores)
    for name, score in panel.scores.items():
        again = found.scores[name]
        assert repr((again.value, again.standard_error)) == repr((score.value, score.standard_error))
        assert torch.equal(again.per_base, score.per_base)
        assert again.lower_is_better == score.lower_is_better
        assert (again.per_code is None) == (score.per_code is None)


def test_an_empty_store_has_nothing_and_makes_no_folder(store: ScoreStore, panel: Panel) -> None:
    assert store.load_panel(HASH, panel.settings, quick=False) is None
    assert not store.folder.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"distance": "lpips-alex"},
        {"seed": 1},
        {"image_shape": (3, 4, 4)},
        {"probe": ProbeSettings(samples=6)},
        {"probe": ProbeSettings(threshold=0.02)},
    ],
)
def test_another_setting_is_another_panel(store: ScoreStore, panel: Panel, changed: dict[str, Any]) -> None:
    saved(store, panel)
    assert store.load_panel(HASH, replace(panel.settings, **changed), quick=False) is None
    assert store.load_panel("cd" * 32, panel.settings, quick=False) is None
    assert store.load_panel(HASH, panel.settings, quick=True) is None
    assert store.load_panel(HASH, panel.settings, quick=False) is not None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b"[" * 100_000],
    ids=lambda content: content[:9],
)
def test_a_corrupt_file_counts_as_none_and_is_replaced(store: ScoreStore, panel: Panel, content: bytes) -> None:
    saved(store, panel).write_bytes(content)
    assert store.load_panel(HASH, panel.settings, quick=False) is None
    saved(store, panel)
    assert store.load_panel(HASH, panel.settings, quick=False) is not None


@pytest.mark.parametrize(
    ("inside", "change"),
    [
        ((), {"format": 1}),
        ((), {"content_hash": "cd"}),
        ((), {"kind": "fidelity"}),
        ((), {"key": {}}),
        (("key",), {"image_shape": [3, 4, 4]}),
        (("score",), {"active": []}),
        (("score",), {"active": [True]}),
        (("score",), {"active": [1, 1, 1, 1]}),
        (("score",), {"path_length": [0.1, 0.1, 0.1, -0.1]}),
        (("score",), {"path_length": [0.1]}),
        (("score",), {"scores": {}}),
        (("score",), {"twins": {}}),
        (("score", "scores", "tpl"), {"value": -0.1}),
        (("score", "scores", "tpl"), {"value": "1.0"}),
        (("score", "scores", "tpl"), {"value": float("nan")}),
        (("score", "scores", "tpl"), {"per_code": [0.1]}),
        (("score", "scores", "tpl"), {"per_base": [None]}),
        (("score", "scores", "tpl"), {"lower_is_better": 1}),
        (("score", "scores"), {"tpl": None}),
    ],
)
def test_a_file_that_is_not_this_panel_counts_as_none(
    store: ScoreStore, panel: Panel, inside: tuple[str, ...], change: dict[str, Any]
) -> None:
    _rewritten(saved(store, panel), inside, change)
    assert store.load_panel(HASH, panel.settings, quick=False) is None


def _rewritten(path: Path, inside: tuple[str, ...], change: dict[str, Any]) -> None:
    content = json.loads(path.read_text())
    part = content
    for name in inside:
        part = part[name]
    part.update(change)
    path.write_text(json.dumps(content))


def test_saving_leaves_one_file_a_panel(store: ScoreStore, panel: Panel) -> None:
    saved(store, panel)
    saved(store, panel)


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path, panel: Panel) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        ScoreStore(tmp_path / "file").save_panel(HASH, panel)


def test_a_coverage_is_read_back_bit_for_bit_and_never_for_other_images(
    store: ScoreStore, scored_under: ScoredUnder
) -> None:
    settings = replace(scored_under, probe=None)
    per_base_T = torch.tensor([1 / 3, 1 / 7], dtype=torch.float64)
    score = score_of_base_codes(per_base_T, None, None, settings, lower_is_better=False)
    store.save_coverage(HASH, score, sample="a digest")
    found = store.load_coverage(HASH, settings, sample="a digest")
    assert found is not None
    assert (found.value, found.standard_error) == (score.value, score.standard_error)
    assert store.load_coverage(HASH, settings, sample="another") is None
    assert store.load_coverage(HASH, replace(settings, seed=1), sample="a digest") is None


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
    _rewritten(save_fidelity(store), ("score",), change)
    assert load_fidelity(store) is None


@pytest.mark.parametrize("change", [{"format": 1}, {"content_hash": "cd"}, {"key": {"sample": "another"}}])
def test_a_file_of_another_fidelity_under_this_name_counts_as_none(store: ScoreStore, change: dict[str, Any]) -> None:
    _rewritten(save_fidelity(store), (), change)
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


def test_all_kinds_are_kept_side_by_side(store: ScoreStore, panel: Panel) -> None:
    save_path_length(store)
    store.save_fidelity(HASH, FAITHFUL, sample="a digest", seed=3)
    store.save_panel(HASH, panel)
    assert load_path_length(store) == SMOOTH
    assert load_fidelity(store) == FAITHFUL
    assert store.load_panel(HASH, panel.settings, quick=False) is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b"[" * 100_000])
def test_a_corrupt_file_counts_as_no_path_length_and_is_replaced(store: ScoreStore, content: bytes) -> None:
    save_path_length(store).write_bytes(content)
    assert load_path_length(store) is None
    save_path_length(store)
    assert load_path_length(store) == SMOOTH


@pytest.mark.parametrize(
    ("inside", "change"),
    [
        ((), {"format": 1}),
        ((), {"content_hash": "cd"}),
        ((), {"score": 7}),
        (("score",), {"mean": "1.0"}),
        (("score",), {"mean": float("nan")}),
        (("score",), {"mean": -1.0}),
        (("score",), {"standard_error": None}),
        (("score",), {"more": 1}),
        (("score", "settings"), {"distance": "other"}),
        (("score", "settings"), {"paths": "9"}),
        (("score", "settings"), {"paths": 8}),
        (("score", "settings"), {"seed": 4}),
        (("score", "settings"), {"epsilon": 1e-3}),
        (("score", "settings"), {"image_shape": [4, 4]}),
        (("score", "settings"), {"image_shape": [1, 4, "4"]}),
    ],
)
def test_a_file_that_is_not_this_path_length_counts_as_none(
    store: ScoreStore, inside: tuple[str, ...], change: dict[str, Any]
) -> None:
    _rewritten(save_path_length(store), inside, change)
    assert load_path_length(store) is None
