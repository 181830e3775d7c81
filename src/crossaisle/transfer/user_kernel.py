"""User kernel: people who bought alike elsewhere buy alike here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
import scipy.sparse as sp

from ..errors import MethodError
from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Asked, Codes, Contributions, Floats, History, Tensors
from .alike import alike, share_of
from .common import (
    TIE_BREAK,
    Weight,
    among,
    best_per_row,
    pack,
    popularity_of,
    regular_inverse,
    training_history,
    unpack,
    weighted,
)
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .voters import Voters, voters_of

COLUMNS = 512
Kind = Literal["ridge", "cosine"]


@dataclass(frozen=True)
class UserKernelOptions:
    """Options of `user_kernel`."""

    scope: Literal["sources", "target", "both"] = "both"
    """What a user's profile is made of: items of the sources, of the target (whose rows alone are read), or both."""
    kind: Kind = "ridge"
    """``ridge``: kernel ridge regression, exact; ``cosine``: weighted mean of the nearest users."""
    regularization: float = 2.0
    """λ of the ridge (a profile has length 1): more pulls towards popularity, and suits short profiles."""
    neighbours: int = 200
    """Nearest users that vote in kind ``cosine``."""
    max_users: int = 12_000
    """In kind ``ridge``: most training users, the target's and the fullest first (memory: 8 bytes × square)."""
    idf: float = 0.5
    """Exponent of log(users / users of the item) in profiles; 0: all items alike."""
    target_weight: float = 3.0
    """Weight of target items in the profile; source items have 1."""
    weight: Weight = "binary"
    """How repeated events count in profiles: log(1 + count), once, or each."""
    half_life_weeks: float | None = None
    """Weeks after which an event counts half in profiles; none: no decay."""
    prior: float = 1.0
    """In kind ``ridge``: share of an item's popularity taken as given before the ridge explains the rest."""
    prior_people: float = 2.0
    """In scope ``both``: popularity of the same items elsewhere counts as much as so many people of the target."""
    content_power: float = 2.0
    """Scores are shared among items alike in attributes and title words, to this power; 0: each item by itself."""
    content_neighbours: int = 100
    """How many items alike share with each item."""

    search: ClassVar[Space] = {
        "regularization": Range(0.1, 100.0, log=True),
        "idf": Range(0.0, 1.0),
        "target_weight": Range(0.3, 30.0, log=True),
        "prior": Range(0.0, 1.0),
        "content_power": Range(0.0, 4.0),
    }

    def __post_init__(self) -> None:
        if min(self.content_power, self.prior_people) < 0 or self.content_neighbours < 1:
            raise ValueError("content_power ≥ 0, prior_people ≥ 0 and content_neighbours ≥ 1 are needed.")
        if self.regularization <= 0 or min(self.neighbours, self.max_users) < 1 or self.target_weight < 0:
            raise ValueError("regularization > 0, neighbours ≥ 1, max_users ≥ 1 and target_weight ≥ 0 are needed.")


