"""Item prior: what will sell, foretold from content by what sold in other domains."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from ..encoders.content import ContentOptions, ContentReader
from ..errors import MethodError
from ..models.base import Base
from ..recommender import Recommender
from ..rng import generator
from ..types import Codes, Doubles
from .common import standardised
from .method import transfer
from .popularity import PopularityScorer
from .problem import Problem
from .result import recommender_for
from .sales_facts import Shelves
from .space import Range, Space
from .trees import regression

_STRENGTH = (1e-2, 1e7)
"""Of the prior, in people: bounds of the search."""


@dataclass(frozen=True)
class ItemPriorOptions:
    """Options of `item_prior`."""

    content: ContentOptions = field(default_factory=ContentOptions)
    """What of the items is read, as in fusion."""
    components: int = 32
    """First principal components of the texts that trees read; more of them drown the rest."""
    weeks: float = 8.0
    """What sold in the sources in so many last weeks is learned from; everything where times are unknown."""
    trees: int = 150
    """Trees of each forest."""
    forests: int = 4
    """Forests whose forecasts are averaged; they differ by chance alone."""
    min_items: int = 20
    """Sources with fewer items are not learned from."""

    search: ClassVar[Space] = {"weeks": Range(2.0, 52.0, log=True), "trees": Range(50, 400, log=True)}

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.weeks <= 0 or self.components < 0 or min(self.trees, self.forests, self.min_items) < 1:
            raise ValueError("weeks > 0, components ≥ 0 and trees, forests and min_items ≥ 1 are needed.")


@transfer(
    "item_prior",
    options=ItemPriorOptions,
    paper="gradient-boosted Poisson regression (Friedman 2001); Dirichlet prior by maximum likelihood (Minka 2000)",
    when="the first weeks of a launch, as a part of blend: which items will sell, whoever asks",
    cost="low",
    needs=("item_content",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: ItemPriorOptions) -> Recommender:
    """What will sell, foretold from content by what sold in the sources, and corrected by what sells in the target."""
    forecast = forecast_of(problem, options)
    buyers = buyers_of(problem.target_rows, problem.world.n_items)[problem.catalogue]
    strength = strength_of(forecast, buyers)
    expected = (buyers + strength * forecast) / (buyers.sum() + strength)
    scorer = PopularityScorer(np.log(expected).astype(np.float32))
    return recommender_for(problem, "item_prior", scorer, strength=round(strength, 1), buyers=int(buyers.sum()))


def forecast_of(problem: Problem, options: ItemPriorOptions) -> Doubles:
    """(catalogue,) share of the target's sales that each item is expected to have, from what sold in the sources.

    Raises:
        MethodError: no source has enough items, or LightGBM is not installed.
    """
    world, codes = problem.world, problem.domain_codes
    listed = [world.catalogue(name) for name in problem.sources]
    known = [(code, items) for code, items in zip(codes, listed, strict=False) if len(items) >= options.min_items]
    if not known:
        raise MethodError(
            f"item_prior learns from sources with at least {options.min_items} items, and there is none; "
            "lower min_items, or choose popularity."
        )
    shelves = _shelves(problem, options, [*known, (codes[-1], problem.catalogue)])
    sold = [_shares(problem, options.weeks, code, items) for code, items in known]
    success = np.concatenate([*(standardised(np.log1p(s)[None])[0] for s in sold), np.zeros(len(problem.catalogue))])
    facts = shelves.facts(success, np.array([code for code, _ in known]))
    learned = len(facts) - len(problem.catalogue)
    # Large domains tell more, but not in proportion to their size.
    weights = np.concatenate([np.full(len(items), len(items) ** -0.5) for _, items in known])
    shares, seed = np.concatenate(sold), int(generator(problem.seed, "item_prior").integers(2**31))
    found = regression(facts[:learned], shares, weights, facts[learned:], options.trees, options.forests, seed)
    found = np.maximum(found, 1e-9)
    made: Doubles = found / found.sum()
    return made


def _shelves(problem: Problem, options: ItemPriorOptions, shelves: list[tuple[int, Codes]]) -> Shelves:
    domain = np.concatenate([np.full(len(items), code) for code, items in shelves])
    places = np.concatenate([items for _, items in shelves])
    items = np.unique(places)
    rows = problem.world.content[items.tolist()]
    reader, content = ContentReader.fit(rows, options.content)
    place = np.searchsorted(items, places)
    found, numbers = content.take(place), len(reader.attributes.numbers)
    found = replace(found, text=found.text[:, : options.components])
    return Shelves(domain, found, found.numeric[:, : 2 * numbers : 2], np.column_stack([found.levels, place + 1]))


def _shares(problem: Problem, weeks: float, domain: int, items: Codes) -> Doubles:
    """(n,) buyers of each of `items` in the last weeks, over their mean."""
    rows = problem.visible.filter(pl.col("domain") == domain)
    end = problem.split.cut if problem.split.cut is not None else rows["timestamp"].max()
    if end is not None:
        fresh = rows.filter(pl.col("timestamp") >= pl.lit(end, dtype=pl.Datetime("us")) - pl.duration(weeks=weeks))
        rows = fresh if len(fresh) else rows
    found = buyers_of(rows, problem.world.n_items)[items]
    shares: Doubles = found / max(found.mean(), 1e-30)
    return shares


def buyers_of(rows: pl.DataFrame, n_items: int) -> Doubles:
    """(items,) distinct people with an event of each item in coded `rows`."""
    pairs = rows.select("user", "item").unique()
    return np.bincount(pairs["item"].to_numpy(), minlength=n_items).astype(np.float64)


def strength_of(forecast: Doubles, buyers: Doubles) -> float:
    """How many purchases the forecast is worth: κ of the Dirichlet prior κ · `forecast` that makes `buyers` likeliest.

    log p(buyers) = log Γ(κ) − log Γ(n + κ) + Σ_i log Γ(n_i + κ m_i) − log Γ(κ m_i), n = Σ n_i (Minka 2000, Estimating a
    Dirichlet distribution). 1 where nothing was bought: the order is that of the forecast then.
    """
    if not buyers.any():
        return 1.0

    def unlikely(log_strength: float) -> float:
        strength = np.exp(log_strength)
        own = strength * forecast
        each: float = (gammaln(buyers + own) - gammaln(own)).sum()
        return float(gammaln(buyers.sum() + strength) - gammaln(strength)) - each

    found: Any = minimize_scalar(unlikely, bounds=tuple(np.log(_STRENGTH)), method="bounded")
    return float(np.exp(found.x))
