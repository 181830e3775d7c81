"""The page: self-contained, complete, and the same for the same report."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

from crossaisle.evaluate.result import Report
from crossaisle.report import plots, view, words
from crossaisle.report.html import page

VOID = {"meta", "link", "br", "img", "hr", "input", "line", "path", "rect", "circle"}


class Outline(HTMLParser):
    """Checks that tags close in order, and collects ids, links and headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.outside: list[str] = []
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "data", "action") and not (value or "").startswith("#"):
                self.outside.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


def test_nothing_is_fetched_and_nothing_runs(found: Report) -> None:
    text = page(found)
    outline = Outline(text)
    assert outline.open == []
    assert outline.outside == []
    assert "<script" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    assert len(outline.ids) == len(set(outline.ids))


def test_the_page_says_it_all(found: Report) -> None:
    text = page(found)
    outline = Outline(text)
    assert words.lead(found) in text
    for heading in ("Guard: can it hurt?", "Time saved", "What it costs", "How to read it", "Protocol"):
        assert heading in outline.headings
    for label in found.kinds:
        assert f">{label}" in text
    assert text.count("<svg viewBox") + text.count('class="marks"') >= 10
    assert 'lang="en"' in text
    assert "prefers-color-scheme: dark" in text
    assert text == page(found)


def test_a_study_of_one_step_has_dots_and_no_time(single: Report) -> None:
    text = page(single)
    assert Outline(text).open == []
    assert "Time saved" not in Outline(text).headings
    assert "leaks the future" in text


def test_names_of_users_are_text_and_never_markup(found: Report) -> None:
    nasty = "<script>alert(1)</script>"
    protocol = {**found.protocol, "world": nasty}
    text = page(dataclasses.replace(found, protocol=protocol, warnings=(nasty,)))
    assert nasty not in text
    assert "&lt;script&gt;" in text


def test_curves_take_the_best_control_at_each_step(found: Report) -> None:
    series = {s.name: s for s in view.curves(found, *view.headline(found))}
    assert set(series) == {"best control", "ease_all"}
    table = view.numbers(found, *view.headline(found))
    controls = [m for m, kind in found.kinds.items() if kind == "control"]
    for x, value, low, high in series["best control"].points:
        rows = [table[m, (x, None)] for m in controls if (m, (x, None)) in table]
        assert value == max(r.value for r in rows)
        assert low <= value <= high
    assert [x for x, *_ in series["ease_all"].points] == [2.0, 8.0]


def test_the_words_at_the_arrow_have_room_in_a_wide_font(found: Report) -> None:
    text = "at least ×4"
    svg = plots.curve(
        found,
        view.curves(found, "new", "ndcg", 10),
        plots.colours(view.curves(found, "new", "ndcg", 10)),
        (500, 300),
        (2.0, 8.0, 0.2, text),
    )
    width, plot = (
        float(re.findall(rf"{what}([\d.]+)", svg)[0]) for what in ('viewBox="0 0 ', r' transform="translate\(')
    )
    assert width >= plot + 500 + 9 + 0.72 * 14 * len(text)  # plot, gap, and 14 px bold of 0.72 em a letter
