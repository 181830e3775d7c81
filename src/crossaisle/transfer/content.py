"""Content: items with few or no events, from what items alike in words and attributes tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp

from ..errors import MethodError
from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Asked, Basis, Codes, Contributions, Doubles, Floats, History, Tensors
from . import user_kernel
from .alike import similarity
from .common import Scope, among, pack, popularity_of, spread_over, standardised, standardised_ask, unpack, weighted
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .user_kernel import UserKernelOptions, UserKernelScorer


@dataclass(frozen=True)
class ContentKernelOptions:
    """Options of `content`."""

    scope: Scope = "all"
    """``all``: histories and votes of all visible domains; ``target``: the target's items alone (a control)."""
    power: float = 3.0
    """Similarities are taken to this power: above 1, near items count more."""
    neighbours: int = 1000
    """Most similar items that are read for each item of the catalogue (memory: 8 bytes × this × catalogue)."""
    half_life_weeks: float | None = 8.0
    """Weeks after which an event counts half, in the asking history and in what sells; none: no decay."""
    prior_people: float = 3.0
    """Votes for items alike are divided by their people plus this many for each: above 0, few people say less."""
    prior_sales: float = 10.0
    """What sells among items alike is pulled to the mean of all, which counts as this much similarity."""
    votes: bool = True
    """Whether people alike speak for an item through items like it."""
    sales: bool = True
    """Whether what sells among items alike counts; without votes and sales this is the plain content filter."""
    max_users: int = 4000
    """Most people that vote, the target's and the fullest first (memory: 8 bytes × square)."""

    def __post_init__(self) -> None:
        if self.power <= 0 or min(self.neighbours, self.max_users) < 1:
            raise ValueError("power must be above 0, neighbours and max_users at least 1.")
        if self.prior_people <= 0 or self.prior_sales <= 0:
            raise ValueError("prior_people and prior_sales must be above 0.")
        if self.half_life_weeks is not None and self.half_life_weeks <= 0:
            raise ValueError(f"half_life_weeks is {self.half_life_weeks}; a number above 0 is needed.")


