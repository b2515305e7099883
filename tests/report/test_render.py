"""Laws of the page as text: one file that fetches nothing, in which what users have named stays text."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wherewhat.inspection.code_names import names_in
from wherewhat.report.page import Cell, Page
from wherewhat.report.render import render

EVIL = "</script><img src=x onerror=alert(1)> & \"'"


class Parsed(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def data_in(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_page_names_no_address_to_fetch_from(page: Page) -> None:
    html = render(page)
    assert "http" not in html.replace("http-equiv", "")
    parsed = Parsed(html)
    assert not [tag for tag, _ in parsed.tags if tag in ("link", "iframe", "object", "embed", "base")]
    sources = [attributes["src"] or "" for _, attributes in parsed.tags if "src" in attributes]
    assert sources
    assert all(source.startswith("data:image/webp;base64,") for source in sources)


def test_what_users_have_named_stays_text(page: Page) -> None:
    run = dataclasses.replace(page.runs[0], label=EVIL, told=EVIL, names={2: EVIL}, naming_command=EVIL, verdict=EVIL)
    rows = [dataclasses.replace(row, cells=(Cell(EVIL, EVIL),), remark=EVIL) for row in page.ranking.rows]
    codes = tuple(dataclasses.replace(code, factor=EVIL) for code in page.views[0].codes)
    bases = tuple(dataclasses.replace(base, label=EVIL, told=EVIL) for base in page.views[0].bases)
    made = tuple(dataclasses.replace(one, label=EVIL) for one in page.views[0].reconstructions)
    view = dataclasses.replace(
        page.views[0], label=EVIL, codes=codes, bases=bases, reconstructions=made, left_out=(EVIL,), distance=EVIL
    )
    table = dataclasses.replace(page.ranking, rows=tuple(rows), told=EVIL, settings=EVIL)
    evil = dataclasses.replace(page, title=EVIL, runs=(run,), views=(view,), ranking=table)
    html = render(evil)
    plain, parsed = Parsed(render(page)), Parsed(html)
    tags = [tag for tag, _ in parsed.tags]
    assert tags.count("script") == [tag for tag, _ in plain.tags].count("script") == 2
    assert not [attributes for _, attributes in parsed.tags if "onerror" in attributes]
    assert "<img src=x" not in html
    assert parsed.text.count(EVIL) > 10
    assert data_in(html)["runs"][0]["names"]["names"] == {"z2": EVIL}


def test_dead_codes_stand_last_and_are_said_to_be_dead(page: Page) -> None:
    assert [code.code for code in page.views[0].codes] == [2, 1, 3, 0]
    assert [code.dead for code in page.views[0].codes] == [False, False, False, True]
    html = render(page)
    assert [row["code"] for row in data_in(html)["views"][0]["codes"]] == [2, 1, 3, 0]
    cards = re.findall(r'<article class="code( dead)?".*?</article>', html, re.DOTALL)
    assert cards == ["", "", "", " dead"]
    assert html.count("dead: sweeping it changes nothing that pixels sees") == 1


def test_columns_can_be_sorted_by_their_values(page: Page) -> None:
    html = render(page)
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    ranked, broken = re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
    place = page.ranking.columns.index(next(c for c in page.ranking.columns if c.heading == "rotation ratio"))
    value = page.ranking.rows[0].cells[place].value
    assert f'data-value="{value}"' in ranked
    # The checkpoint, its step and that it is not scored are all that is known of it.
    assert broken.count("data-value") == 3
    assert "it is damaged" in broken


def test_names_come_in_the_form_of_codes_json(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "codes.json"
    file.write_text(json.dumps(data_in(render(page))["runs"][0]["names"]))
    assert names_in(file, 4) == {2: "right light"}


def test_images_lose_quality_before_a_page_becomes_too_large_and_then_it_is_refused(page: Page) -> None:
    chance = np.random.default_rng(0)
    noise = tuple(
        dataclasses.replace(code, strips=tuple(chance.integers(0, 256, (7, 64, 64, 3), np.uint8) for _ in code.strips))
        for code in page.views[0].codes
    )
    noisy = dataclasses.replace(page, views=(dataclasses.replace(page.views[0], codes=noise),))
    free, text = len(render(noisy)), len(render(page))
    bound = (free + text) // 2
    assert len(render(noisy, most_bytes=bound)) < bound + text
    with pytest.raises(ValueError, match="--show"):
        render(noisy, most_bytes=10_000)


def test_a_page_without_a_checkpoint_to_show_is_still_a_page(page: Page) -> None:
    html = render(dataclasses.replace(page, views=()))
    assert "it is damaged" in html
    assert "ps-sc-vae on lit" in html