@scorer("user_kernel")
@dataclass(frozen=True)
class UserKernelScorer:
    """Kernel between the asking user's profile and the training users' profiles, times what those bought.

    Attributes:
        profiles: (n, world items) CSR float32 training profiles of length 1.
        item_weight: (world items,) float32, what multiplies an event of each item in a profile; 0: not read.
        votes: (n, catalogue) float32; dual coefficients in kind ``ridge``, events (CSR) in ``cosine``.
        own: (catalogue,) float32, what an item's own place in the profile is worth (takes self-prediction
            out).
        start: (catalogue,) what everybody gets: the prior, and popularity to order ties.
        catalogue: (catalogue,) item codes.
        near: (catalogue, catalogue) CSR similarities of items, the identity where content is not used.
        share: (catalogue,) an item's share in its company, see `alike.share_of`.
        settings: kind, neighbours, weight, half_life_weeks.
    """

    kind: ClassVar[str] = "user_kernel"
    profiles: sp.csr_matrix
    item_weight: Floats
    votes: Floats | sp.csr_matrix
    own: Floats
    start: Floats
    catalogue: Codes
    near: sp.csr_matrix
    share: Floats
    settings: dict[str, Any]

    def score(self, history: History) -> Floats:
        """(n, catalogue) k(x, profiles) · votes − x ∘ own."""
        s = self.settings
        x = profiles_of(weighted(history, s["weight"], s["half_life_weeks"]), self.item_weight)
        kernel = x @ self._across
        if s["kind"] == "cosine":
            kernel = best_per_row(kernel, s["neighbours"])
            total = np.maximum(np.asarray(kernel.sum(axis=1)).ravel(), 1e-12)
            scores = np.asarray((sp.diags(1 / total).astype(np.float32) @ kernel @ self.votes).todense())
        else:
            scores = kernel.toarray() @ self.votes - x[:, self.catalogue].toarray() * self.own[None, :]
        whole = scores.astype(np.float32) + self.start[None, :]
        return np.ascontiguousarray((self.near @ whole.T).T * self.share[None, :], dtype=np.float32)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: the kernel is a sum over events; the profile's length and the neighbours taken as given."""
        s = self.settings
        wanted = ((asked * self.share) @ self.near).astype(np.float32)
        x = profiles_of(weighted(history, s["weight"], s["half_life_weeks"]), self.item_weight)
        passed = np.asarray(self.votes @ wanted.T)
        if s["kind"] == "cosine":
            near = best_per_row(x @ self._across, s["neighbours"])
            voting = np.zeros((len(passed), 1), dtype=np.float32)
            voting[near.indices] = 1.0 / max(float(near.sum()), 1e-12)
            passed = passed * voting
        parts = np.asarray(self._across[x.indices] @ passed, dtype=np.float64).T
        if s["kind"] == "ridge":
            found, places = among(x.indices, self.catalogue)
            parts[:, found] -= wanted[:, places] * self.own[places]
        return Contributions(wanted @ self.start.astype(np.float64), parts * x.data)

    @cached_property
    def _across(self) -> sp.csr_matrix:
        """(world items, n) CSR `profiles`, transposed once: a kernel is asked for at every question."""
        return self.profiles.T.tocsr()

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        names = ("item_weight", "own", "start", "catalogue", "share")
        tensors = {n: getattr(self, n) for n in names}
        tensors |= pack("profiles", self.profiles) | pack("near", self.near)
        tensors |= pack("votes", self.votes) if sp.issparse(self.votes) else {"votes": self.votes}
        return tensors, {"settings": self.settings}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        votes = tensors["votes"] if "votes" in tensors else unpack("votes", tensors)
        rest = (tensors["own"], tensors["start"], tensors["catalogue"], unpack("near", tensors), tensors["share"])
        return cls(unpack("profiles", tensors), tensors["item_weight"], votes, *rest, meta["settings"])


@transfer(
    "user_kernel",
    options=UserKernelOptions,
    paper="kernel ridge regression; zero self-weight as in Steck 2019, eq. 8, in the dual",
    when="the same people shop in several domains, or the same items are sold in several (markets)",
    cost="low",
    needs=("warm_items",),
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: UserKernelOptions) -> Recommender:
    """People who bought alike elsewhere buy alike here: kernel ridge from whole profiles to target items."""
    past = training_history(problem, "target" if options.scope == "target" else "all")
    most = options.max_users if options.kind == "ridge" else None
    item_weight = item_weights(past, problem.catalogue, options)
    told = np.asarray((past.counts @ item_weight) > 0)
    voters = voters_of(problem, options.scope == "both", options.prior_people, most, told)
    if not len(voters.users):
        raise MethodError(
            f"nobody bought anything of {problem.target!r} yet; show some weeks of it, or choose zero_shot."
        )
    events = weighted(past, options.weight, options.half_life_weeks)
    profiles = profiles_of(events[voters.users], item_weight)
    own = np.zeros(len(problem.catalogue), dtype=np.float32)
    start, votes = own, voters.bought
    prior = options.prior * voters.popularity
    if options.kind == "ridge":
        start = prior[0]
        votes, own = ridge_votes(profiles, voters, prior, problem.catalogue, options.regularization)
    settings = {k: getattr(options, k) for k in ("kind", "neighbours", "weight", "half_life_weeks")}
    start = start + np.float32(TIE_BREAK) * popularity_of(problem)
    near, share = company(problem, options, voters)
    made = UserKernelScorer(profiles, item_weight, votes, own, start, problem.catalogue, near, share, settings)
    return recommender_for(problem, "user_kernel", made, training_users=len(voters.users))