@scorer("content")
@dataclass(frozen=True, eq=False)
class ContentScorer:
    """Three views of an item, each standardised over the catalogue and added: near, votes and sales.

    No view reads the item's own events, so that an item nobody has is judged as all others are.

    Attributes:
        inputs: (p,) item codes that are read.
        near: (p, catalogue) CSR similarities to what the user has.
        votes: (catalogue, catalogue) CSR, how votes for other items pass to each item.
        people: gives the votes; None where they are not asked, or nobody bought anything of the catalogue.
        sales: (catalogue,) float32, standardised: what sells among items alike; zeros where that is not asked.
        half_life_weeks: see `common.weighted`.
    """

    kind: ClassVar[str] = "content"
    basis: ClassVar[Basis] = "content"
    inputs: Codes
    near: sp.csr_matrix
    votes: sp.csr_matrix
    people: UserKernelScorer | None
    sales: Floats
    half_life_weeks: float | None

    def score(self, history: History) -> Floats:
        """(n, catalogue) near + votes + sales."""
        events = weighted(history, "binary", self.half_life_weeks)[:, self.inputs]
        scores = standardised((events @ self.near).toarray()) + self.sales[None, :]
        if self.people is not None:
            scores += standardised(np.ascontiguousarray((self.votes @ self.people.score(history).T).T))
        return np.asarray(scores, dtype=np.float32)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: near and votes are sums over events, their spread over the catalogue taken as given."""
        parts = self._near_parts(history, asked)
        near = Contributions(asked @ self.sales, parts, {"text and attributes": parts.sum(axis=1)})
        if self.people is None:
            return near
        said = (self.votes @ self.people.score(history).T).T
        return near.plus(self.people.contributions(history, standardised_ask(said, asked) @ self.votes))

    def _near_parts(self, history: History, asked: Asked) -> Doubles:
        """(m, events) what each event adds through the items that are like it."""
        events = weighted(history, "binary", self.half_life_weeks)
        found, rows = among(events.indices, self.inputs)
        wanted = standardised_ask((events[:, self.inputs] @ self.near).toarray(), asked)
        return spread_over(len(events.data), found, (self.near[rows] @ wanted.T).T * events.data[found])

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        people, meta = self.people.state() if self.people is not None else ({}, None)
        tensors: Tensors = {"inputs": self.inputs, "sales": self.sales, **pack("near", self.near)}
        tensors |= pack("votes", self.votes)
        tensors |= {f"people.{n}": t for n, t in people.items()}
        return tensors, {"half_life_weeks": self.half_life_weeks, "people": meta}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        own = {n.removeprefix("people."): t for n, t in tensors.items() if n.startswith("people.")}
        people = None if meta["people"] is None else UserKernelScorer.restore(own, meta["people"])
        near, votes = unpack("near", tensors), unpack("votes", tensors)
        return cls(tensors["inputs"], near, votes, people, tensors["sales"], meta["half_life_weeks"])


@transfer(
    "content",
    options=ContentKernelOptions,
    paper="content-based filtering, Pazzani & Billsus 2007; means over items alike, Nadaraya 1964 and Watson 1964",
    when="the assortment turns over, or the question is about items on their first day",
    cost="low",
    needs=("item_content",),
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: ContentKernelOptions) -> Recommender:
    """Items with few or no events: like what the user has, what people alike have, and what sells."""
    inputs = problem.catalogue
    if options.scope == "all":
        inputs = np.union1d(inputs, problem.visible["item"].unique().to_numpy()).astype(np.int64)
    places = np.searchsorted(inputs, problem.catalogue)
    near = similarity(problem.world.content[inputs.tolist()], places, options.power, options.neighbours)
    others = _without_itself(near[:, places])
    made = ContentScorer(
        inputs,
        near.T.tocsr(),
        votes_of(others, _people(problem), options.prior_people),
        voters(problem, options) if options.votes else None,
        sales_of(others, problem, options) if options.sales else np.zeros(len(places), dtype=np.float32),
        options.half_life_weeks,
    )
    return recommender_for(problem, "content", made, items_read=len(inputs))


def voters(problem: Problem, options: ContentKernelOptions) -> UserKernelScorer | None:
    """`user_kernel` on items by themselves: its scores are the votes; None where nobody bought of the catalogue."""
    asked = UserKernelOptions(
        scope="target" if options.scope == "target" else "both", content_power=0.0, max_users=options.max_users
    )
    try:
        found = user_kernel.fit(None, problem, asked).scorer
    except MethodError:  # nobody to ask yet: content alone answers
        return None
    return found if isinstance(found, UserKernelScorer) else None


def votes_of(others: sp.csr_matrix, people: Floats, prior: float) -> sp.csr_matrix:
    """(catalogue, catalogue) CSR K_ij / Σ_k K_ik (n_k + prior): votes for items alike by how many people those have.

    Args:
        others: similarities K (catalogue, catalogue) with a diagonal of zeros.
        people: (catalogue,) n, people of each item.
        prior: people that each item is given.
    """
    total = np.maximum(others @ (people + np.float32(prior)), 1e-9)
    return (sp.diags((1.0 / total).astype(np.float32)) @ others).tocsr().astype(np.float32)


def sales_of(others: sp.csr_matrix, problem: Problem, options: ContentKernelOptions) -> Floats:
    """(catalogue,) standardised mean of √events over items alike that sell; zeros where nothing is sold.

    (Σ_j K_ij y_j + κ ȳ) / (Σ_j K_ij + κ) over items j with events, y = √(events, fading with age).
    """
    sold = np.sqrt(popularity_of(problem, "target", "events", options.half_life_weeks))
    warm = (sold > 0).astype(np.float32)
    if not warm.any():
        return np.zeros(len(sold), dtype=np.float32)
    pull, mean = options.prior_sales, float(sold[sold > 0].mean())
    means = (others @ sold + pull * mean) / (others @ warm + pull)
    made: Floats = standardised(means[None, :].astype(np.float32))[0]
    return made


def _without_itself(near: sp.csr_matrix) -> sp.csr_matrix:
    other = near.tocoo()
    kept = other.row != other.col
    pairs = (other.row[kept], other.col[kept])
    return sp.csr_matrix((other.data[kept], pairs), shape=near.shape)


def _people(problem: Problem) -> Floats:
    """(catalogue,) people of the target who have each item."""
    return np.asarray((problem.target_counts > 0).sum(axis=0), dtype=np.float32).ravel()
