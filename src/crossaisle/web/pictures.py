"""Pictures as ECharts options: pure functions of numbers. Names of people's domains and methods are values, never keys.

A key that begins with a colon would be run as JavaScript by the page; so no key comes from outside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..report.plots import STRONG
from ..report.view import Series
from .frame import ACCENT, INK, LINE, SOFT

Options = dict[str, Any]
Dot = tuple[str, str, float, float, float]
"""(name, colour, value, low, high), as `report.plots.dots` takes them; ends that are not known are NaN."""
ROW, NAMES = 26, 150
"""Pixels of a row, and of the names beside rows."""
FONT = "system-ui, sans-serif"


def curves(series: Sequence[Series], palette: Mapping[str, str], steps: Sequence[float], title: str) -> Options:
    """Values over weeks or shots; the shipped method and the best control with their 95 % intervals as bands.

    Args:
        series: what is drawn.
        palette: name of a series → colour.
        steps: places on the x-axis, ascending.
        title: of the x-axis.
    """
    x = axis() | {"min": steps[0], "max": steps[-1], "splitLine": {"show": False}}
    behind = sorted(series, key=lambda s: s.role in STRONG)
    bands = [b for s in behind if s.role in STRONG for b in _band(s, palette[s.name])]
    lines = [_line(s, palette[s.name]) for s in behind]
    return base() | {
        "grid": {"left": 8, "right": 24, "top": 44, "bottom": 34, "containLabel": True},
        "title": _title(title),
        "legend": {"data": [s.name for s in series], "type": "scroll", "top": 0, "left": 0} | _text(SOFT),
        "xAxis": x,
        "yAxis": axis() | {"scale": True},
        "tooltip": {"trigger": "axis", "confine": True},
        "series": [*bands, *lines],
    }


def dots(rows: Sequence[Dot], title: str) -> Options:
    """One value with its interval in each row, the first on top.

    Args:
        rows: what is drawn.
        title: of the x-axis.
    """
    names = [r[0] for r in rows]
    points = [
        {"value": [round(value, 4), name], "itemStyle": {"color": colour}}
        for name, colour, value, *_ in rows
        if math.isfinite(value)
    ]
    return base() | {
        "grid": {"left": 8, "right": 20, "top": 8, "bottom": 34, "containLabel": True},
        "title": _title(title),
        "xAxis": axis(),
        "yAxis": _names(names) | {"inverse": True},
        "media": [{"query": {"minWidth": 700}, "option": {"yAxis": {"axisLabel": {"width": 2 * NAMES}}}}],
        "tooltip": {"trigger": "item", "confine": True},
        "series": [
            *(_whisker(name, colour, low, high) for name, colour, _, low, high in rows if math.isfinite(low + high)),
            {"type": "scatter", "data": points, "symbolSize": 11, "emphasis": {"disabled": True}, "z": 3},
        ],
    }


def heat(cells: Sequence[tuple[str, str, float, str]], top: float) -> Options:
    """A table as colours: the stronger, the greater.

    Args:
        cells: (row, column, value, words in the cell), in the order of rows and columns.
        top: value of the strongest colour.
    """
    rows, columns = list(dict.fromkeys(c[0] for c in cells)), list(dict.fromkeys(c[1] for c in cells))
    data = [
        {"value": [columns.index(b), rows.index(a), value], "label": {"show": bool(said), "formatter": _plain(said)}}
        for a, b, value, said in cells
    ]
    colour = {"color": ACCENT, "opacity": [0.03, 0.85]}
    return base() | {
        "grid": {"left": 8, "right": 8, "top": 8, "bottom": 8, "containLabel": True},
        "xAxis": _names(columns, 90) | {"position": "top", "axisLabel": _label(90) | {"rotate": 50, "interval": 0}},
        "yAxis": _names(rows) | {"inverse": True},
        "tooltip": {"show": False},
        "visualMap": {"show": False, "min": 0, "max": top or 1.0, "inRange": colour},
        "series": [
            {
                "type": "heatmap",
                "data": data,
                "label": {"color": INK, "fontSize": 11, "fontFamily": FONT},
                "emphasis": {"disabled": True},
            }
        ],
    }


def base() -> Options:
    """What all pictures have in common."""
    return {"animation": False, "backgroundColor": "transparent", "textStyle": {"fontFamily": FONT}}


def _text(colour: str) -> Options:
    return {"textStyle": {"color": colour, "fontFamily": FONT, "fontSize": 13}}


def _label(width: int = NAMES) -> Options:
    return {"color": SOFT, "fontFamily": FONT, "fontSize": 12, "width": width, "overflow": "truncate"}


def _title(text: str) -> Options:
    """That of the x-axis, over the whole width, so that it is whole on a phone as well."""
    style = {"color": SOFT, "fontFamily": FONT, "fontSize": 12, "fontWeight": "normal"}
    return {"text": text, "left": "center", "bottom": 3, "padding": 0, "textStyle": style}


def axis() -> Options:
    """An axis of numbers."""
    return {
        "type": "value",
        "axisLabel": {"color": SOFT, "fontFamily": FONT, "hideOverlap": True},
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"lineStyle": {"color": LINE}},
        "splitNumber": 4,
    }


def _names(names: Sequence[str], width: int = NAMES) -> Options:
    quiet = {"show": False}
    return {
        "type": "category",
        "data": list(names),
        "axisLabel": _label(width) | {"interval": 0},
        "axisLine": quiet,
        "axisTick": quiet,
        "splitLine": quiet,
    }


def _line(s: Series, colour: str) -> Options:
    strong = s.role in STRONG
    style: Options = {"color": colour, "width": 2.6 if strong else 1.5}
    if s.role == "target_only":
        style["type"] = "dashed"
    return {
        "type": "line",
        "name": s.name,
        "data": [[x, round(value, 4)] for x, value, *_ in s.points],
        "lineStyle": style,
        "itemStyle": {"color": colour},
        "symbol": "circle",
        "symbolSize": 8 if strong else 5,
        "emphasis": {"disabled": True},
        "z": 4 if strong else 3,
    }


def _band(s: Series, colour: str) -> list[Options]:
    """Two lines that are stacked: the lower end, unseen, and on it the width of the interval, filled."""
    known = [p for p in s.points if math.isfinite(p[2] + p[3])]
    quiet: Options = {"type": "line", "stack": f"band {s.role}", "symbol": "none", "silent": True}
    quiet |= {"lineStyle": {"opacity": 0}, "tooltip": {"show": False}, "emphasis": {"disabled": True}, "z": 1}
    quiet["stackStrategy"] = "all"
    area = {"color": colour, "opacity": 0.13}
    return [
        quiet | {"data": [[x, low] for x, _, low, _ in known]},
        quiet | {"data": [[x, high - low] for x, _, low, high in known], "areaStyle": area},
    ]


def _whisker(name: str, colour: str, low: float, high: float) -> Options:
    return {
        "type": "line",
        "data": [[low, name], [high, name]],
        "symbol": "none",
        "lineStyle": {"color": colour, "width": 2},
        "silent": True,
        "tooltip": {"show": False},
        "z": 2,
    }


def _plain(text: str) -> str:
    """Text for a formatter, in which braces would mean something."""
    return text.replace("{", "(").replace("}", ")")
