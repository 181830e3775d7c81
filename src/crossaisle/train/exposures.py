"""What was shown, and what became of it: pairs of a user and an item with labels, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from ..rng import generator
from ..types import Codes, Floats
from .batches import Batch, Sampler, TaskData

PAIR = ("user", "item")


@dataclass(frozen=True)
class Exposures:
    """One step's exposures, all of one domain.

    Attributes:
        ctr: number of the head of clicks; 0 where the domain knows none between exposure and purchase.
        cvr: number of the head of purchases.
        profile: (n, 2q + 2) of the users, without the pair itself.
        levels: (n, c) user attributes.
        items: (m,) item codes whose vectors are needed.
        place: (n,) places in `items`.
        clicked: (n,) 1 where what was shown was clicked, else 0.
        bought: (n,) 1 where it was bought after that, else 0.
    """

    ctr: int
    cvr: int
    profile: Tensor
    levels: Tensor
    items: Codes
    place: Tensor
    clicked: Tensor
    bought: Tensor


@dataclass(frozen=True)
class Shown:
    """A step: the ranking batch of one task, and exposures of one domain."""

    rank: Batch
    exposures: Exposures

    def __len__(self) -> int:
        return len(self.rank) + len(self.exposures.place)


@dataclass(frozen=True, eq=False)
class Chain:
    """What one domain's exposures led to.

    Attributes:
        pairs: distinct pairs that were shown; their task is the head of purchases.
        ctr: number of the head of clicks, or 0.
        clicked: (r,) 1 where the pair was clicked, else 0.
        bought: (r,) 1 where it was bought after that, else 0.
    """

    pairs: TaskData
    ctr: int
    clicked: Floats
    bought: Floats


@dataclass(frozen=True, eq=False)
class ExposureSampler:
    """Step number → `Shown`; depends on seed and number alone, so that training can be resumed.

    Within a domain exposures are drawn uniformly, clicked or not, so that probabilities need no correction.

    Attributes:
        ranks: draws the ranking batches; its size, and its share of users as on day one, hold for exposures as well.
        chains: of each domain with exposures.
    """

    ranks: Sampler
    chains: tuple[Chain, ...]

    def __call__(self, step: int) -> Shown:
        """The batch of `step`."""
        return Shown(self.ranks(step), self.exposures(step))

    def exposures(self, step: int) -> Exposures:
        """The exposures of `step`."""
        draw, ranks = generator(self.ranks.seed, "exposures", str(step)), self.ranks
        chain = self.chains[int(draw.choice(len(self.chains), p=self.shares))]
        pairs = chain.pairs
        rows = draw.integers(0, len(pairs.users), ranks.size)
        items, place = np.unique(pairs.items[rows], return_inverse=True)
        return Exposures(
            chain.ctr,
            pairs.task,
            torch.from_numpy(ranks.seen(pairs, rows, draw.random(len(rows)) < ranks.launch)),
            torch.from_numpy(ranks.levels[pairs.active[pairs.users[rows]]]),
            items,
            torch.from_numpy(place),
            torch.from_numpy(chain.clicked[rows]),
            torch.from_numpy(chain.bought[rows]),
        )

    @cached_property
    def shares(self) -> npt.NDArray[np.float64]:
        """(chains,) chance of each domain, by the root of its size."""
        weights = np.sqrt([len(c.pairs.users) for c in self.chains])
        made: npt.NDArray[np.float64] = weights / weights.sum()
        return made


def outcomes(rows: pl.DataFrame, steps: Sequence[int]) -> pl.DataFrame:
    """What was shown and how far it went.

    Args:
        rows: coded interactions of one domain.
        steps: event codes in their order: exposure, then one or two more.

    Returns:
        One row per distinct (user, item) with the first event, sorted: ``user``, ``item``, and ``step1`` (and
        ``step2``), 1 where that event of the pair is at or after the first one of the step before, else 0. An event
        without a time counts.
    """
    at = [rows.filter(pl.col("event") == code).select(*PAIR, "timestamp") for code in steps]
    before = at[0].group_by(PAIR).agg(since=pl.col("timestamp").min())
    made = before.sort(PAIR).select(PAIR)
    for number, events in enumerate(at[1:], 1):
        later = (pl.col("timestamp") >= pl.col("since")).fill_null(True)
        when = pl.coalesce(pl.col("timestamp").min(), pl.col("since").first())
        before = events.join(before, on=PAIR).filter(later).group_by(PAIR).agg(since=when)
        mark = before.select(*PAIR, pl.lit(1.0, dtype=pl.Float32).alias(f"step{number}"))
        made = made.join(mark, on=PAIR, how="left", maintain_order="left")
    return made.fill_null(0.0)
