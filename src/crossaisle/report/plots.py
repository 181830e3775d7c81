"""Plots as static SVG text: cold-start curves with interval bands, dots with intervals, tables as colours, maps.

The charts are written as Vega-Lite; a wrapper that checks every part against its schema takes four times as long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from ..errors import ConfigError
from ..evaluate.result import Report
from .view import Series, position, steps

VEGA_LITE = "5.20"
INK = "#3b3b3b"
"""Text and the best control; the page turns it light on a dark ground, as it does the other colours."""
MUTED, SHIP = "#8c8c8c", "#0b6bcb"
OTHERS = ("#d9730d", "#2e8b57", "#a4478f", "#8a6d1d", "#11879b", "#c2453d")
FONT = "system-ui, sans-serif"
STRONG = ("ship", "best control")
CONFIG = {
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "gridColor": MUTED,
        "gridOpacity": 0.25,
        "labelFont": FONT,
        "titleFont": FONT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
}
Spec = dict[str, Any]


def check_installed() -> None:
    """Refuse in one sentence where the libraries of the page are missing.

    Raises:
        ConfigError: saying how to install them.
    """
    missing = [n for n in ("vl_convert", "jinja2") if find_spec(n) is None]
    if missing:
        raise ConfigError(
            f"report.html needs {' and '.join(missing)}, not installed here: pip install crossaisle[report] "
            "(report.json is written without)."
        )


def colours(series: Sequence[Series]) -> dict[str, str]:
    """Series → colour; the same method has the same colour in all plots of a page."""
    fixed = {"ship": SHIP, "best control": INK, "target_only": MUTED}
    others = [s.name for s in series if s.role == "other"]
    free = {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(others)}
    return {s.name: fixed.get(s.role) or free[s.name] for s in series}


def curve(
    report: Report,
    series: Sequence[Series],
    palette: Mapping[str, str],
    size: tuple[int, int],
    saved: tuple[float, float, float, str] | None = None,
) -> str:
    """SVG of curves over weeks or shots.

    Args:
        report: gives the steps on the x-axis.
        series: what to draw; the shipped method and the best control with bands.
        palette: series → colour.
        size: width and height in pixels.
        saved: (week, week reached, quality, words) of the arrow that shows the time saved.
    """
    axis = [position(s) for s in steps(report)]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": "weeks since launch" if steps(report)[0][0] is not None else "visible interactions per item",
        "scale": {"domain": [axis[0], axis[-1]], "nice": False},
        "axis": {"values": axis, "format": "~g", "grid": False, "labelOverlap": True},
    }
    behind = sorted(series, key=lambda s: s.role in STRONG)
    layers = [_band(s, palette[s.name], x) for s in behind if s.role in STRONG]
    layers += [layer for s in behind for layer in _line(s, palette[s.name], x)]
    layers += _arrow(saved, x) if saved is not None else []
    return _svg({"layer": layers, "width": size[0], "height": size[1]}, right=0 if saved is None else 30)


def lines(
    series: Sequence[Series], palette: Mapping[str, str], titles: tuple[str, str], size: tuple[int, int] = (720, 280)
) -> str:
    """SVG of named curves over days, for a page of its own.

    Args:
        series: what to draw; those that are shipped and the best control with bands.
        palette: series → colour.
        titles: of both axes.
        size: width and height in pixels.
    """
    ends = sorted({p[0] for s in series for p in s.points})
    x: Spec = {"field": "x", "type": "quantitative", "title": titles[0]}
    x |= {"axis": {"grid": False, "format": "~g", "values": ends[:: max(1, round(len(ends) / 10))]}}
    x["scale"] = {"domain": [ends[0], ends[-1]], "nice": False}
    layers = [_band(s, palette[s.name], x) for s in series if s.role in STRONG]
    layers += [layer for s in series for layer in _line(s, palette[s.name], x)]
    word: Spec = {"mark": {"type": "text", "align": "left", "dx": 8, "font": FONT, "fontSize": 12}}
    colour = {"field": "colour", "type": "nominal", "scale": None}
    y: Spec = {"field": "value", "type": "quantitative"}
    word["encoding"] = {"x": x, "y": y, "text": {"field": "name"}, "color": colour}
    word["data"] = _data(("x", "value", "name", "colour"), _names(series, palette))
    title = {"text": titles[1], "anchor": "start", "font": FONT, "fontSize": 12, "fontWeight": "normal", "color": INK}
    return _svg({"layer": [*layers, word], "width": size[0], "height": size[1], "title": title}, right=60)


def _names(series: Sequence[Series], palette: Mapping[str, str]) -> list[tuple[float, float, str, str]]:
    """(x, y, name, colour) at the end of each curve, apart enough to be read."""
    gap = 0.06 * max(p[3] for s in series for p in s.points)
    made: list[tuple[float, float, str, str]] = []
    for s in sorted(series, key=lambda s: s.points[-1][1]):
        low = made[-1][1] + gap if made else 0.0
        made.append((s.points[-1][0], max(s.points[-1][1], low), s.name, palette[s.name]))
    return made


def dots(rows: Sequence[tuple[str, str, float, float, float]], title: str, width: int = 420) -> str:
    """SVG of one value with its interval per method, for studies of one step.

    Args:
        rows: (method, colour, value, low, high), top first.
        title: of the x-axis.
        width: in pixels, without the names.
    """
    y: Spec = {"field": "method", "type": "nominal", "sort": None, "title": None}
    y["axis"] = {"domain": False, "ticks": False, "labelLimit": 220}
    x = {"type": "quantitative", "title": title, "axis": {"grid": True, "tickCount": 6}}
    colour = {"field": "colour", "type": "nominal", "scale": None}
    rule = {"y": y, "x": x | {"field": "low"}, "x2": {"field": "high"}, "color": colour}
    dot = {"y": y, "x": x | {"field": "value"}, "color": colour}
    layers = [
        {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": rule},
        {"mark": {"type": "circle", "size": 80, "opacity": 1}, "encoding": dot},
    ]
    names = ("method", "colour", "value", "low", "high")
    return _svg({"data": _data(names, rows), "layer": layers, "width": width, "height": 26 * len(rows)}, left=26)


def bars(rows: Sequence[tuple[str, float, str]], title: str, width: int = 420) -> str:
    """SVG of horizontal bars.

    Args:
        rows: (name, value, colour), top first.
        title: of the x-axis.
        width: in pixels, without the names.
    """
    axis = {"domain": False, "ticks": False, "labelLimit": 260}
    y: Spec = {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": axis}
    x: Spec = {"field": "value", "type": "quantitative", "title": title, "axis": {"grid": True, "tickCount": 6}}
    colour: Spec = {"field": "colour", "type": "nominal", "scale": None}
    bar = {"mark": {"type": "bar", "height": {"band": 0.6}}, "encoding": {"x": x, "y": y, "color": colour}}
    data = _data(("name", "value", "colour"), rows)
    return _svg(bar | {"data": data, "width": width, "height": {"step": 26}}, left=26)


def heat(rows: Sequence[tuple[str, str, float, str]], top: float, size: int = 26) -> str:
    """SVG of a table as colours: the stronger, the greater; words stand in the cells.

    Args:
        rows: (row, column, value, words), in the order of rows and columns.
        top: value of the strongest colour; 0 has none.
        size: height of a cell in pixels.
    """
    axis = {"domain": False, "ticks": False, "labelLimit": 260}
    y: Spec = {"field": "row", "type": "nominal", "sort": None, "title": None, "axis": axis}
    x: Spec = {"field": "column", "type": "nominal", "sort": None, "title": None}
    x["axis"] = axis | {"orient": "top", "labelAngle": -50, "labelAlign": "left", "labelLimit": 140}
    strength: Spec = {"field": "value", "type": "quantitative", "legend": None}
    strength["scale"] = {"domain": [0, top or 1.0], "range": [0.03, 0.85], "clamp": True}
    cell = {"mark": {"type": "rect", "color": SHIP}, "encoding": {"x": x, "y": y, "fillOpacity": strength}}
    word: Spec = {"mark": {"type": "text", "color": INK, "font": FONT, "fontSize": 10}}
    word["encoding"] = {"x": x, "y": y, "text": {"field": "words"}}
    data = _data(("row", "column", "value", "words"), rows)
    longest = max((len(r[3]) for r in rows), default=0)
    step = max(36, 7 * longest) if longest else size
    spec = {"data": data, "layer": [cell, word], "width": {"step": step}, "height": {"step": size}}
    return _svg(spec, left=20, right=60)


def points(rows: Sequence[tuple[str, float, float, float, str]], width: int = 560) -> str:
    """SVG of named points on a map.

    Args:
        rows: (name, x, y, size, colour), sizes from 0 to 1.
        width: in pixels.
    """
    axes, lengths = [], []
    for field, along in (("x", [r[1] for r in rows]), ("y", [r[2] for r in rows])):
        length = max(along) - min(along) or 1.0
        scale = {"domain": [min(along) - 0.08 * length, max(along) + 0.08 * length], "nice": False}
        axes.append({"field": field, "type": "quantitative", "axis": None, "scale": scale})
        lengths.append(length)
    x, y = axes
    colour = {"field": "colour", "type": "nominal", "scale": None}
    size = {"field": "size", "type": "quantitative", "scale": {"domain": [0, 1], "range": [30, 900]}, "legend": None}
    dot = {"mark": {"type": "circle", "opacity": 0.55}, "encoding": {"x": x, "y": y, "size": size, "color": colour}}
    mark = {"type": "text", "dy": -12, "font": FONT, "fontSize": 11, "color": INK}
    word = {"mark": mark, "encoding": {"x": x, "y": y, "text": {"field": "name"}}}
    data = _data(("name", "x", "y", "size", "colour"), rows)
    height = max(180, min(round(width * lengths[1] / lengths[0]), 420))
    return _svg({"data": data, "layer": [dot, word], "width": width, "height": height}, left=30, right=30)


def scatter(
    rows: Sequence[tuple[float, float, str]], x_title: str, y_title: str, ends: tuple[float, float], size: int = 340
) -> str:
    """SVG of (x, y, colour) points over the line on which both are equal; both axes go from end to end."""
    scale = {"domain": list(ends), "nice": False}
    x: Spec = {"field": "x", "type": "quantitative", "title": x_title, "scale": scale}
    y: Spec = {"field": "y", "type": "quantitative", "title": y_title, "scale": scale}
    colour: Spec = {"field": "colour", "type": "nominal", "scale": None}
    dot = {"mark": {"type": "circle", "size": 26, "opacity": 0.6}, "encoding": {"x": x, "y": y, "color": colour}}
    line: Spec = {"mark": {"type": "line", "color": MUTED, "strokeDash": [5, 4]}, "encoding": {"x": x, "y": y}}
    line["data"] = _data(("x", "y"), [(e, e) for e in ends])
    return _svg({"data": _data(("x", "y", "colour"), rows), "layer": [line, dot], "width": size, "height": size})


def _line(s: Series, colour: str, x: Spec) -> list[Spec]:
    strong = s.role in STRONG
    line: Spec = {
        "type": "line",
        "color": colour,
        "strokeWidth": 2.6 if strong else 1.5,
        "opacity": 1 if strong else 0.8,
    }
    if s.role == "target_only":
        line["strokeDash"] = [5, 4]
    dot = {"type": "circle", "color": colour, "size": 46 if strong else 22, "opacity": 1}
    y = {"field": "value", "type": "quantitative", "title": None, "axis": {"tickCount": 5, "format": "~g"}}
    return [{"data": _points(s), "mark": mark, "encoding": {"x": x, "y": y}} for mark in (line, dot)]


def _band(s: Series, colour: str, x: Spec) -> Spec:
    low = {"field": "low", "type": "quantitative", "title": None}
    mark = {"type": "area", "color": colour, "opacity": 0.13}
    return {"data": _points(s), "mark": mark, "encoding": {"x": x, "y": low, "y2": {"field": "high"}}}


def _arrow(saved: tuple[float, float, float, str], x: Spec) -> list[Spec]:
    week, reached, quality, text = saved
    names = ("x", "end", "value", "text")
    y = {"field": "value", "type": "quantitative"}
    at = {"field": "end", "type": "quantitative"}
    rule = {"type": "rule", "color": SHIP, "strokeDash": [2, 3], "strokeWidth": 1.6}
    head = {"type": "point", "shape": "triangle-right", "filled": True, "size": 70, "color": SHIP, "opacity": 1}
    word = {"type": "text", "align": "left", "dx": 9, "dy": 5, "fontSize": 14, "fontWeight": "bold"}
    layers = [
        {"mark": rule, "encoding": {"x": x, "x2": {"field": "end"}, "y": y}},
        {"mark": head, "encoding": {"x": at, "y": y}},
        {"mark": word | {"color": SHIP, "font": FONT}, "encoding": {"x": at, "y": y, "text": {"field": "text"}}},
    ]
    return [layer | {"data": _data(names, [(week, reached, quality, text)])} for layer in layers]


def _points(s: Series) -> Spec:
    return _data(("x", "value", "low", "high"), s.points)


def _data(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Spec:
    return {"values": [dict(zip(names, row, strict=True)) for row in rows]}


def _svg(spec: Spec, left: int = 0, right: int = 0) -> str:
    """The chart as SVG text that scales with the page, up to half as large again as it was drawn."""
    import vl_convert

    # Text is measured here with another font than the reader's, so labels get some room.
    room = {"left": 8 + left, "right": 14 + right, "top": 6, "bottom": 4}
    text: str = vl_convert.vegalite_to_svg(spec | {"config": CONFIG, "padding": room}, vl_version=VEGA_LITE)
    found = re.search(r' width="([\d.]+)" height="[\d.]+"', text)
    if found is None:
        return text
    return text.replace(found[0], f' style="max-width: {1.5 * float(found[1]):.0f}px"', 1)
