"""Listing: how a person, their list and a product that is tried are drawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui

from ..explain import Explanation
from ..explain.sentences import percent
from ..serve.service import Service
from . import tryout
from .frame import empty, part, words
from .tryout import NEW, Found, Row, Shown, Tryout

_COLOURS = 6
_LEAST = 0.005
_BASIS = {
    "history": "by what this person did. Bars show which domains speak for a product.",
    "content": "by what the products are and what this person did. Bars show which domains speak for a product.",
    "popularity": "by what suits people in general: nothing that is known of this person changes it.",
}
_NOTE = (
    "“Buys it” adds the product to this person's history, as an event sent to the service would; a click counts "
    "the same. Scores compare products for one person, and have no unit."
)
Do = Callable[[], Awaitable[None]]


def draw_person(
    into: ui.element, service: Service, trial: Tryout, shown: Shown, drop: Callable[[int], Awaitable[None]], over: Do
) -> None:
    """Who is asked about, what they have by domain, and what they met on this page."""
    into.clear()
    with into:
        words("p", "Somebody invented" if trial.user is None else f"User {trial.user}").classes("figure")
        had = sum(shown.had.values())
        if not had:
            words("p", "Nothing is known of them.").classes("soft")
        else:
            words("p", f"{had:,} {'item' if had == 1 else 'different items'} known, by domain:").classes("soft")
            _bar({name: n / had for name, n in shown.had.items()}, list(shown.had), legend=True)
        if not trial.met:
            return
        words("h3", "Met on this page")
        with part("ul", "chips"):
            for place, item in enumerate(tryout.named(service, trial.met)):
                with part("li"):
                    words("span", item.words)
                    button = words("button", "×").props("type=button")
                    button.props["aria-label"] = f"Take {item.words} away"
                    button.on("click", lambda _, place=place: drop(place))
        words("button", "Start over").props("type=button").on("click", over)


def draw_list(into: ui.element, service: Service, shown: Shown, meet: Callable[[Found], Awaitable[None]]) -> None:
    """The list, best first."""
    into.clear()
    shop = service.live.now.shop
    with into:
        if not shown.rows:
            empty("There is nothing left to recommend: this person has everything that is available.")
            return
        words(
            "p", f"{len(shown.rows)} of {len(shop.catalogue):,} products of {shop.domain}, {_BASIS[shown.basis]}"
        ).classes("soft")
        with part("ol", "rows"):
            for row in shown.rows:
                _row(row, list(shown.had), meet)
        words("p", _NOTE).classes("soft")


def _row(row: Row, order: list[str], meet: Callable[[Found], Awaitable[None]]) -> None:
    tried = row.item.id == NEW
    with part("li", "row tried" if tried else "row"):
        with part("div", "rank"):
            words("b", row.place)
            _moved(row)
        with part("div", "about"):
            words("p", row.item.words).classes("title")
            price = None if row.price is None else f"price {row.price:,.2f}"
            told = ("on this page alone" if tried else row.item.id, row.category, price, f"score {row.score:.3f}")
            words("p", " · ".join(t for t in told if t)).classes("soft")
            _bar(row.why.shares, order)
            _why(row.why)
        if not tried:
            button = words("button", "Buys it").props("type=button")
            button.props["aria-label"] = f"Buys it: {row.item.words}"
            button.on("click", lambda: meet(row.item))


def _moved(row: Row) -> None:
    if row.fresh:
        words("span", "new").classes("good")
    elif row.moved:
        up = row.moved > 0
        mark = (
            words("span", f"{'▲' if up else '▼'} {abs(row.moved)}").classes("good" if up else "bad").props("role=img")
        )
        mark.props["aria-label"] = f"{'up' if up else 'down'} {abs(row.moved)}"


def draw_new(into: ui.element, service: Service, shown: Shown, untry: Do) -> None:
    """Where the product that does not exist yet would come."""
    into.clear()
    if shown.new is None and shown.refusal is None:
        return
    with into, part("div", "card"):
        if shown.new is None:
            words("p", f"It cannot be placed: {shown.refusal}")
        else:
            count = len(service.live.now.shop.catalogue) + 1
            words("p", f"Place {shown.new.place:,}").classes("figure")
            words("p", f"{shown.new.title}: for somebody unknown it would be place {shown.new.place_for_anybody:,}.")
            words("p", f"Of {count:,} products, without those that the person has.").classes("soft")
            _why(shown.new)
        words("button", "Take it away").props("type=button").on("click", untry)


def _why(why: Explanation) -> None:
    with part("details"):
        words("summary", "Why")
        words("p", why.sentence)


def _bar(shares: Mapping[str, float], order: list[str], legend: bool = False) -> None:
    """Shares of domains as one bar, with the greatest in words; colours follow `order`."""
    shown = {name: share for name, share in shares.items() if share >= _LEAST}
    if not shown:
        return
    with part("div", "bar", "aria-hidden=true"):
        for name, share in shown.items():
            part("span").style(f"width: {100 * share:.1f}%; background: {_colour(name, order)}")
    with part("ul", "key"):
        for name, share in list(shown.items())[: 5 if legend else 3]:
            with part("li"):
                part("i", props="aria-hidden=true").style(f"background: {_colour(name, order)}")
                words("span", f"{name} {percent(share)}")


def _colour(name: str, order: list[str]) -> str:
    place = order.index(name) if name in order else _COLOURS
    return f"var(--c{place})" if place < _COLOURS else "var(--soft)"
