"""Experiments, on the page Live: what runs, what it says now, and, for an admin, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ..serve import changes
from ..stores.kinds import Trial
from .asking import Asking
from .frame import View, empty, part, words

_SHOWN = 3
_NONE = (
    "No experiment was made here; POST /v1/experiments begins one between the served version and another, and tells "
    "when to end it."
)
_METRICS = {"ctr": "clicks per item shown", "cvr": "buyers per person", "revenue": "revenue per person"}


class Experiments:
    """The newest experiments, with their numbers.

    Args:
        view: of the page.
    """

    def __init__(self, view: View) -> None:
        self._view, self._asking = view, Asking(view, "experiments-said")
        self._drawn: list[Any] | None = None
        self._place = part("div")

    async def show(self) -> None:
        """Draw anew where a number changed."""
        found = await asyncio.to_thread(self._read)
        if found == self._drawn:
            return
        self._drawn = found
        self._place.clear()
        with self._place:
            if not found:
                empty(_NONE)
            for trial, state in found:
                self._one(trial, state)

    def _read(self) -> list[tuple[Trial, Mapping[str, Any]]]:
        service = self._view.service
        return [(t, service.trials.state(t)) for t in service.store.trials()[:_SHOWN]]

    def _one(self, trial: Trial, state: Mapping[str, Any]) -> None:
        variants = trial.design["variants"]
        with part("div", "card experiment"):
            words("h3", trial.name)
            shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in variants.items())
            ended = f", ended {trial.ended:%Y-%m-%d %H:%M} UTC" if trial.ended else ", running"
            words("p", f"{shares} · since {trial.begun:%Y-%m-%d %H:%M} UTC{ended}").classes("soft")
            words("p", _said(state))
            if state.get("variants"):
                _table(trial.name, state["variants"])
            if trial.ended is None and self._view.role == "admin":
                with part("div", "answers"):
                    for name in variants:
                        self._end(trial.name, name, name == self._view.service.live.now.version)

    def _end(self, trial: str, winner: str, served: bool) -> None:
        name = f"End and keep {winner}" if served else f"End and serve {winner}"

        def end() -> str:
            changes.end_experiment(self._view.service, trial, winner)
            return f"{trial} is over, and {winner} is served."

        self._asking.button(name, f"{name}, for everybody, from the next request on?", end)


def _said(state: Mapping[str, Any]) -> str:
    """What the rule says, or why it ended."""
    sentence = state.get("sentence") or state.get("decision", {}).get("sentence", "Nothing is known yet.")
    return str(sentence[:1].upper() + sentence[1:])


def _table(name: str, rows: list[Mapping[str, Any]]) -> None:
    with part("div", "scroll", "tabindex=0 role=region") as around:
        around.props["aria-label"] = f"Numbers of {name}"
        with part("table"):
            with part("thead"), part("tr"):
                for title in ("version", "people", "metric", "value", "more than the control"):
                    words("th", title).props("scope=col")
            with part("tbody"):
                for row in rows:
                    with part("tr"):
                        words("th", row["variant"]).props("scope=row")
                        words("td", f"{row['users']:,}")
                        words("td", _METRICS.get(row["metric"], row["metric"]))
                        words("td", _interval(row["value"], row["low"], row["high"], ""))
                        gain, low, high = (row[f"difference{end}"] for end in ("", "_low", "_high"))
                        words("td", _interval(gain, low, high, "+"))


def _interval(value: float | None, low: float | None, high: float | None, sign: str) -> str:
    """``0.0412 (0.0333 to 0.0491)``; a dash where there is too little to say."""
    if value is None:
        return "–"
    ends = "" if low is None or high is None else f" ({low:{sign}.4f} to {high:{sign}.4f})"
    return f"{value:{sign}.4f}{ends}"
