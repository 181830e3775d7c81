"""The page Domains: its numbers and sentences, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("nicegui", reason="no dashboard: pip install crossaisle[dashboard]")
pytest.importorskip("fastapi", reason="no dashboard: pip install crossaisle[serve]")

from crossaisle.data.overview import DomainOverview, Overview
from crossaisle.web.domains import health, lead, line, share
from crossaisle.web.tables import Cell

CAKE = DomainOverview("cake", 1200, 70, 24, "2024-01-01T06:08:00", "2024-04-21T20:06:00", 70, 24, 1.0, 0.25)
TEA = DomainOverview("tea", 34567, 80, 24, None, None, 60, 2, 0.996, 0.001)
FOUND = Overview("shop", "cake", 90, 46, True, (CAKE, TEA), {"interactions": 35770, "items": 48})


@pytest.mark.parametrize(
    ("value", "said"),
    [(1.0, "100 %"), (0.9999, "> 99 %"), (0.994, "99 %"), (0.25, "25 %"), (0.0049, "< 1 %"), (0.0, "0 %")],
)
def test_only_all_is_100_percent_and_only_none_is_0(value: float, said: str) -> None:
    assert share(value) == said


def test_a_domain_is_a_row_and_the_target_shares_nothing_with_itself() -> None:
    cake, tea = line(CAKE, True), line(TEA, False)
    assert (cake.head, cake.stands_out) == (Cell("cake", ("the target",)), True)
    assert [c.text for c in cake.cells] == ["1,200", "70", "24", "2024-01-01", "2024-04-21", "", "", "100 %", "25 %"]
    assert [c.text for c in tea.cells] == ["34,567", "80", "24", "–", "–", "60", "2", "> 99 %", "< 1 %"]


def test_the_data_in_one_sentence() -> None:
    assert lead(FOUND) == "cake is served from 35,767 events of 90 people with 46 items in cake and 1 other domain."
    alone = replace(FOUND, domains=(CAKE,))
    assert lead(alone) == "cake is served from 1,200 events of 90 people with 46 items in cake and 0 other domains."


def test_health_says_what_was_set_aside_and_what_is_missing() -> None:
    assert health(FOUND) == [
        "Read and checked: 35,770 interactions, 48 items.",
        "No row was set aside: all passed the checks.",
        "Fewer than half of the items have prices in 2 of 2 domains: cake, tea.",
    ]
    reasons = {"items: price is negative": 3, "users: user_id is empty": 1}
    ill = replace(FOUND, read={}, quarantined=3, reasons=reasons, timed=False, domains=(TEA,) * 8)
    assert health(ill) == [
        "The data were made in memory; no file was checked.",
        "3 rows were set aside as quarantine: items: price is negative (3); users: user_id is empty (1).",
        "Some events have no time, so that nothing can be cut or compared by time.",
        "Fewer than half of the items have prices in 8 of 8 domains: tea, tea, tea, tea, tea, tea and 2 more.",
    ]
    assert health(replace(ill, quarantined=1))[1].startswith("1 row was set aside")
