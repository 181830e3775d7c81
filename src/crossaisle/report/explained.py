"""Explanations as one self-contained page: where recommendations come from, who gained or lost, and examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ..explain.explanation import Explanation, Gains, TransferExplanation
from . import plots
from .html import text_of, unique

SHOWN = 12
"""Bars of a picture, the greatest first; the rest are taken together."""


def page(transfer: TransferExplanation | None, explanations: Sequence[Explanation]) -> str:
    """The whole HTML text.

    Raises:
        ConfigError: the plotting libraries are not installed.
    """
    plots.check_installed()
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(text_of("explained.html.j2")).render(
        style=Markup(text_of("page.css")),
        domain=transfer.domain if transfer is not None else explanations[0].domain,
        transfer=transfer,
        sources=None if transfer is None else sources(transfer),
        gains=[] if transfer is None else [(g, groups(g)) for g in transfer.gains],
        examples=[(e, unique(f"example-{n}", parts(e))) for n, e in enumerate(explanations)],
    )


def sources(transfer: TransferExplanation) -> Markup:
    """Share of each domain in what speaks for the top ten."""
    rows = [(s.domain, 100 * s.share, plots.SHIP) for s in transfer.sources]
    return unique("sources", plots.bars(_few(rows), "% of all that speaks for the top ten"))


def parts(found: Explanation) -> str:
    """The score, taken apart: what anybody gets, and what each domain of the history adds."""
    added = sorted(found.by_domain.items(), key=lambda pair: -abs(pair[1]))
    rows = [(name, value, plots.SHIP if value >= 0 else plots.OTHERS[0]) for name, value in added]
    return plots.bars([("what anybody gets", found.start, plots.MUTED), *_few(rows)], "adds to the score")


def groups(gain: Gains) -> list[tuple[str, str, int, float]]:
    """(kind, group, people, mean difference)."""
    kinds = (("slice", gain.by_slice), ("items here", gain.by_purchases), ("source domains", gain.by_sources))
    return [(kind, name, g.users, g.difference) for kind, found in kinds for name, g in found.items()]


def _few(rows: list[tuple[str, float, str]]) -> list[tuple[str, float, str]]:
    """The first `SHOWN`, and the sum of the rest."""
    rest: list[Any] = rows[SHOWN:]
    return rows if not rest else [*rows[:SHOWN], (f"{len(rest)} others", sum(r[1] for r in rest), plots.MUTED)]
