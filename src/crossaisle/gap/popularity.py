"""Popularity: how unequal sales are, and whether what sells in one domain sells in the other."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import rel_entr

from ..types import Codes
from .sides import LEAST, Ground, Side, common, in_order
from .words import NONE, Doubles, Found, Z, affinity, difference, distance, spread, upper

HEAD = 0.1
"""Share of the sold items, the best selling, whose weight is measured."""
_BINS = np.arange(-8.5, 13.0)
DRAWS = 100
NAMES = ("degree_js", "gini_shift", "head_shift", "sales_correlation")


def popularity(ground: Ground, source: Side, target: Side) -> list[Found]:
    """``degree_js``, ``gini_shift``, ``head_shift`` and ``sales_correlation``."""
    a, b = in_order(source, target)
    busy, found = ground.between(a, b, "popularity", lambda: _compared(ground, a, b))
    ours, enough = busy[b is target], min(len(sales) for sales in busy) >= LEAST
    if not found:
        return [distance(Found(n), NONE, NONE, False) for n in NAMES]
    draw = ground.draw("even", source.name, target.name)
    even = draw.multinomial(int(ours.sum()), np.full(len(ours), 1 / len(ours)))  # a shop without popularity
    far = divergence(histogram(ours), histogram(even[even > 0]))
    own = ground.once(
        ("own sales", target.name), lambda: divergence(*(histogram(h.sales.times) for h in target.halves))
    )
    shaped, *shifts = found
    signed = [difference(f if b is target else f.turned(), enough) for f in shifts]
    return [distance(shaped, max(shaped.null or 0.0, own), far, enough), *signed, _sales(ground, source, target)]


def _compared(ground: Ground, a: Side, b: Side) -> tuple[tuple[Codes, Codes], list[Found]]:
    """Thinned sales of both, ``degree_js`` and the shifts b − a; nothing where either sold fewer than two items."""
    busy, draw = alike_busy(ground, a, b), ground.draw("popularity", a.name, b.name)
    if min(len(sales) for sales in busy) < 2:
        return busy, []
    return busy, [_shape(*busy, draw), *_shifts(*busy, draw)]


def alike_busy(ground: Ground, source: Side, target: Side) -> tuple[Codes, Codes]:
    """Sales of the sold items of both, the busier one thinned to as many events for each item of its catalogue.

    Without it a shop that has been open for longer would look more unequal, only because less of it is chance.
    """
    rates = [len(side.rows) / max(len(side.catalogue), 1) for side in (source, target)]
    least, draw = min(rates), ground.draw("thin", source.name, target.name)
    one, other = (
        side.sales.times if rate == least else draw.binomial(side.sales.times, least / rate)
        for side, rate in zip((source, target), rates, strict=True)
    )
    return one[one > 0], other[other > 0]


def gini(sales: npt.ArrayLike) -> float:
    """Gini coefficient Σ (2r − n − 1) x_r / (n Σ x) of sorted sales: 0 all alike, near 1 all on one item."""
    return float(_gini(np.sort(np.asarray(sales, dtype=np.float64))))


def head_weight(sales: npt.ArrayLike) -> float:
    """Share of events on the best-selling tenth of the sold items (at least one)."""
    return float(_head(np.sort(np.asarray(sales, dtype=np.float64))))


def _gini(x: Doubles) -> Doubles:
    """`gini` of each row of x (…, n), sorted."""
    n = x.shape[-1]
    found: Doubles = x @ (2.0 * np.arange(1, n + 1) - n - 1) / (n * x.sum(axis=-1))
    return found


def _head(x: Doubles) -> Doubles:
    """`head_weight` of each row of x (…, n), sorted."""
    n = x.shape[-1]
    found: Doubles = x[..., n - max(1, round(HEAD * n)) :].sum(axis=-1) / x.sum(axis=-1)
    return found


def histogram(sales: Codes) -> Doubles:
    """Shares of items by log₂(sales / mean sales), in bins of one doubling."""
    if not len(sales):
        return np.zeros(len(_BINS) - 1)
    counts = np.histogram(np.log2(sales / sales.mean()), _BINS)[0]
    shares: Doubles = counts / max(counts.sum(), 1)
    return shares


def divergence(p: Doubles, q: Doubles) -> float:
    """Jensen–Shannon divergence in bits (Lin 1991): 0 equal, 1 nothing in common; NaN where either is empty."""
    if not p.sum() or not q.sum():
        return NONE
    middle = (p + q) / 2.0
    return float((rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2.0 / math.log(2.0))


def _shape(theirs: Codes, ours: Codes, draw: np.random.Generator) -> Found:
    """``degree_js``: items drawn anew for the interval, their domains permuted for the null."""
    p, q = histogram(theirs), histogram(ours)
    drawn = [draw.multinomial(len(x), s, DRAWS) / len(x) for x, s in ((theirs, p), (ours, q))]
    again = np.array([divergence(a, b) for a, b in zip(*drawn, strict=True)])
    counts = np.round(p * len(theirs) + q * len(ours)).astype(np.int64)
    mixed = draw.multivariate_hypergeometric(counts, len(theirs), DRAWS)
    null = [divergence(m / m.sum(), (counts - m) / (counts - m).sum()) for m in mixed]
    found = spread("degree_js", divergence(p, q), again, least=0.0)
    return Found("degree_js", found.value, found.low, found.high, upper(np.array(null)))


def _shifts(theirs: Codes, ours: Codes, draw: np.random.Generator) -> list[Found]:
    """Target − source; items drawn anew, at most 2,000 of them (the interval is then too wide, never too narrow)."""
    sides = [side.astype(np.float64) for side in (ours, theirs)]
    drawn = [draw.choice(side, (DRAWS, min(len(side), 2000))) for side in sides]
    return [
        spread(name, float(np.subtract(*map(of, map(np.sort, sides)))), np.subtract(*map(of, map(np.sort, drawn))))
        for name, of in (("gini_shift", _gini), ("head_shift", _head))
    ]


def _sales(ground: Ground, source: Side, target: Side) -> Found:
    """Spearman correlation of the sales of items sold in both; interval by Fisher's z."""
    own = ground.once(("own sales correlation", target.name), lambda: _spearman(*target.halves).value)
    enough = len(ground.both(source, target, "sold")) >= LEAST
    found = ground.between(source, target, "sales correlation", lambda: _spearman(*in_order(source, target)))
    return affinity(found, own, 0.0, enough)


def _spearman(one: Side, other: Side) -> Found:
    both = common(one.sold, other.sold)
    if len(both) < 4:
        return Found("sales_correlation")
    a, b = (pl.Series(side.sales.of(both)).rank().to_numpy() for side in (one, other))
    if not a.std() or not b.std():
        return Found("sales_correlation")
    value = float(np.corrcoef(a, b)[0, 1])
    z, half = math.atanh(min(max(value, -0.999999), 0.999999)), Z / math.sqrt(len(both) - 3)
    return Found("sales_correlation", value, math.tanh(z - half), math.tanh(z + half))
