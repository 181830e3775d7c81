"""How far apart the items are, by what they say of themselves.

Two references give the words. *Near*: what two samples of one domain give (labels permuted), or, where it is more, what
the target gives against itself when half of its categories are taken as one domain and the rest as another. *Far*: what
a domain gives that lies as far from the World's centre and spreads as widely as the target, in directions that have
nothing to do with it: the target's vectors with the signs of their axes drawn at random, the median of 20 draws.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import torch

from ..distances import proxy_a, squares
from ..types import Floats
from .resampled import Draws, Statistic, compared, coral_of, kernel_of, mmd_of, own_kernel, sliced_of
from .sides import LEAST, Ground, Side, in_order
from .vectors import Items
from .words import NONE, Found, affinity, distance, share

FLIPS, COSTLY = 20, 50
HALVES = 10
NAMES = ("mmd", "coral", "sliced_wasserstein", "proxy_a", "content_cover")


def content(ground: Ground, items: Items, source: Side, target: Side) -> list[Found]:
    """``mmd``, ``coral``, ``sliced_wasserstein``, ``proxy_a`` (symmetric) and ``content_cover`` (directed)."""
    found = unworded(ground, items, source, target)
    enough = min(len(items.of(side.name)) for side in (source, target)) >= LEAST
    if all(np.isnan(f.value) for f in found):
        return [distance(f, NONE, NONE, False) for f in found]
    near, far = _own_categories(ground, items, target), _flipped(ground, items, target)
    made = [distance(f, max(f.null or 0.0, near.get(f.name, 0.0)), far[f.name], enough) for f in found[:-1]]
    return [*made, affinity(found[-1], near.get("content_cover", 0.5), far["content_cover"], enough)]


def unworded(ground: Ground, items: Items, source: Side, target: Side) -> list[Found]:
    """The same without words."""
    x, y = items.of(source.name), items.of(target.name)
    if min(len(x), len(y)) < 2:
        return [Found(n) for n in NAMES]
    a, b = in_order(source, target)
    return [
        *ground.between(a, b, "content", lambda: _apart(ground, items, a, b)),
        _cover(
            "content_cover", x, y, lambda number: ground.once(("nearest", target.name, number), lambda: _own(y, number))
        ),
    ]


def discrepancy(ground: Ground, items: Items, a: Side, b: Side, draws: Draws | None = None) -> Found:
    """``mmd`` alone, with 50 draws where none are given."""
    x, y = items.of(a.name), items.of(b.name)
    if min(len(x), len(y)) < 2:
        return Found("mmd")
    drawn = draws or _draws(a, b, x, y, ground, COSTLY)
    scale = scale_of(ground, items)
    one, other = (ground.of_side("kernel", s, lambda s=s: own_kernel(items.of(s.name), scale)) for s in (a, b))  # type: ignore[misc]
    return compared("mmd", mmd_of((one, other), kernel_of(x, y, scale)), drawn, -np.inf)


def _draws(a: Side, b: Side, x: Floats, y: Floats, ground: Ground, most: int | None = None) -> Draws:
    o, draw = ground.options, ground.draw("content", a.name, b.name)
    return Draws.of(len(x), len(y), draw, most or o.permutations, most or o.resamples)


def _apart(ground: Ground, items: Items, a: Side, b: Side) -> list[Found]:
    """The symmetric distances of two samples of items."""
    x, y = items.of(a.name), items.of(b.name)
    both, draws = np.vstack([x, y]), _draws(a, b, x, y, ground)
    few = _first(draws, COSTLY)
    others = [compared(n, f(both), few) for n, f in (("coral", coral_of), ("sliced_wasserstein", sliced_of))]
    return [discrepancy(ground, items, a, b, draws), *others, _proxy(x, y, ground.seed)]


def _first(draws: Draws, number: int) -> Draws:
    return Draws(draws.plain, *((a[:number], b[:number]) for a, b in (draws.mixed, draws.again)))


def _proxy(x: Floats, y: Floats, seed: int) -> Found:
    """Proxy A-distance; its interval is that of the held-out error (Wilson), its null the 5 % quantile of guessing."""
    if min(len(x), len(y)) < 5:
        return Found("proxy_a")
    value, tried = proxy_a(x, y, seed=seed), len(x) + len(y)
    error = share("proxy_a", (1.0 - value / 2.0) / 2.0 * tried, tried)
    guessed = 1.644854 / np.sqrt(tried)
    return Found("proxy_a", value, max(0.0, 2 - 4 * error.high), min(2.0, 2 - 4 * error.low), float(2.0 * guessed))


def _cover(name: str, x: Floats, y: Floats, own: Callable[[int], torch.Tensor] | None = None) -> Found:
    """Share of target items y whose nearest source item is at least as near as their nearest other target item.

    Both are looked for among equally many items; two samples of one domain give ½.
    """
    number = min(len(x), len(y) - 1)
    near = _nearest(squares(torch.from_numpy(y), torch.from_numpy(x)), number)
    return share(name, float((near <= (own(number) if own else _own(y, number))).sum()), len(y))


def _own(y: Floats, number: int) -> torch.Tensor:
    """(m,) squared distance of each to the nearest of `number` others."""
    rows = torch.from_numpy(y)
    return _nearest(squares(rows, rows).fill_diagonal_(torch.inf), number)


def _nearest(apart: torch.Tensor, number: int) -> torch.Tensor:
    few = apart if number >= apart.shape[1] else apart[:, _evenly(apart.shape[1], number)]
    return few.min(dim=1).values


def _evenly(length: int, number: int) -> list[int]:
    return np.linspace(0, length - 1, number).round().astype(int).tolist() if number < length else list(range(length))


def scale_of(ground: Ground, items: Items) -> float:
    """Median squared distance of two different items over all domains: one scale makes distances comparable."""

    def find() -> float:
        draw = ground.draw("scale")
        pairs = draw.integers(0, len(items.codes), (2, 20_000))
        pairs = pairs[:, pairs[0] != pairs[1]]
        apart = items.vectors[pairs[0]] - items.vectors[pairs[1]]
        return max(float(np.median(np.square(apart).sum(axis=1))), 1e-12)

    return ground.once("scale", find)


def _own_categories(ground: Ground, items: Items, target: Side) -> dict[str, float]:
    """Median of each measure between two random halves of the target's categories, 30 items each at least."""

    def find() -> dict[str, float]:
        groups, draw, found = list(categories_of(ground, items, target.name).values()), ground.draw(target.name), []
        for _ in range(HALVES if len(groups) > 1 else 0):
            order = draw.permutation(len(groups))
            parts = [[groups[g] for g in half] for half in (order[: len(order) // 2], order[len(order) // 2 :])]
            x, y = (np.vstack(part) for part in parts)
            if min(len(x), len(y)) >= LEAST:
                found.append(_plainly(ground, items, x, y))
        return dict(zip(NAMES, np.median(found, axis=0).tolist(), strict=True)) if found else {}

    return ground.once(("own categories", target.name), find)


def categories_of(ground: Ground, items: Items, name: str) -> dict[str, Floats]:
    """Category → vectors of the items drawn of a domain; brands where no item has a category; empty without either."""
    rows = ground.world.content[items.codes[items.own[name]].tolist()]
    column = next((c for c in ("category", "brand") if rows[c].null_count() < len(rows)), None)
    if column is None:
        return {}
    places = rows.select(pl.col(column).cast(pl.String).alias("kind"), place=pl.int_range(pl.len())).drop_nulls()
    groups = places.group_by("kind").agg("place").sort("kind").rows()
    vectors = items.of(name)
    return {str(kind): vectors[place] for kind, place in groups}


def _plain(statistic: Statistic, x: Floats, y: Floats) -> float:
    weights = np.r_[np.full(len(x), 1 / len(x)), np.zeros(len(y))], np.r_[np.zeros(len(x)), np.full(len(y), 1 / len(y))]
    return float(statistic(*(w.astype(np.float32)[None] for w in weights))[0])


def _flipped(ground: Ground, items: Items, target: Side) -> dict[str, float]:
    """Median of each measure against the target with random signs of its axes."""

    def find() -> dict[str, float]:
        y, draw = items.of(target.name), ground.draw("flips", target.name)
        y = y[_evenly(len(y), 400)]
        signs = draw.choice(np.array([-1.0, 1.0], dtype=np.float32), (FLIPS, y.shape[1]))
        return dict(zip(NAMES, np.median([_plainly(ground, items, y * s, y) for s in signs], axis=0), strict=True))

    return ground.once(("flips", target.name), find)


def _plainly(ground: Ground, items: Items, x: Floats, y: Floats) -> list[float]:
    """The measures of two samples in the order of `NAMES`, without intervals."""
    scale, both = scale_of(ground, items), np.vstack([x, y])
    kernels = (own_kernel(x, scale), own_kernel(y, scale)), kernel_of(x, y, scale)
    plain = [_plain(f, x, y) for f in (mmd_of(*kernels), coral_of(both), sliced_of(both))]
    apart = proxy_a(x, y, seed=ground.seed) if min(len(x), len(y)) >= 5 else NONE
    return [*plain, apart, _cover("", x, y).value]