def company(problem: Problem, options: UserKernelOptions, voters: Voters) -> tuple[sp.csr_matrix, Floats]:
    """Items alike, and the share of each item in its company (see `alike.share_of`)."""
    items = len(problem.catalogue)
    if options.content_power == 0:
        return sp.identity(items, dtype=np.float32, format="csr"), np.ones(items, dtype=np.float32)
    rows = problem.world.content[problem.catalogue.tolist()]
    near = alike(rows, options.content_power, options.content_neighbours)
    sold = np.asarray(voters.bought[voters.elsewhere == 0].sum(axis=0), dtype=np.float32).ravel()
    return near, share_of(near, sold)


def item_weights(past: History, catalogue: Codes, options: UserKernelOptions) -> Floats:
    """(world items,) log(users / users of the item)^idf, times the weight of the item's part."""
    counts = past.counts
    people = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log((1.0 + np.count_nonzero(np.diff(counts.indptr))) / (1.0 + people)) ** options.idf
    part = np.full(len(people), 0.0 if options.scope == "target" else 1.0)
    part[catalogue] = 0.0 if options.scope == "sources" else options.target_weight
    return np.where(people > 0, rarity * part, 0.0).astype(np.float32)


def profiles_of(events: sp.csr_matrix, item_weight: Floats) -> sp.csr_matrix:
    """(n, world items) CSR rows of length 1 (or empty): events times item weights."""
    scaled = sp.csr_matrix((events.data * item_weight[events.indices], events.indices, events.indptr), events.shape)
    length = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    scaled.data = scaled.data / np.repeat(np.maximum(length, 1e-12), np.diff(scaled.indptr)).astype(np.float32)
    return scaled


def ridge_votes(
    profiles: sp.csr_matrix, voters: Voters, prior: Floats, catalogue: Codes, regularization: float
) -> tuple[Floats, Floats]:
    """Dual ridge of Y = bought − prior on X = `profiles`, no item predicting itself.

    For each item j: min ‖Y_j − X w‖² + λ‖w‖² with w_j = 0: a purchase of j is explained by the rest of the
    profile. With G = (XXᵀ + λI)⁻¹, A = G Y, C = G X_j, P_jj = (1 − X_jᵀC)/λ and γ = X_jᵀA / P_jj, the score
    of x is k(x, X)(A + Cγ/λ) − x_j γ/λ.

    Args:
        profiles: (n, items) CSR.
        voters: what they bought.
        prior: (2, catalogue) taken off the rows of the target's people and of the others.
        catalogue: columns of `profiles` that the catalogue's items have.
        regularization: λ.

    Returns:
        votes (n, catalogue) float32 = A + Cγ/λ, own (catalogue,) float32 = γ/λ.
    """
    inverse = regular_inverse(profiles, regularization)
    y, x = voters.bought.astype(np.float64).tocsc(), profiles[:, catalogue].astype(np.float64).tocsc()
    votes = np.empty(y.shape, dtype=np.float32)
    own = np.empty(y.shape[1], dtype=np.float32)
    sums = np.stack([inverse[:, voters.elsewhere == g].sum(axis=1) for g in (0, 1)], axis=1)
    for start in range(0, len(own), COLUMNS):
        part = slice(start, start + COLUMNS)
        a = (y[:, part].T @ inverse).T - sums @ prior[:, part]
        c = (x[:, part].T @ inverse).T
        left = 1.0 - np.asarray(x[:, part].multiply(c).sum(axis=0)).ravel()
        own[part] = np.asarray(x[:, part].multiply(a).sum(axis=0)).ravel() / left
        votes[:, part] = a + c * own[None, part]
    return votes, own
