"""Which domain an item of a history counts for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..recommender import Recommender
from ..types import Codes, Doubles

UNKNOWN = "domain unknown"
"""Of items in artifacts from before domains were kept."""
SEVERAL = "several domains"
_NAMED = 3


def labels_of(shop: Recommender, codes: Codes) -> list[str]:
    """The label of each of the items `codes`.

    An item that is sold in one domain has its name. One that is sold in two or three counts for them together, as in
    ``bread or cake``: a history says what somebody has, not where they got it. Items of more are `SEVERAL`. What was
    added by `with_items` is the recommender's own.
    """
    if "domains" not in shop.items.columns:
        return [UNKNOWN] * len(codes)
    return [_label(names or [shop.domain]) for names in shop.items["domains"].gather(codes).to_list()]


def _label(names: Sequence[str]) -> str:
    return " or ".join(names) if len(names) <= _NAMED else SEVERAL


def grouped(labels: Sequence[str], parts: Doubles) -> dict[str, Doubles]:
    """Label → (m,) sum of the columns of `parts` (m, events) that have it, in order of first appearance."""
    named, number = np.unique(np.array(labels, dtype=np.str_), return_inverse=True)
    sums = np.zeros((len(named), len(parts)))
    np.add.at(sums, number, parts.T)
    place = {name: row for row, name in enumerate(named.tolist())}
    return {name: sums[place[name]] for name in dict.fromkeys(labels)}
