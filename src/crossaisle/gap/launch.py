"""Facts of a launch: numbers of one Problem that are known before anything is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from ..encoders.content import told_of
from ..rng import generator
from ..transfer.alike import features_of
from ..transfer.problem import Problem, count_matrix
from ..types import Codes
from .agreement import Likeness
from .popularity import head_weight
from .sides import LEAST

MOST_PEOPLE = 1_000
"""People who are asked for their neighbours: a thousand squared cosines are there in a fraction of a second."""
MOST_SOURCES = 6
"""Sources that stand in for the target, those with most people."""
NEAREST = 20
"""Neighbours of each; the cases that come along were measured with it."""


@dataclass(frozen=True)
class LaunchFacts:
    """What a launch looks like beforehand. Test rows are not read.

    Attributes:
        rows: visible interactions of the target.
        people: people behind them.
        items: size of the catalogue.
        warm: share of the catalogue that was sold in the target.
        elsewhere: share of the catalogue that was sold in the sources.
        told: share of the catalogue that has a title, price or attribute.
        words: share of the catalogue's title words and attributes that items of the sources have as well.
        sources: number of source domains.
        source_rows: their interactions.
        known: share of the target's people who have a history in the sources. With fewer than 30 people in sight: of a
            source's people, the share who have one in other sources.
        history: mean interactions in the sources, of people who have any.
        agreement: how alike the purchases here are of people who are nearest in what they have elsewhere, against
            people drawn by chance (see `neighbour_agreement`); 1: no more. With under 30 people in sight: of sources.
        own: the same between two halves of what people have here: what the target says of itself, for which a source
            has to add something. With under 30 people in sight: of sources.
        spread: share of sales that the tenth of items sold most have, in the target or else the sources.
    """

    rows: float
    people: float
    items: float
    warm: float
    elsewhere: float
    told: float
    words: float
    sources: float
    source_rows: float
    known: float
    history: float
    agreement: float
    own: float
    spread: float

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Measured on what `problem` shows."""
        world, own = problem.world, problem.target_rows
        others = problem.visible.filter(pl.col("domain") != problem.domain_codes[-1])
        here = count_matrix(own, world.n_users, world.n_items)
        there = count_matrix(others, world.n_users, world.n_items)
        depth, people = np.asarray(there.sum(axis=1)).ravel(), np.flatnonzero(np.diff(here.indptr))
        listed = told_of(world.content[problem.catalogue.tolist()])
        known, alike, own_alike = (
            (float((depth[people] > 0).mean()), neighbour_agreement(there, here), own_agreement(here))
            if len(people) >= LEAST
            else _among_sources(problem, others)
        )
        return cls(
            rows=own.height,
            people=len(people),
            items=len(problem.catalogue),
            warm=_sold(own, problem.catalogue),
            elsewhere=_sold(others, problem.catalogue),
            told=float(listed.mean()),
            words=_words_known(problem),
            sources=len(problem.sources),
            source_rows=others.height,
            known=known,
            history=float(depth[depth > 0].mean()) if len(others) else 0.0,
            agreement=alike,
            own=own_alike,
            spread=_spread(own if len(own) else others),
        )

    def as_dict(self) -> dict[str, float]:
        """Name → number, for reports."""
        return {name: round(float(value), 6) for name, value in dataclasses.asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`.

        Raises:
            KeyError: a number is missing.
        """
        return cls(**{f.name: float(values[f.name]) for f in dataclasses.fields(cls)})


def neighbour_agreement(there: sp.csr_matrix, here: sp.csr_matrix) -> float:
    """Whether people who are near in one place are near in another: mean cosine of neighbours over that of strangers.

    Of up to 1,000 people who have something in both, each one's 20 nearest by `there` are compared with them by `here`
    (as `agreement.lift`, which also gives its interval and null); strangers are all others of these people.

    Args:
        there: (users, items) CSR counts.
        here: (users, items) CSR counts of the same users.

    Returns:
        Ratio, shrunk to 1 as if one more neighbour were as alike as strangers; 1 with under 30 people.
    """
    return _agreement(there, here)[0]


def own_agreement(counts: sp.csr_matrix) -> float:
    """`neighbour_agreement` of two random halves of `counts` (users, items): of what a person has, each item in one.

    Halves are thin: few people may have 20 neighbours there, so it is shrunk to 1 as if 30 more were as strangers.
    """
    first = generator(0, "own agreement").random(counts.nnz) < 0.5
    ratio, people = _agreement(_part(counts, first), _part(counts, ~first))
    return 1.0 + (ratio - 1.0) * people / (people + LEAST)


def _agreement(there: sp.csr_matrix, here: sp.csr_matrix) -> tuple[float, int]:
    """See `neighbour_agreement`; and the number of people who have neighbours enough."""
    both = np.flatnonzero((np.diff(there.indptr) > 0) & (np.diff(here.indptr) > 0))
    if len(both) < LEAST:
        return 1.0, 0
    draw = generator(0, "agreement")
    asked = np.sort(draw.choice(both, MOST_PEOPLE, replace=False)) if len(both) > MOST_PEOPLE else both
    near, alike = (Likeness.of(_had(matrix[asked]), NEAREST) for matrix in (there, here))
    chance = alike.cosines.sum() / (len(asked) * (len(asked) - 1))
    if not near.valid.any() or chance <= 0:
        return 1.0, 0
    found = np.take_along_axis(alike.cosines, near.near, axis=1)[near.valid].mean()
    return float((found + chance / NEAREST) / (chance + chance / NEAREST)), int(near.valid.sum())


def _part(counts: sp.csr_matrix, kept: npt.NDArray[np.bool_]) -> sp.csr_matrix:
    made = sp.csr_matrix((counts.data * kept, counts.indices, counts.indptr), counts.shape, copy=True)
    made.eliminate_zeros()
    return made


def _had(counts: sp.csr_matrix) -> sp.csr_matrix:
    return sp.csr_matrix((np.ones(counts.nnz, dtype=np.float32), counts.indices, counts.indptr), counts.shape)


def _among_sources(problem: Problem, rows: pl.DataFrame) -> tuple[float, float, float]:
    """Share of people known elsewhere, agreement with it, and own: means over the largest sources, as if the target."""
    largest = rows.group_by("domain").agg(n=pl.col("user").n_unique()).sort("n", "domain", descending=[True, False])
    world = problem.world
    whole = count_matrix(rows, world.n_users, world.n_items)
    found = []
    for code in largest["domain"].head(MOST_SOURCES) if len(problem.sources) > 1 else ():
        own = count_matrix(rows.filter(pl.col("domain") == code), world.n_users, world.n_items)
        rest = whole - own
        rest.eliminate_zeros()
        people = np.flatnonzero(np.diff(own.indptr))
        known = float((np.diff(rest.indptr)[people] > 0).mean())
        found.append((known, neighbour_agreement(rest, own), own_agreement(own)))
    known, alike, own_alike = np.array(found or [(0.0, 1.0, 1.0)]).mean(axis=0).tolist()
    return known, alike, own_alike


def _sold(rows: pl.DataFrame, catalogue: Codes) -> float:
    return float(np.isin(catalogue, rows["item"].unique().to_numpy()).mean())


def _words_known(problem: Problem) -> float:
    """Share of the words and levels of the catalogue, each counted once for each item, that sources' items have."""
    items, code = problem.world.items, problem.domain_codes[-1]
    own = features_of(items.filter(pl.col("domain") == code))
    others = features_of(items.filter(pl.col("domain").is_in(list(problem.domain_codes[:-1]))))
    known = own["feature"].is_in(others["feature"].unique().implode())
    return float(known.to_numpy().mean()) if len(own) else 0.0


def _spread(rows: pl.DataFrame) -> float:
    return head_weight(rows["item"].value_counts()["count"].to_numpy()) if len(rows) else 0.0
