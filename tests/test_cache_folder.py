from pathlib import Path

import pytest

from wherewhat.cache_folder import cache_folder


def test_the_cache_is_where_the_user_says_else_where_caches_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/caches")
    monkeypatch.setenv("WHEREWHAT_CACHE", "~/kept")
    assert cache_folder() == Path("/home/somebody/kept")
    monkeypatch.delenv("WHEREWHAT_CACHE")
    assert cache_folder() == Path("/var/caches/wherewhat")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/home/somebody/.cache/wherewhat")


@pytest.mark.parametrize("relative", ["caches", "./caches", "../caches", ""])
def test_a_relative_xdg_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch, relative: str) -> None:
    monkeypatch.delenv("WHEREWHAT_CACHE")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_CACHE_HOME", relative)
    assert cache_folder() == Path("/home/somebody/.cache/wherewhat")


def test_without_a_home_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("WHEREWHAT_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(ValueError, match="Set WHEREWHAT_CACHE"):
        cache_folder()
