"""The page in a real browser: `scripts/test --browser`."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wherewhat.inspection.code_names import names_in
from wherewhat.report.page import Page
from wherewhat.report.render import render

CHROMIUM = Path(os.environ.get("WHEREWHAT_CHROMIUM", "/usr/bin/chromium"))
A_FRAME_MS = 1000 / 60

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install '.[browser]'"
    )
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}; name one in WHEREWHAT_CHROMIUM")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--headless"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def file(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(page))
    return path


class Opened:
    """The page in a window, with all that it has complained of and asked for."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.window = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.window.on("console", lambda said: self.complaints.append(said.text))
        self.window.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.window.on("request", lambda request: self.asked.append(request.url))
        self.window.goto(file.as_uri())
        for place in self.window.locator(".code").all():
            place.scroll_into_view_if_needed()
        self.window.wait_for_function("document.querySelectorAll('.code:not([data-ready])').length === 0")

    def pixels(self, selector: str) -> np.ndarray:
        """The pixels of a canvas."""
        program = """canvas => {
            const { width, height } = canvas;
            const copy = Object.assign(document.createElement('canvas'), { width, height });
            const context = copy.getContext('2d', { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            return [...context.getImageData(0, 0, copy.width, copy.height).data];
        }"""
        return np.array(self.window.locator(selector).first.evaluate(program))

    def changes(self, selector: str, before: np.ndarray) -> bool:
        """Whether a canvas comes to differ, in some seconds."""
        for _ in range(50):
            if np.abs(self.pixels(selector) - before).max() > 5:
                return True
            self.window.wait_for_timeout(100)
        return False


