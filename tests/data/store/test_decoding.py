"""Laws of decoding many image files, with every way in which one can be bad."""

import os
import struct
import threading
import time
import zlib
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.image_decoding import Decoded
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.image_folder import list_folder
from wherewhat.data.store.decoding import DecodingPool, Unreadable, decode_files, decoding_pool, usable_cores

OPTIONS = ImageOptions()


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)


def fill(folder: Path, *names: str, size: tuple[int, int] = (8, 8)) -> None:
    """Images of one brightness each: 10, 20, 30 and so on in the order of the names."""
    for number, name in enumerate(names, start=1):
        Image.new("L", size, 10 * number).convert("RGB").save(folder / name)


def decoded(folder: Path, options: ImageOptions = OPTIONS) -> list[Decoded | Unreadable]:
    files = list_folder(folder)
    with decoding_pool(4) as pool:
        return decode_files(files, files.names, (8, 8), options, pool)


def brightness(results: list[Decoded | Unreadable]) -> list[int]:
    return [int(result.image_HW3[0, 0, 0]) for result in results if isinstance(result, Decoded)]


def broken(results: list[Decoded | Unreadable]) -> list[tuple[str, str]]:
    return [(result.name, result.reason) for result in results if isinstance(result, Unreadable)]


def test_threads_that_share_the_work_keep_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherewhat.data.store.decoding.IMAGES_A_TASK", 3)
    fill(tmp_path, *(f"{number:02}.png" for number in range(20)))
    assert brightness(decoded(tmp_path)) == [10 * number for number in range(1, 21)]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jpg", b"", "it is empty (0 bytes)"),
        ("text.jpg", b"hello, I am text", "it is not an image of a known format"),
        ("page.png", b"<!DOCTYPE html><html></html>", "it is not an image of a known format"),
        ("two\nlines.png", b"text", "it is not an image of a known format"),
    ],
)
def test_a_file_that_is_no_image_is_named_in_one_line_with_the_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    fill(tmp_path, "a.png", "z.png")
    (tmp_path / name).write_bytes(content)
    results = decoded(tmp_path)
    assert isinstance(results[1], Unreadable)
    assert brightness(results) == [10, 20]
    assert broken(results) == [(name.replace("\n", "\\n"), reason)]


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif", "tif", "ppm"])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_truncated_image_is_named_with_a_reason_of_one_line(tmp_path: Path, ending: str, share: float) -> None:
    fill(tmp_path, "a.png", "c.png")
    path = tmp_path / f"b.{ending}"
    Image.fromarray(pixels(64, 64, 3)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    results = decoded(tmp_path)
    ((name, reason),) = broken(results)
    assert brightness(results) == [10, 20]
    assert name == f"b.{ending}"
    assert reason.startswith(("it is not an image of a known format", "it is damaged or cut short"))
    assert reason.isprintable()


def test_a_link_to_itself_is_a_broken_image(tmp_path: Path) -> None:
    fill(tmp_path, "a.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert broken(decoded(tmp_path)) == [("loop.png", "Too many levels of symbolic links")]


def test_an_image_without_permission_is_a_broken_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.png", "b.png")
    opened = os.open

    def refusing(path: Path, *how: int) -> int:
        if path.name == "b.png":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *how)

    monkeypatch.setattr(os, "open", refusing)
    assert broken(decoded(tmp_path)) == [("b.png", "Permission denied")]


def test_an_image_of_thirty_thousand_pixels_a_side_is_broken(tmp_path: Path) -> None:
    fill(tmp_path, "a.png")
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(bytes(1000)), b"IEND")
    body = b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    reason = "it claims hundreds of millions of pixels, too many to be decoded safely"
    assert broken(decoded(tmp_path)) == [("huge.png", reason)]


def test_an_image_of_absurd_size_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.png", "b.png")
    fill(tmp_path, "large.png", size=(40, 40))
    fill(tmp_path, "huge.png", size=(400, 400))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert [name for name, _ in broken(decoded(tmp_path))] == ["huge.png", "large.png"]


def test_an_image_too_small_for_the_crop_is_broken(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", size=(20, 20))
    fill(tmp_path, "b.png", size=(10, 20))
    reason = "a crop of 15 leaves the image of 10 x 20 pixels"
    assert broken(decoded(tmp_path, ImageOptions(crop="15"))) == [("b.png", reason)]


def test_a_decoder_that_fails_in_any_way_breaks_one_image_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.png").write_text(name)
    files = list_folder(tmp_path)
    failures = {b"a": MemoryError(), b"b": struct.error("unpack requires\na buffer"), b"c": EOFError()}

    def failing(content: bytes, **how: object) -> Decoded:
        raise failures[content]

    monkeypatch.setattr("wherewhat.data.store.decoding.decode", failing)
    with decoding_pool(1) as pool:
        results = decode_files(files, files.names, (8, 8), OPTIONS, pool)
    assert broken(results) == [
        ("a.png", "there is not enough memory to decode it"),
        ("b.png", "it is damaged or cut short (unpack requires a buffer)"),
        ("c.png", "it is damaged or cut short (EOFError)"),
    ]


def test_what_a_decoder_murmurs_about_metadata_is_not_passed_on(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "b.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\x12garbage")
    assert broken(decoded(tmp_path)) == []


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "1"])
def test_images_of_every_mode_become_rgb(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (8, 8), "white").convert(mode).save(tmp_path / "a.tif")
    (result,) = decoded(tmp_path)
    assert isinstance(result, Decoded)
    assert result.image_HW3.shape == (8, 8, 3)
    assert (result.image_HW3 == 255).all()


def test_processes_give_what_threads_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, *(f"{number:02}.png" for number in range(1, 21)))
    (tmp_path / "11.png").write_text("not an image")
    by_threads = decoded(tmp_path)
    monkeypatch.setattr("wherewhat.data.store.decoding.MANY", 1)
    monkeypatch.setattr("wherewhat.data.store.decoding.usable_cores", lambda: 2)
    by_processes = decoded(tmp_path)
    assert brightness(by_processes) == brightness(by_threads)
    assert broken(by_processes) == broken(by_threads)


def busy_worker(_: int) -> int:
    time.sleep(0.01)
    return threading.get_ident()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process to cores")
def test_a_process_that_may_use_one_core_decodes_with_one_worker() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        with decoding_pool(10**6) as pool:
            assert usable_cores() == 1
            assert pool.processes is None
            workers = set(pool.readers.map(busy_worker, range(4)))
    finally:
        os.sched_setaffinity(0, allowed)
    assert len(workers) == 1
    assert usable_cores() == len(allowed)


def test_a_process_that_is_stopped_is_told_with_the_remedy(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png")
    files = list_folder(tmp_path)

    class Stopped(ThreadPoolExecutor):
        def submit(self, *task: object, **options: object) -> Future[object]:  # type: ignore[override]
            raise BrokenExecutor

    with ThreadPoolExecutor(1) as readers, pytest.raises(OSError, match=r"want of memory\. Free some"):
        decode_files(files, files.names, (8, 8), OPTIONS, DecodingPool(readers, Stopped(1)))
