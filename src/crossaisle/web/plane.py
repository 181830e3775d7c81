"""The map of the domains as ECharts options, with a place for each name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..report.plots import MUTED, OTHERS
from .frame import ACCENT, INK
from .pictures import FONT, NAMES, Options, axis, base

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""
EDGE = (60, 30)
"""Pixels left and right of the plot, above and below it."""


def plane(places: Mapping[str, tuple[float, float]], sizes: Mapping[str, float], target: str | None) -> Options:
    """A map of the domains: near each other means alike.

    Args:
        places: domain → where it lies.
        sizes: domain → 0 to 1.
        target: is drawn in another colour, and tied to every other one; None: all pairs were asked.
    """
    order = sorted(places, key=lambda name: (name != target, -sizes[name]))
    sides = label_sides([(*places[name], _dot_size(sizes[name]), name) for name in order])
    points = [
        _point(name, places[name], sizes[name], side, name == target) for name, side in zip(order, sides, strict=True)
    ]
    middle = places.get(target or "")
    ties = [] if middle is None else [_tie(middle, place) for name, place in places.items() if name != target]
    dots: Options = {"type": "scatter", "emphasis": {"disabled": True}}
    own, others = [p for p in points if p["name"] == target], [p for p in points if p["name"] != target]
    ends = {"show": False, "min": "dataMin", "max": "dataMax"}
    return base() | {
        "grid": {"left": EDGE[0], "right": EDGE[0], "top": EDGE[1], "bottom": EDGE[1]},
        "xAxis": axis() | ends,
        "yAxis": axis() | ends,
        "tooltip": {"show": False},
        "series": [
            *ties,
            dots | {"data": others, "labelLayout": {"hideOverlap": True}, "z": 3},
            dots | {"data": own, "z": 4},  # its name is never hidden
        ],
    }


def label_sides(dots: Sequence[tuple[float, float, float, str]], size: tuple[float, float] = (880, 360)) -> list[str]:
    """On which side of its dot each name stands, so that names lie neither on each other nor on other dots.

    Args:
        dots: (x, y, pixels across, name), the most important first: they choose first.
        size: of the plot in pixels; where it turns out narrower, the chart hides names that collide.
    """
    left, right = min(d[0] for d in dots), max(d[0] for d in dots)
    low, high = min(d[1] for d in dots), max(d[1] for d in dots)
    wide, tall = size[0] / ((right - left) or 1.0), size[1] / ((high - low) or 1.0)
    at = [((x - left) * wide, (high - y) * tall, across, len(name)) for x, y, across, name in dots]
    taken = [(x - across / 2, y - across / 2, x + across / 2, y + across / 2) for x, y, across, _ in at]
    sides = []
    for number, (x, y, across, letters) in enumerate(at):
        others = [box for n, box in enumerate(taken) if n != number]
        boxes = _label_boxes(x, y, across / 2 + 5, min(7.0 * letters, NAMES))
        side = min(boxes, key=lambda s: _outside(boxes[s], size) + sum(_common(boxes[s], box) for box in others))
        taken.append(boxes[side])
        sides.append(side)
    return sides


def _label_boxes(x: float, y: float, away: float, wide: float, tall: float = 14.0) -> dict[str, Box]:
    return {
        "top": (x - wide / 2, y - away - tall, x + wide / 2, y - away),
        "bottom": (x - wide / 2, y + away, x + wide / 2, y + away + tall),
        "right": (x + away, y - tall / 2, x + away + wide, y + tall / 2),
        "left": (x - away - wide, y - tall / 2, x - away, y + tall / 2),
    }


def _common(a: Box, b: Box) -> float:
    """Area that two boxes have in common."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _outside(box: Box, size: tuple[float, float]) -> float:
    """Area of a box beyond the edge of the picture."""
    edge = (-EDGE[0], -EDGE[1], size[0] + EDGE[0], size[1] + EDGE[1])
    return (box[2] - box[0]) * (box[3] - box[1]) - _common(box, edge)


def _dot_size(size: float) -> float:
    return 12 + 24 * size


def _point(name: str, place: tuple[float, float], size: float, side: str, is_target: bool) -> Options:
    word = {"show": True, "formatter": "{b}", "color": INK, "opacity": 1, "fontFamily": FONT, "fontSize": 12}
    word["minMargin"] = 6  # names that nearly touch count as colliding
    word |= {"position": side, "width": NAMES, "overflow": "truncate", "fontWeight": "bold" if is_target else "normal"}
    return {
        "name": name,
        "value": list(place),
        "symbolSize": _dot_size(size),
        "itemStyle": {"color": OTHERS[0] if is_target else ACCENT, "opacity": 0.6},
        "label": word,
    }


def _tie(one: tuple[float, float], other: tuple[float, float]) -> Options:
    style = {"color": MUTED, "width": 1, "opacity": 0.35}
    return {"type": "line", "data": [list(one), list(other)], "symbol": "none", "lineStyle": style, "silent": True}
