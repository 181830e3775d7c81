"""Items: what is sold in both domains, twins, equal titles, and whether shared items keep the same company."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from ..data.twins import twins
from ..models.profile import only
from ..types import Codes
from .agreement import agreement
from .sides import LEAST, Ground, Side, Tally, common, some
from .words import Found, affinity, share


def items(ground: Ground, source: Side, target: Side) -> list[Found]:
    """Shared items, twins, titles and agreement of company; docs/gap.md lists them."""
    both = ground.both(source, target, "catalogue")
    union = len(source.catalogue) + len(target.catalogue) - len(both)
    enough = min(len(source.catalogue), len(target.catalogue)) >= LEAST
    sold = common(source.sold, target.catalogue)
    known = share("items_known", len(sold), len(target.catalogue))
    own = ground.once(("own items", target.name), lambda: _own_share(target))
    return [
        Found("items_shared", float(len(both)), float(len(both)), float(len(both))),
        affinity(known, own, known.high if len(sold) < LEAST else 0.0, enough),
        share("item_jaccard", len(both), union),
        _twins(ground, source, target),
        _titles(ground, source, target),
        *_company(ground, source, target, enough),
    ]


def _own_share(target: Side) -> float:
    """Share of the items sold in one random half of the target's rows that the other half knows; 1 without rows."""
    first, second = target.halves
    return len(common(first.sold, second.sold)) / len(second.sold) if len(second.sold) else 1.0


def _twins(ground: Ground, source: Side, target: Side) -> Found:
    """Share of (up to `items`) sold items of the target with a twin in the source: see `crossaisle.data.twins`.

    Twins have people in common: they are looked for among what the holders of the target's items have in the source.
    """
    drawn = some(target.sold, ground.options.items, ground.draw("twins", target.name))
    if not len(drawn):
        return share("item_twins", 0, 0)
    holders = only(ground.of_side("holders", target, lambda: target.holders_of(drawn)), _listed(source))
    there = np.union1d(source.held_by(np.unique(holders.indices)).indices, drawn)
    others = only(source.holders_of(there), _listed(target))
    found = twins(holders.T.tocsc(), others.T.tocsc(), np.searchsorted(there, drawn))
    return share("item_twins", int((np.diff(found.indptr) > 0).sum()), len(drawn))


def _listed(side: Side) -> npt.NDArray[np.bool_]:
    """(users,) whether a user is seen in `side`."""
    made = np.zeros(side.users, dtype=bool)
    made[side.people] = True
    return made


def _titles(ground: Ground, source: Side, target: Side) -> Found:
    """Share of the target's titled items whose title, in lower case and without outer blanks, the source has too."""
    titles = ground.once("titles", lambda: _title_codes(ground))
    ours, theirs = (
        ground.of_side("own titles", s, lambda s=s: Tally.counted(titles[s.catalogue], 1))  # type: ignore[misc]
        for s in (target, source)
    )
    if not len(ours.codes) or not len(theirs.codes):
        return Found("same_titles")
    return share("same_titles", int(ours.of(common(ours.codes, theirs.codes)).sum()), int(ours.times.sum()))


def _title_codes(ground: Ground) -> Codes:
    """(world items,) the same number from 1 on for the same title, 0 without one."""
    texts = ground.world.content["title"].cast(pl.String).str.strip_chars().str.to_lowercase()
    found: Codes = texts.set(texts == "", None).rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return found


def _company(ground: Ground, source: Side, target: Side, enough: bool) -> list[Found]:
    names = ("item_lift", "item_correlation")
    return agreement(ground, names, source, target, lambda a, b: _tables(ground, a, b), enough)


def _tables(ground: Ground, a: Side, b: Side) -> tuple[sp.csr_matrix, sp.csr_matrix] | None:
    """Who has (up to `people`) items that both sides sold; None for fewer than 30."""
    both = common(a.sold, b.sold) if a.name == b.name else ground.both(a, b, "sold")
    if len(both) < LEAST:
        return None
    drawn = some(both, ground.options.people, ground.draw("shared items", a.name, b.name))
    return a.holders_of(drawn), b.holders_of(drawn)
