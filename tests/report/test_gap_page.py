"""The page of a gap holds what the report says, draws what it can, and asks nothing of the network."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from crossaisle.api import GapReport, gap
from crossaisle.data.synthetic import synthetic
from crossaisle.report import plots, write_gap
from crossaisle.report.gap import number, pictures

QUICK = {"text": "", "permutations": 20, "resamples": 20}


@pytest.fixture(scope="module")
def report() -> GapReport:
    return gap(synthetic(users=60, items=50)[0], "d1", **QUICK)


@pytest.fixture(scope="module")
def text(report: GapReport, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write_gap(report, tmp_path_factory.mktemp("gap"))
    assert GapReport.read(path.with_name("gap.json")).measures[0].name == report.measures[0].name
    return path.read_text(encoding="utf-8")


def test_everything_that_was_measured_is_there(report: GapReport, text: str) -> None:
    tables = text[text.index('id="h-all"') : text.index('id="h-facts"')]
    shown = [m for m in report.measures if m.target == "d1"]
    assert tables.count('<tr><th scope="row">') == len(shown)
    for source in ("d0", "d2", "all sources"):
        assert f"{source} → d1" in tables
    for name in {m.name for m in shown}:
        assert f">{name}</th>" in tables


def test_pictures_are_drawn_and_told(text: str) -> None:
    for title in ("Map of the domains", "Content: MMD²", "Users: how much more alike", "The plan"):
        assert f'aria-label="{title}' in text
    drawn = re.findall(r'<div role="img" aria-label="([^"]+)"', text)
    assert len(drawn) == text.count("<svg ")
    assert text.count("<svg aria-hidden") == text.count("<svg ")


def test_nothing_is_fetched(text: str) -> None:
    assert not re.search(r'(src|href)="(?!#)', text)
    assert "url(http" not in text


def test_all_pairs(tmp_path: Path) -> None:
    path: Path = write_gap(gap(synthetic(users=60, items=50, n_domains=2)[0], **QUICK), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "How far apart the domains are" in text
    assert "d0 → d1" in text
    assert "d1 → d0" in text
    assert "to d0</summary>" in text


@pytest.mark.parametrize(
    ("value", "shown"), [(0.07893, "0.079"), (1.914, "1.9"), (1234.6, "1,235"), (float("nan"), "–"), (None, "–")]
)
def test_numbers_have_two_digits_that_count(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_a_small_table_of_colours_is_drawn_small_and_its_words_fit() -> None:
    cells = [(a, b, 0.1, "-0.00033") for a in "ab" for b in "ab"]
    svg = plots.heat(cells, 1.0)
    found = re.search(r"max-width: (\d+)px", svg)
    assert found is not None
    assert 2 * 7 * len("-0.00033") < int(found[1]) < 400


def test_what_lies_within_its_null_is_pale(monkeypatch: pytest.MonkeyPatch, report: GapReport) -> None:
    tops: list[float] = []
    monkeypatch.setattr(plots, "heat", lambda cells, top, size=26: tops.append(top) or "")
    within = [dataclasses.replace(m, value=1e-5, null=0.01) if m.name == "mmd" else m for m in report.measures]
    pictures(dataclasses.replace(report, measures=tuple(within)))
    assert tops == [0.01]
