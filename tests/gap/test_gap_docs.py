"""docs/gap.md lists the measures that a report holds, with their families, and the fields of its JSON."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from pathlib import Path

import pytest

from crossaisle.api import GapReport, fuse, gap
from crossaisle.testing_world import START, tiny_world

TEXT = (Path(__file__).parents[2] / "docs" / "gap.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report() -> GapReport:
    world = tiny_world()
    base = fuse(world, ["tea", "coffee"], steps=20, dim=4, hidden=8, collaborative=4, content={"text": ""})
    return gap(world, "cake", base=base, text="", permutations=20, resamples=20)


def test_every_measure_is_listed_with_its_family(report: GapReport) -> None:
    unopened = gap(
        tiny_world(), "cake", cut=START + timedelta(weeks=12), weeks=0, text="", permutations=20, resamples=20
    )
    found = {m.name: m.family for m in (*report.measures, *unopened.measures)}
    assert dict(re.findall(r"^\| `(\w+)` \| (\w+) \|.*\|.*\|.*\|.*\|$", TEXT, re.M)) == found


def test_every_field_is_listed(report: GapReport) -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", TEXT, re.M))
    assert set(listed) == set(report.to_document())
    for table in ("domains", "measures", "aligned"):
        fields = [f.name for f in dataclasses.fields(getattr(report, table)[0])]
        assert [n for n in re.findall(r"`(\w+)`", listed[table]) if n in fields] == fields
    assert set(re.findall(r"`(\w+)`", listed["protocol"])) == set(report.protocol)
