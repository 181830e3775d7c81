"""The page Live: what the service does now, and which version it answers from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from ..explain.sentences import percent
from ..serve.recent import Span
from .alarms import Alarms
from .experiments import Experiments
from .frame import LINE, SERIES, SOFT, View, chart, empty, part, words
from .versions import Versions

EVERY = 2.0
"""Seconds between two looks."""
_SELDOM = 15.0
"""Seconds between two looks at experiments, whose numbers are made of everything that was shown."""
LENGTH, NUMBER = 5, 60
"""Seconds of a point of the charts, and how many there are: five minutes."""
_NOW = 10
"""Seconds that count as now."""
_DASHES = ("solid", "dashed", "dotted")
_BASES = {"history": "by history", "content": "by content", "popularity": "by popularity"}
_QUANTILES = ("p50", "p95", "p99")


async def page(view: View) -> None:
    """Fill the frame."""
    words("p", "The last five minutes of this process, and the version that it answers from.").classes("lead")
    numbers = Numbers(view)
    words("h2", "Versions")
    if view.role != "admin":
        words("p", "With an admin key versions can be promoted and rolled back here.").classes("soft")
    if view.service.learner is not None:
        words("p", "A learner makes versions of what came, and judges each before it is served.").classes("soft")
    versions = Versions(view)
    words("h2", "Alarms")
    alarms = Alarms(view.service)
    words("h2", "Experiments")
    experiments = Experiments(view)

    async def look() -> None:
        numbers.show()
        alarms.show()
        await versions.show()

    await look()
    await experiments.show()
    ui.timer(EVERY, look)
    ui.timer(_SELDOM, experiments.show)


class Numbers:
    """Cards and charts of the last minutes.

    Args:
        view: of the page.
    """

    def __init__(self, view: View) -> None:
        self._recent = view.service.metrics.recent
        self._cards: dict[str, tuple[TextElement, TextElement]] = {}
        with part("section", "cards numbers", 'aria-label="Numbers of the last five minutes"'):
            for name in ("Requests", "Lists", "Taken up", "Answer time", "Events", "Errors"):
                with part("div", "card"):
                    words("h2", name)
                    self._cards[name] = words("p", "").classes("figure"), words("p", "").classes("soft")
        self._empty = empty("Nobody asked in the last five minutes; POST /v1/recommend asks for a list, and "
                            "“crossaisle replay … --url” plays recorded traffic.")  # fmt: skip
        self._charts = part("div", "panels")
        with self._charts:
            self._lists = _panel("Lists per second, by what they rest on", "Lists over the last five minutes")
            self._events = _panel("Events per second", "Events over the last five minutes")
            self._times = _panel("Answer time, in milliseconds", "Answer times over the last five minutes")
        self.show()

    def show(self) -> None:
        """Draw anew."""
        whole = self._recent.last(LENGTH * NUMBER)
        for name, (figure, more) in figures(whole, self._recent.last(_NOW)).items():
            self._cards[name][0].text, self._cards[name][1].text = figure, more
        some = bool(whole.counts)
        self._empty.set_visibility(not some)
        self._charts.set_visibility(some)
        spans = self._recent.spans(LENGTH, NUMBER)
        made = ((self._lists, lists(spans)), (self._events, events(spans)), (self._times, times(spans)))
        for drawn, options in made:
            if drawn.options != options:
                drawn.options.update(options)


def _panel(title: str, label: str) -> ui.echart:
    with part("figure"):
        words("figcaption", title)
        return chart({}, label)


def figures(whole: Span, now: Span) -> dict[str, tuple[str, str]]:
    """Card → its figure, and what is said below it."""
    counts = whole.counts
    made = sum(counts[b] for b in _BASES)
    shares = [f"{_part(counts[b] / made)} {name}" for b, name in _BASES.items() if counts[b]]
    quantiles = None if whole.quantiles is None else [_ms(q) for q in whole.quantiles]
    return {
        "Requests": (_rate(now.counts["requests"], now), f"{counts['requests']:,} in five minutes"),
        "Lists": (f"{made:,}", ", ".join(shares) or "none yet"),
        "Taken up": _taken(counts),
        "Answer time": ("–", "no request yet")
        if quantiles is None
        else (quantiles[0], f"median (p50); p95 {quantiles[1]}, p99 {quantiles[2]}"),
        "Events": (f"{counts['events']:,}", f"{_rate(now.counts['events'], now)} at present"),
        "Errors": (f"{counts['faults']:,}", f"faults of the service; {counts['refused']:,} requests refused (4xx)"),
    }


def lists(spans: list[Span]) -> dict[str, Any]:
    """Options of the chart of lists."""
    series = {name: [s.counts[basis] / s.seconds for s in spans] for basis, name in _BASES.items()}
    return _lines({name: values for name, values in series.items() if any(values)})


def events(spans: list[Span]) -> dict[str, Any]:
    """Options of the chart of events."""
    return _lines({"events": [s.counts["events"] / s.seconds for s in spans]})


def times(spans: list[Span]) -> dict[str, Any]:
    """Options of the chart of times to the answer."""
    series = {
        name: [None if s.quantiles is None else 1000 * s.quantiles[n] for s in spans]
        for n, name in enumerate(_QUANTILES)
    }
    return _lines(series)


def _lines(series: Mapping[str, Sequence[float | None]]) -> dict[str, Any]:
    ends = [f"−{LENGTH * (NUMBER - n)} s" for n in range(NUMBER)]
    soft = {"color": SOFT, "fontSize": 13}
    axis = {"axisLabel": soft, "axisLine": {"lineStyle": {"color": LINE}}, "axisTick": {"show": False}}
    return {
        "animation": False,
        "color": list(SERIES),
        "grid": {"left": 8, "right": 16, "top": 36, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0, "textStyle": soft, "itemWidth": 26, "icon": "path://M0 0h26v3h-26z"},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": axis | {"type": "category", "data": ends, "boundaryGap": False, "axisLabel": soft | {"interval": 11}},
        "yAxis": axis | {"type": "value", "splitLine": {"lineStyle": {"color": LINE}}},
        "series": [
            {
                "type": "line",
                "name": name,
                "data": [None if v is None else round(v, 2) for v in values],
                "showSymbol": False,
                "lineStyle": {"width": 2, "type": _DASHES[n % len(_DASHES)]},
            }
            for n, (name, values) in enumerate(series.items())
        ],
    }


def _part(share: float) -> str:
    return "under 1 %" if share < 0.005 else percent(share)


def _taken(counts: Mapping[str, int]) -> tuple[str, str]:
    shown = counts.get("shown", 0)
    if not shown:
        return "–", "no item shown yet"
    rate, bought = (f"{100 * counts.get(n, 0) / shown:.1f} %" for n in ("clicked", "bought"))
    if not counts.get("clicked") and counts.get("bought"):  # nobody sends clicks
        return bought, f"of {shown:,} items shown were bought (CVR); none was clicked"
    return rate, f"of {shown:,} items shown were clicked (CTR); {bought} were bought (CVR)"


def _rate(count: int, span: Span) -> str:
    return f"{count / span.seconds:.1f}/s"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.1f} ms"
