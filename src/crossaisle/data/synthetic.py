"""A made-up World whose truth is known: how far domains are apart, what they share and where they conflict.

Each user has a taste vector, the same for all domains in its shared factors and drawn anew for each domain in the
others. Domain d looks at it through a rotation R_d (its distance) and signs s_d (its conflicts):

    score(u, i, d) = strength · (R_d (s_d ⊙ taste(u, d))) · q_i + skew · b_i,      p(i | u, d) = softmax over d's items

Users and items that domains have in common carry the same ids. Titles are words of an item's latent cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from .. import config
from ..rng import generator
from ..types import Codes, Floats
from .synthetic_text import BRANDS, KINDS, titles
from .world import World

START = datetime(2024, 1, 1)
"""Time of the first possible interaction."""
_BLOCK = 4_000_000  # scores held at once while sampling


@dataclass(frozen=True)
class SyntheticOptions:
    """What the made-up World is like."""

    n_domains: int = 3
    """Number of domains, called ``d0``, ``d1``, …"""
    users: int = 300
    """Users per domain."""
    items: int = 120
    """Items per domain."""
    dim: int = 8
    """Latent dimension."""
    user_overlap: float = 0.6
    """Share of each domain's users who are in all domains."""
    item_overlap: float = 0.0
    """Share of each domain's items that are in all domains."""
    distance: float = 0.0
    """Rotation of the preference space against ``d0``: 0 none, 1 a right angle in every plane."""
    shared: float = 1.0
    """Share of the latent factors in which a user's taste is the same in all domains."""
    conflict: float = 0.0
    """Share of the shared factors whose sign is turned in the domains of `conflict_domains`."""
    conflict_domains: tuple[int, ...] = (1,)
    """Numbers of the domains that conflict with the others."""
    skew: float = 1.0
    """How unequal items are in popularity: 0 all alike, 1 about Zipf."""
    strength: float = 3.0
    """How much taste decides against chance: 0 not at all."""
    interactions: float = 20.0
    """Mean number of interactions of a user in a domain, at least 1."""
    weeks: float = 26.0
    """Length of time over which they are spread."""
    content_noise: float = 0.1
    """Share of title words and categories that say nothing of the item."""
    seed: int = 0
    """Of everything."""

    def __post_init__(self) -> None:
        """Refuse numbers outside their range."""
        for name in ("n_domains", "users", "items", "dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; a whole number ≥ 1 is needed.")
        for name in ("user_overlap", "item_overlap", "distance", "shared", "conflict", "content_noise"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; a share from 0 to 1 is needed.")
        if self.interactions < 1 or self.weeks <= 0:
            raise ValueError("interactions must be ≥ 1 and weeks > 0.")


@dataclass(frozen=True, eq=False)
class Truth:
    """What made the World; codes and their order are the World's own.

    Attributes:
        users: domain name → (n_users, dim) taste as that domain sees it; rows of users outside it are true as well.
        items: (n_items, dim) item vectors.
        popularity: (n_items,) what is added to every user's score.
        strength: factor of the product of the two.
        catalogues: domain name → sorted item codes.
        members: domain name → sorted user codes of those who shop there.
    """

    users: Mapping[str, Floats]
    items: Floats
    popularity: Floats
    strength: float
    catalogues: Mapping[str, Codes] = field(repr=False)
    members: Mapping[str, Codes] = field(repr=False)

    def scores(self, domain: str, users: Codes | None = None) -> Floats:
        """True scores (n users, catalogue items) in `domain`, of all users when None: log-odds up to a constant."""
        rows = self.users[domain] if users is None else self.users[domain][users]
        items = self.catalogues[domain]
        return (self.strength * rows @ self.items[items].T + self.popularity[items]).astype(np.float32)


def synthetic(options: SyntheticOptions | None = None, **changes: Any) -> tuple[World, Truth]:
    """Make a World and the truth behind it.

    Args:
        options: what it is like.
        **changes: override fields of `options`.

    Raises:
        ConfigError: an unknown option or one outside its range.
    """
    base = vars(options) if options is not None else {}
    chosen = config.build(SyntheticOptions, {**base, **changes}, "synthetic options")
    members = _members(chosen.users, chosen.user_overlap, chosen.n_domains)
    catalogues = _members(chosen.items, chosen.item_overlap, chosen.n_domains)
    names = [f"d{d}" for d in range(chosen.n_domains)]
    truth = Truth(
        users=dict(zip(names, _tastes(chosen, int(members.max()) + 1), strict=True)),
        items=_item_vectors(chosen, int(catalogues.max()) + 1),
        popularity=_popularity(chosen, int(catalogues.max()) + 1),
        strength=chosen.strength,
        catalogues=dict(zip(names, catalogues, strict=True)),
        members=dict(zip(names, members, strict=True)),
    )
    prices = generator(chosen.seed, "price").lognormal(1.5, 0.7, len(truth.items)).round(2)
    interactions = pl.concat([_rows(chosen, truth, name, prices) for name in names]).sort("timestamp", "user_id")
    world = World.from_frames(interactions, _item_rows(chosen, truth, prices), _user_rows(truth), name="synthetic")
    return world, truth


def _members(count: int, overlap: float, n_domains: int) -> npt.NDArray[np.int64]:
    """(n_domains, count) numbers: the first share is the same in each row, the rest is each row's own."""
    common = round(count * overlap)
    own = np.arange(n_domains * (count - common)).reshape(n_domains, -1) + common
    return np.hstack([np.tile(np.arange(common), (n_domains, 1)), own])


def _tastes(o: SyntheticOptions, n_users: int) -> list[Floats]:
    same = generator(o.seed, "taste").normal(size=(n_users, o.dim))
    shared = np.arange(o.dim) < round(o.dim * o.shared)
    turned = np.arange(o.dim) < round(shared.sum() * o.conflict)
    out = []
    for d in range(o.n_domains):
        own = generator(o.seed, "taste", str(d)).normal(size=(n_users, o.dim))
        taste = np.where(shared, same, own)
        if d in o.conflict_domains:
            taste = np.where(turned, -taste, taste)
        out.append((taste @ _rotation(o, d).T / np.sqrt(o.dim)).astype(np.float32))
    return out


def _rotation(o: SyntheticOptions, domain: int) -> npt.NDArray[np.float64]:
    """Rotation by `distance` right angles in every plane of a random basis; ``d0`` stays as it is."""
    if domain == 0 or o.distance == 0:
        return np.eye(o.dim)
    basis, _ = np.linalg.qr(generator(o.seed, "plane", str(domain)).normal(size=(o.dim, o.dim)))
    angle = o.distance * np.pi / 2
    turn = np.eye(o.dim)
    for a in range(0, o.dim - 1, 2):
        turn[a : a + 2, a : a + 2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return np.asarray(basis @ turn @ basis.T)


def _clusters(o: SyntheticOptions, n_items: int) -> npt.NDArray[np.int64]:
    return generator(o.seed, "cluster").integers(0, min(len(KINDS), max(2, 2 * o.dim)), n_items)


def _item_vectors(o: SyntheticOptions, n_items: int) -> Floats:
    rng = generator(o.seed, "items")
    centres = rng.normal(size=(len(KINDS), o.dim))
    vectors = 0.8 * centres[_clusters(o, n_items)] + 0.6 * rng.normal(size=(n_items, o.dim))
    return vectors.astype(np.float32)


def _popularity(o: SyntheticOptions, n_items: int) -> Floats:
    # The logarithm of a rank's inverse makes exp(b) a Zipf law with exponent `skew`.
    rank = generator(o.seed, "popularity").permutation(n_items) + 1
    return (-o.skew * np.log(rank / n_items)).astype(np.float32)


def _rows(o: SyntheticOptions, truth: Truth, name: str, prices: npt.NDArray[np.float64]) -> pl.DataFrame:
    rng = generator(o.seed, "rows", name)
    users, catalogue = truth.members[name], truth.catalogues[name]
    counts = 1 + rng.poisson(o.interactions - 1, len(users))
    step = max(1, _BLOCK // len(catalogue))
    blocks = range(0, len(users), step)
    chosen = [_sample(rng, truth.scores(name, users[b : b + step]), counts[b : b + step]) for b in blocks]
    items = catalogue[np.concatenate(chosen)]
    late = (rng.random(len(items)) * o.weeks * 7 * 86_400e6).astype(np.int64)
    times = pl.Series(late).cast(pl.Duration("us")) + START
    return pl.DataFrame(
        {
            "user_id": _names("u", np.repeat(users, counts)),
            "item_id": _names("i", items),
            "domain": pl.Series([name]).new_from_index(0, len(items)),
            "event": pl.Series(["purchase"]).new_from_index(0, len(items)),
            "timestamp": times,
            "value": np.ones(len(items), dtype=np.float32),
            "price": prices[items].astype(np.float32),
        }
    )


def _sample(rng: np.random.Generator, scores: Floats, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For row r draw `counts[r]` columns with probability softmax(scores[r]), all rows in one search."""
    weight = np.exp(scores - scores.max(axis=1, keepdims=True))
    ends = np.cumsum(weight, axis=1, dtype=np.float64)
    ends /= ends[:, -1:]
    rows = np.repeat(np.arange(len(scores)), counts)
    places = np.searchsorted(
        (ends + np.arange(len(scores))[:, None]).ravel(), rows + rng.random(len(rows)), side="right"
    )
    columns: npt.NDArray[np.int64] = np.minimum(places - rows * scores.shape[1], scores.shape[1] - 1)
    return columns


def _names(letter: str, codes: Codes) -> pl.Series:
    # Seven digits keep the alphabetical order of ids the order of numbers, so truth needs no second numbering.
    return pl.select(pl.lit(letter) + pl.Series(codes).cast(pl.String).str.zfill(7)).to_series()


def _item_rows(o: SyntheticOptions, truth: Truth, prices: npt.NDArray[np.float64]) -> pl.DataFrame:
    n_items = len(truth.items)
    rng = generator(o.seed, "content")
    cluster = _clusters(o, n_items)
    told = np.where(rng.random(n_items) < o.content_noise, rng.integers(0, cluster.max() + 1, n_items), cluster)
    kinds, brands = np.array(KINDS), np.array(BRANDS)
    content = pl.DataFrame(
        {
            "item_id": _names("i", np.arange(n_items)),
            "title": titles(cluster, rng, o.content_noise),
            "brand": brands[(cluster + rng.integers(0, 3, n_items)) % len(BRANDS)],
            "category": kinds[told],
            "price": prices.astype(np.float32),
        }
    )
    listed = [
        pl.DataFrame({"item_id": _names("i", c), "domain": [name] * len(c)}) for name, c in truth.catalogues.items()
    ]
    return pl.concat(listed).join(content, on="item_id", how="left", maintain_order="left")


def _user_rows(truth: Truth) -> pl.DataFrame:
    first = next(iter(truth.users.values()))
    groups = np.array(["low", "middle", "high"])[np.digitize(first[:, 0] * np.sqrt(first.shape[1]), [-0.5, 0.5])]
    return pl.DataFrame({"user_id": _names("u", np.arange(len(first))), "group": groups})
