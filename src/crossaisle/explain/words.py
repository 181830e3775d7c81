"""Words and features: what of an item's own text and attributes carries its score, by leaving it out."""

from __future__ import annotations

from typing import Any

import polars as pl

from ..types import Extensible
from .person import Asking

FEATURES = ("brand", "category", "price")
_NOTHING = 1e-6
"""A smaller change of a score is rounding."""


def told_by_words(asking: Asking, place: int) -> dict[str, dict[str, float]]:
    """``words`` and ``features`` of the item at `place`: what the score loses when each is left out.

    The item as it stands on the shelf, and a copy of it without each word and each feature, are put on the shelf as new
    items and scored together. Copies have no purchases of their own, nor what the shelf does not keep (descriptions,
    further attributes): differences between them are what the word says. What changes nothing is not listed; both are
    empty where the method does not read what items are.
    """
    shop = asking.shop
    about = _about(asking, place)
    if not about or not isinstance(shop.scorer, Extensible):
        return {"words": {}, "features": {}}
    words = list(dict.fromkeys(str(about.get("title") or "").split()))
    features = [name for name in FEATURES if about.get(name) is not None]
    copies = [about, *(about | {"title": _left_out(about["title"], w)} for w in words)]
    copies += [about | {name: None} for name in features]
    rows = pl.DataFrame(copies, schema={n: shop.items.schema[n] for n in about})
    wider = shop.with_items(rows.with_columns(item_id=pl.Series([f"copy {n} of {place}" for n in range(len(copies))])))
    history = asking.history
    counts = history.counts.copy()
    counts.resize((1, len(wider.item_ids)))
    scores = wider.scorer.score(type(history)(counts, history.ages, history.users))[0, -len(copies) :]
    lost = (scores[0] - scores[1:]).tolist()
    told = dict(zip(words, lost, strict=False)), dict(zip(features, lost[len(words) :], strict=True))
    return {
        kind: {name: value for name, value in found.items() if abs(value) > _NOTHING}
        for kind, found in zip(("words", "features"), told, strict=True)
    }


def _about(asking: Asking, place: int) -> dict[str, Any]:
    """Title, brand, category and price of the item at `place`, as far as the shelf has such columns."""
    shop = asking.shop
    names = [n for n in ("title", *FEATURES) if n in shop.items.columns]
    return shop.items.select(names).row(int(shop.catalogue[place]), named=True) if names else {}


def _left_out(title: str, word: str) -> str:
    return " ".join(w for w in title.split() if w != word)