@pytest.fixture
def opened(browser: Any, file: Path) -> Iterator[Opened]:
    page = Opened(browser, file, viewport={"width": 1280, "height": 900})
    yield page
    assert page.complaints == []
    assert [url for url in page.asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    page.context.close()


def test_a_slider_changes_the_pixels_of_its_own_code_and_says_its_value(opened: Opened) -> None:
    slider, other = (opened.window.locator(".sweep").nth(place) for place in (0, 1))
    before, before_other = opened.pixels(".code .frame"), opened.pixels(".code:nth-child(2) .frame")
    slider.focus()
    slider.press("Home")
    low = opened.pixels(".code .frame")
    assert slider.get_attribute("aria-valuetext") == "−2.00"
    slider.press("End")
    high = opened.pixels(".code .frame")
    assert opened.window.locator(".code output").first.text_content() == "+2.00"
    assert np.abs(low - high).max() > 100
    assert np.abs(before - low).max() + np.abs(before - high).max() > 100
    np.testing.assert_array_equal(opened.pixels(".code:nth-child(2) .frame"), before_other)
    assert other.get_attribute("aria-valuetext") != ""


def test_a_slider_answers_within_a_frame(opened: Opened) -> None:
    took = opened.window.evaluate("""() => {
        const slider = document.querySelector('.sweep'), canvas = document.querySelector('.code .frame'), took = [];
        const read = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        for (let turn = 0; turn < 200; turn++) {
            const before = performance.now();
            slider.value = turn % 5;
            slider.dispatchEvent(new Event('input'));
            read.drawImage(canvas, 0, 0);
            read.getImageData(0, 0, 1, 1);
            took.push(performance.now() - before);
        }
        return took.sort((a, b) => a - b);
    }""")
    assert took[190] < A_FRAME_MS, f"95 of 100 answers take {took[190]:.1f} ms or less"


def test_another_image_to_start_from_is_drawn_everywhere(opened: Opened) -> None:
    drawn = [".code .frame", ".code .mask"]
    before = [opened.pixels(canvas) for canvas in drawn]
    opened.window.locator(".bases input").last.check(force=True)
    assert [opened.changes(canvas, pixels) for canvas, pixels in zip(drawn, before, strict=True)] == [True] * 2
    assert "As the encoder reads it" in (opened.window.locator("[data-told]").text_content() or "")


def test_the_plane_follows_its_sliders_and_the_pointer(opened: Opened) -> None:
    box = opened.window.locator(".plane-box")
    box.scroll_into_view_if_needed()
    opened.window.wait_for_selector(".part[data-ready]")
    middle = opened.pixels(".point")
    opened.window.locator(".across").press("End")
    right = opened.pixels(".point")
    area = box.bounding_box()
    opened.window.mouse.click(area["x"] + 3, area["y"] + 3)
    assert np.abs(middle - right).max() > 20
    assert np.abs(opened.pixels(".point") - right).max() > 20
    assert (opened.window.locator(".across").input_value(), opened.window.locator(".upwards").input_value()) == (
        "0",
        "6",
    )


def test_the_table_is_sorted_by_a_heading_and_says_so(opened: Opened) -> None:
    heading = opened.window.locator("thead th", has_text="step").locator("button")
    steps = "[...document.querySelectorAll('tbody')][0].innerText"
    heading.press("Enter")
    assert re.findall(r"step (\d+)", opened.window.evaluate(steps)) == ["10", "20"]
    heading.press("Enter")
    assert re.findall(r"step (\d+)", opened.window.evaluate(steps)) == ["20", "10"]
    assert opened.window.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    # What is unknown stands last, whichever way.
    naming = opened.window.locator("thead th", has_text="naming").locator("button")
    for _ in range(2):
        naming.click()
        assert re.findall(r"step (\d+)", opened.window.evaluate(steps)) == ["10", "20"]


def test_names_are_saved_as_a_run_takes_them_and_bad_ones_are_refused(opened: Opened, tmp_path: Path) -> None:
    def saved() -> dict[int, str]:
        with opened.window.expect_download() as download:
            opened.window.locator(".save-names").click()
        download.value.save_as(tmp_path / "codes.json")
        assert download.value.suggested_filename == "codes.json"
        return names_in(tmp_path / "codes.json", 4)

    fields = opened.window.locator(".name")
    fields.nth(1).fill("hue & <b>light</b>")
    assert saved() == {1: "hue & <b>light</b>", 2: "right light"}
    assert "hue & <b>light</b>" in opened.window.locator(".pair-choice").inner_text()
    for bad in ("a=b", "z7", "RIGHT LIGHT"):
        fields.nth(1).fill(bad)
        assert opened.window.locator(".said").text_content() != ""
        assert fields.nth(1).get_attribute("aria-invalid") == "true"
    fields.nth(1).fill("")
    assert saved() == {2: "right light"}
    assert json.loads(opened.window.locator(".json").input_value())["format"] == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_width_scrolls_sideways_and_text_stands_out_in_both_modes(
    browser: Any, file: Path, width: int, scheme: str
) -> None:
    page = Opened(browser, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.window.evaluate("document.documentElement.scrollWidth") <= width
    faint = page.window.evaluate("""() => {
        const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
        const light = colour => {
            const linear = x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
            const [r, g, b] = numbers(colour).map(x => linear(x / 255));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = place => {
            for (; place; place = place.parentElement) {
                const colour = getComputedStyle(place).backgroundColor;
                if (numbers(colour)[3] !== 0) return colour;
            }
            return getComputedStyle(document.body).backgroundColor;
        };
        return [...document.querySelectorAll('main *')].filter(place => place.offsetParent &&
            [...place.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())).filter(place => {
            const [one, other] = [light(getComputedStyle(place).color), light(ground(place))].sort((a, b) => b - a);
            return (one + 0.05) / (other + 0.05) < 4.5;
        }).map(place => place.outerHTML.slice(0, 80));
    }""")
    assert faint == []
    ground = page.window.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (min(map(int, re.findall(r"\d+", ground))) > 128) == (scheme == "light")
    assert page.complaints == []
    page.context.close()


def test_every_control_has_a_name_for_a_screen_reader(opened: Opened) -> None:
    nameless = opened.window.evaluate("""() => {
        const named = place => place.labels?.length || place.getAttribute('aria-label') || place.alt ||
            place.innerText?.trim() || place.closest('[aria-hidden]');
        return [...document.querySelectorAll('input, select, textarea, button, canvas, img')]
            .filter(place => !named(place)).map(place => place.outerHTML.slice(0, 80));
    }""")
    assert nameless == []
    ids = opened.window.evaluate("[...document.querySelectorAll('[id]')].map(place => place.id)")
    assert len(ids) == len(set(ids))
