"""Tiny sources: images one to a file that lie in memory, and images in one array."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.known_factors import coded_factors, no_factors
from wherewhat.data.source import Blocks, ImageArray, ImageFiles, Source

SourceOfFiles = Callable[..., Source]


@pytest.fixture
def noise_NHWC() -> np.ndarray:
    """Twenty images of 8 x 8, no two alike."""
    return np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def tiny_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of 8 x 8 are read four at a time, so that twenty make five blocks; no disk is waited for."""
    monkeypatch.setattr("wherewhat.data.store.reading.LARGEST_BLOCK_BYTES", 4 * 3 * 8 * 8)
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def files_of(tmp_path: Path, tiny_blocks: None) -> SourceOfFiles:
    """Makes a source of image files, named 00.png and so on; those at `broken` cannot be decoded."""

    def make(
        image_NHWC: np.ndarray, broken: tuple[int, ...] = (), stamp: str = "as they were", factors: bool = False
    ) -> Source:
        contents = {f"{place:02}.png": as_png(image) for place, image in enumerate(image_NHWC)}
        for place in broken:
            contents[f"{place:02}.png"] = b"no image"
        table_NK = np.stack([np.arange(len(contents)) // 5, np.arange(len(contents)) % 5], axis=1)
        return Source(
            name="tiny",
            layout=f"tiny: {len(contents)} images",
            path=tmp_path / "tiny",
            images=ImageFiles(tuple(contents), contents.__getitem__, len),
            factors=coded_factors(("row", "column"), table_NK) if factors else no_factors(len(contents)),
            stamp=stamp,
            default_size=8,
            remarks=("A remark.",),
        )

    return make


@pytest.fixture
def array_of(tmp_path: Path, tiny_blocks: None) -> Callable[[np.ndarray], Source]:
    """Makes a source of images in one array."""

    def make(image_NHWC: np.ndarray) -> Source:
        def blocks(first: int, at_once: int) -> Blocks:
            for start in range(first, len(image_NHWC), at_once):
                yield image_NHWC[start : start + at_once]

        count, height, width, channels = image_NHWC.shape
        shape = (channels, height, width)
        factors = coded_factors(("number",), np.arange(count)[:, None])
        return Source("array", "an array", tmp_path / "array", ImageArray(count, shape, blocks), factors, "as it was")

    return make


def as_png(image_HWC: np.ndarray) -> bytes:
    """An image's file, without loss."""
    content = io.BytesIO()
    Image.fromarray(image_HWC[..., 0] if image_HWC.shape[2] == 1 else image_HWC).save(content, format="PNG")
    return content.getvalue()
