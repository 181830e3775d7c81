"""`explain`: why somebody gets what they get, with every score taken apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from ..attribution import contributions_of, is_sampled
from ..data.shelf import stranger
from ..errors import ConfigError, DataError
from ..recommender import Recommender
from ..types import Basis, Codes, Contributions, Doubles, Floats, History, session_of
from .domains import UNKNOWN, grouped
from .explanation import Because, Counterfactual, Explanation
from .person import Asking
from .sentences import sentence
from .words import told_by_words

LIST = 3
"""Length of the list that a counterfactual compares, at least."""
_NOTHING = 1e-7
"""A share of the score below this is rounding."""


def explain(
    recommender: Recommender,
    user: str = "",
    items: Sequence[str] | None = None,
    *,
    k: int = 3,
    n: int = 3,
    session: Sequence[str] | None = None,
    words: bool = False,
) -> list[Explanation]:
    """Why `user` gets what they get.

    Args:
        recommender: of any method.
        user: id; of an unknown one the whole score is what anybody gets, and the explanation says so.
        items: ids of the catalogue; the user's k best when None.
        k: length of the list, where `items` says nothing.
        n: how many items of the history are named.
        session: explain for somebody of whom only these items, just met, are known; in place of `user`.
        words: also what words of the title, brand, category and price add; takes longer, as texts are encoded.

    Returns:
        One for each item, in order.

    Raises:
        ConfigError: k or n is out of range, or both a user and a session are given.
        DataError: an item is outside the catalogue.
    """
    if user and session is not None:
        raise ConfigError("a user and a session were given; give one of them.")
    if items is None and not 1 <= k <= len(recommender.catalogue):
        raise ConfigError(
            f"k is {k}; choose a number from 1 to {len(recommender.catalogue)}, the size of the catalogue."
        )
    if n < 0:
        raise ConfigError(f"n is {n}; choose a number of at least 0.")
    asking = Asking(recommender, _history(recommender, user, session))
    places = asking.best(asking.scores, k) if items is None else _places(recommender, items)
    found = _explained(asking, places, k, n)
    if words:
        told = [told_by_words(asking, int(place)) for place in places]
        found = [replace(e, words=t["words"], features=t["features"]) for e, t in zip(found, told, strict=True)]
    known = session is not None or recommender.user_ids.code(user) >= 0
    named = [replace(e, user=user, known=known) for e in found]
    return [replace(e, sentence=sentence(e)) for e in named]


def _history(shop: Recommender, user: str, session: Sequence[str] | None) -> History:
    if session is None:
        return shop.history.take(shop.user_ids.encode([user]))
    return session_of(shop.item_ids.encode(list(session)), len(shop.item_ids))


def _places(shop: Recommender, items: Sequence[str]) -> Codes:
    codes = shop.item_ids.encode(list(items))
    for item, code in zip(items, codes.tolist(), strict=True):
        if code < 0:
            raise DataError(stranger(shop.item_ids, item))
        if shop.ranker.places[code] < 0:
            raise DataError(f"item {item!r} is not of {shop.domain!r}; give an item that is recommended there.")
    places: Codes = shop.ranker.places[codes]
    return places


def _explained(asking: Asking, places: Codes, k: int, n: int) -> list[Explanation]:
    shop = asking.shop
    asked = np.zeros((len(places), len(shop.catalogue)))
    asked[np.arange(len(places)), places] = 1.0
    found = contributions_of(shop.scorer, asking.history, asked)
    domains, length = grouped(asking.labels, found.parts), max(k, LIST)
    usual, without = asking.best(asking.scores, length), cache(asking.without)
    made = []
    for row, place in enumerate(places.tolist()):
        by_domain = {name: float(values[row]) for name, values in domains.items()}
        (about,) = asking.named(np.array([place]))
        made.append(
            Explanation(
                user="",
                known=True,
                item_id=about.item_id,
                title=about.title,
                domain=shop.domain,
                method=shop.method,
                place=asking.place(asking.scores, place),
                place_for_anybody=asking.place(shop.ranker.for_anybody, place),
                score=float(asking.scores[place]),
                start=float(found.start[row]),
                because=_because(asking, found.parts[row], n),
                by_domain=dict(sorted(by_domain.items(), key=lambda pair: -pair[1])),
                shares=_shares(asking.labels, found.parts[row]),
                by_modality={name: float(values[row]) for name, values in found.by_modality.items()},
                counterfactual=_counterfactual(asking, place, by_domain, usual, without),
                basis=_basis(shop, found, row),
                sampled=is_sampled(shop.scorer),
            )
        )
    return made


def _because(asking: Asking, parts: Doubles, n: int) -> tuple[Because, ...]:
    best = np.argsort(-parts, kind="stable")[:n]
    best = best[parts[best] > 0]
    total = parts[parts > 0].sum()
    items = asking.items(asking.history.counts.indices[best])
    return tuple(
        Because(item.item_id, item.title, asking.labels[event], float(parts[event]), float(parts[event] / total))
        for event, item in zip(best.tolist(), items, strict=True)
    )


def _shares(labels: Sequence[str], parts: Doubles) -> dict[str, float]:
    """Label → its share of the sum of the positive `parts`, greatest first."""
    total = parts[parts > 0].sum()
    if not total:
        return {}
    found = {name: float(v[0] / total) for name, v in grouped(labels, np.maximum(parts, 0.0)[None]).items()}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _basis(shop: Recommender, found: Contributions, row: int) -> Basis:
    moved = np.abs(found.parts[row]).sum()
    if moved <= _NOTHING * max(1.0, abs(float(found.start[row]))):
        return "popularity"
    word: Basis = getattr(shop.scorer, "basis", "history")
    return word


def _counterfactual(
    asking: Asking, place: int, by_domain: dict[str, float], usual: Codes, without: Callable[[str], Floats]
) -> Counterfactual | None:
    others = {d: v for d, v in by_domain.items() if d not in (asking.shop.domain, UNKNOWN) and v > 0}
    if not others:
        return None
    domain = max(others, key=others.__getitem__)
    scores = without(domain)
    then = asking.best(scores, len(usual))
    return Counterfactual(
        domain=domain,
        purchases=asking.labels.count(domain),
        score=float(scores[place]),
        place=asking.place(scores, place),
        gained=asking.named(then[~np.isin(then, usual)]),
        lost=asking.named(usual[~np.isin(usual, then)]),
    )
