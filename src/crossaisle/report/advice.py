"""Advice as one self-contained page: what to expect of each recipe, and how well such expectations held before."""

from __future__ import annotations

import math

from markupsafe import Markup

from ..advisor.advice import Advice, Advised
from ..advisor.calibration import Calibration
from ..advisor.words import percent
from . import plots
from .html import text_of, unique

SHOWN = 25
"""Recipes in the picture, the first ones; all of them are in the table."""
AXIS = "expected gain over the best control, %"
COLOURS = {"likely helps": plots.SHIP, "may help": plots.OTHERS[1], "control": plots.INK}


def page(found: Advised, judged: Calibration | None) -> str:
    """The whole HTML text.

    Args:
        found: the advice.
        judged: how past launches would have been foretold; None leaves the section out.

    Raises:
        ConfigError: the plotting libraries are not installed.
    """
    plots.check_installed()
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(text_of("advice.html.j2")).render(
        found=found,
        style=Markup(text_of("page.css")),
        first=found.rows[0],
        cards=cards(found),
        expected=unique("expected", expected(found)),
        judged=judged,
        calibration=None if judged is None else unique("calibration", calibration(judged)),
        facts=[(name.replace("_", " "), f"{value:,.3g}") for name, value in found.facts.as_dict().items()],
        percent=percent,
    )


def cards(found: Advised) -> list[tuple[str, str]]:
    """(question, answer): what to try, what to beat, what it costs."""
    first = found.rows[0]
    control = next((r for r in found.rows if r.control), None)
    made = [("What to try first?", f"{first.recipe}: {percent(first)} against the best control.")]
    if control is not None and control is not first:
        made.append(("What to beat?", f"{control.recipe}, which reads {found.target} alone."))
    made.append(("What does it cost?", f"About {first.seconds / 60:.1f} minutes and {first.memory:.1f} GB."))
    return made


def expected(found: Advised) -> str:
    """SVG of expected gains with their intervals."""
    return plots.dots([dot(r) for r in found.rows[:SHOWN]], AXIS)


def dot(row: Advice) -> tuple[str, str, float, float, float]:
    """(recipe, colour, value, low, high) in percent."""
    ends = (100 * row.gain, 100 * row.low, min(100 * row.high, 300.0))
    return row.recipe, COLOURS.get(row.word, plots.MUTED), *ends


def calibration(judged: Calibration) -> str:
    """SVG of expected against measured gains of past launches, each foretold without its target."""
    rows = [(r.mean, r.gain, plots.SHIP if r.inside else plots.OTHERS[0]) for r in judged.rows]
    ends = [min(min(a, b) for a, b, _ in rows), max(max(a, b) for a, b, _ in rows)]
    return plots.scatter(rows, "expected (log of the gain)", "measured", (math.floor(ends[0]), math.ceil(ends[1])))
