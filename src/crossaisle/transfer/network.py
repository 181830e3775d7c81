"""What the transfers of a network share: the scorer, the target's own items, and training on the target."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from ..attribution import without_events
from ..encoders.content import Content, ContentReader
from ..encoders.method import Bools
from ..errors import MethodError
from ..models.base import Base, item_rows, mark_of, tensors_of, user_levels
from ..models.network import Network, Sizes
from ..models.profile import Profiles, only
from ..recommender import scorer
from ..types import Asked, Basis, Codes, Contributions, Floats, History, Tensors
from .common import weighted
from .network_parts import ANY_ITEM, SOLD, of_content, of_events
from .problem import Problem


@scorer("network")
@dataclass(frozen=True, eq=False)
class NetworkScorer:
    """A network on one catalogue: scores = [user vector, weight] · [item vector, bias].

    Attributes:
        weights: state of the network.
        sizes: of the network.
        tasks: number of its heads.
        task: the head that answers.
        item_vectors: (catalogue, d + 1) float32, bias last.
        profiles: histories → profiles.
        inside: (items,) True for items of the domain.
        levels: (users, c) user attributes.
        reader: item rows → content, for items that come later.
        domain: name of the domain, for their prices.
        basis: what personal answers rest on.
        shelf: content of the catalogue's items; None in what was saved before it was kept.
    """

    kind: ClassVar[str] = "network"
    weights: Mapping[str, Tensor]
    sizes: Sizes
    tasks: int
    task: int
    item_vectors: Floats
    profiles: Profiles
    inside: Bools
    levels: Codes
    reader: ContentReader
    domain: str
    basis: Basis = "content"
    shelf: Content | None = None

    def score(self, history: History) -> Floats:
        """(n, catalogue) scores."""
        scores: Floats = self.user_vectors(history) @ self.item_vectors.T
        return scores

    def user_vectors(self, history: History) -> Floats:
        """(n, d + 1) user vectors of the head, and the weight of item biases."""
        events = weighted(history)
        own, elsewhere = (self.profiles.sums(only(events, mask)) for mask in (self.inside, ~self.inside))
        with torch.no_grad():
            profile = torch.from_numpy(self.profiles.pair(elsewhere, own))
            users, weight = self._network.users(profile, self._levels(history), self.task)
            vectors = torch.cat([users, weight.expand(len(users), 1)], dim=1)
        made: Floats = vectors.numpy()
        return made

    def _levels(self, history: History) -> Tensor:
        levels = np.zeros((len(history), self.levels.shape[1]), dtype=np.int64)
        known = history.users >= 0
        levels[known] = self.levels[history.users[known]]
        return torch.from_numpy(levels)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: integrated gradients along the user tower, and for modalities along the item tower."""
        wanted = (asked @ self.item_vectors).astype(np.float32)
        events, levels = weighted(history), self._levels(history)
        here, nobody = self.user_vectors(history)[0], self.user_vectors(without_events(history))[0]
        start, parts = of_events(
            self._network, self.task, self.profiles, events, self.inside, levels, wanted[:, :-1].copy()
        )
        gained = (here - nobody)[:-1].astype(np.float64)
        kinds = {name: asked @ (vectors @ gained) for name, vectors in self._content_parts.items()}
        kinds[ANY_ITEM] = parts.sum(axis=1) - sum(kinds.values())
        return Contributions(start + here[-1] * wanted[:, -1], parts, kinds)

    @cached_property
    def _content_parts(self) -> dict[str, Floats]:
        """Modality → (catalogue, d), what it adds to the item vectors; an empty item's vector is what they lack."""
        if self.shelf is None:
            return {}
        parts = of_content(self._network, self.task, self.shelf, self.reader)
        told = item_vectors_of(self._network, self.shelf, self.task)[:, :-1]
        return parts | {SOLD: self.item_vectors[:, :-1] - told}

    def extend(self, content: pl.DataFrame) -> NetworkScorer:
        """See `Extensible.extend`: new items are scored from their content."""
        read = self.reader.read(content.with_columns(domain=pl.lit(self.domain)))
        vectors = item_vectors_of(self._network, read, self.task)
        return dataclasses.replace(
            self,
            item_vectors=np.vstack([self.item_vectors, vectors]),
            shelf=None if self.shelf is None else self.shelf.joined(read),
            profiles=self.profiles.extend(read),
            inside=np.concatenate([self.inside, np.ones(len(read), dtype=np.bool_)]),
        )

    @cached_property
    def _network(self) -> Network:
        made = Network(self.sizes, self.tasks)
        made.load_state_dict(dict(self.weights))
        return made.eval()

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        profiles, profiles_meta = self.profiles.state()
        reader, reader_meta = self.reader.state()
        tensors: Tensors = {f"weights.{n}": t.numpy() for n, t in self.weights.items()}
        tensors |= {f"profiles.{n}": t for n, t in profiles.items()} | {f"reader.{n}": t for n, t in reader.items()}
        tensors |= {"item_vectors": self.item_vectors, "levels": self.levels, "inside": self.inside}
        if self.shelf is not None:
            tensors |= {f"shelf.{n}": t for n, t in vars(self.shelf).items()}
        names = ("tasks", "task", "domain", "basis")
        meta = {n: getattr(self, n) for n in names} | {"sizes": self.sizes.to_meta()}
        return tensors, meta | {"profiles": profiles_meta, "reader": reader_meta}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        part = {
            name: {n.removeprefix(f"{name}."): t for n, t in tensors.items() if n.startswith(f"{name}.")}
            for name in ("weights", "profiles", "reader", "shelf")
        }
        return cls(
            weights={n: torch.from_numpy(np.array(t)) for n, t in part["weights"].items()},
            sizes=Sizes.from_meta(meta["sizes"]),
            item_vectors=tensors["item_vectors"],
            profiles=Profiles.restore(part["profiles"], meta["profiles"]),
            inside=tensors["inside"],
            levels=tensors["levels"],
            reader=ContentReader.restore(part["reader"], meta["reader"]),
            shelf=Content(**part["shelf"]) if part["shelf"] else None,
            **{n: meta[n] for n in ("tasks", "task", "domain", "basis")},
        )


class TargetItems(nn.Module):
    """What the target's own events say of its items beyond their content: v_i + e_i, b_i + β_i; all zero at first.

    The zeros are the prior: e and β are pulled to it by `penalty`, so an item without events keeps its content's
    vector (an empirical Bayes estimate: content gives the mean, events the correction).
    """

    def __init__(self, items: int, dim: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.zeros(items, dim))
        self.bias = nn.Parameter(torch.zeros(items))

    def penalty(self) -> Tensor:
        """‖e‖² + ‖β‖²."""
        return self.vector.square().sum() + self.bias.square().sum()


class Target(nn.Module):
    """A network with the target's own items and a head for it.

    Args:
        network: to be adapted.
        items: size of the catalogue.
        task: the head that answers in the target.
    """

    def __init__(self, network: Network, items: int, task: int) -> None:
        super().__init__()
        self.network = network
        self.items = TargetItems(items, network.sizes.dim)
        self.task = task


@dataclass(frozen=True, eq=False)
class Shop:
    """What training and scoring on one Problem need beside the weights.

    Attributes:
        base: of the network.
        shelf: content of the catalogue's items.
        events: (users, items) CSR event weights of everything visible.
        profiles: of the base, with the target's items folded in.
        levels: (users, c) user attributes.
        problem: what is seen and asked.
    """

    base: Base
    shelf: Content
    events: sp.csr_matrix
    profiles: Profiles
    levels: Codes
    problem: Problem

    @classmethod
    def open(cls, base: Base, problem: Problem) -> Self:
        """Read the catalogue's items and the users with the base's encoders.

        Raises:
            MethodError: the base was fused on other items than this World has.
        """
        world = problem.world
        if base.facts.get("items") != mark_of(world):
            raise MethodError("this base was fused on other items than these data have: fuse again on these data.")
        shelf = base.reader.read(item_rows(world)[problem.catalogue.tolist()])
        events = weighted(problem.history)
        profiles = base.profiles.fold_in(events, problem.catalogue)
        return cls(base, shelf, events, profiles, user_levels(world, base.people), problem)

    @cached_property
    def content(self) -> Content:
        """Of every item of the World; read when first asked for."""
        return self.base.reader.read(item_rows(self.problem.world))

    def newcomer(self) -> Target:
        """The base's network with a head of the target's own, equal to the shared one, and untouched items."""
        return Target(self.base.network().grown(), len(self.problem.catalogue), len(self.base.tasks))

    def scorer(self, target: Target, basis: Basis) -> NetworkScorer:
        """The scorer of the adapted network."""
        network = target.network.eval()
        vectors = item_vectors_of(network, self.shelf, target.task)
        with torch.no_grad():
            vectors[:, :-1] += target.items.vector.numpy()
            vectors[:, -1] += target.items.bias.numpy()
        return NetworkScorer(
            weights={n: t.detach().clone() for n, t in network.state_dict().items()},
            sizes=network.sizes,
            tasks=network.tasks,
            task=target.task,
            item_vectors=vectors,
            profiles=self.profiles,
            inside=np.isin(np.arange(self.problem.world.n_items), self.problem.catalogue),
            levels=self.levels,
            reader=self.base.reader,
            domain=self.problem.target,
            basis=basis,
            shelf=self.shelf,
        )


def item_vectors_of(network: Network, content: Content, task: int) -> Floats:
    """(n, d + 1) item vectors for `task` with the bias last."""
    if len(content) == 0:
        return np.zeros((0, network.sizes.dim + 1), dtype=np.float32)
    with torch.no_grad():
        vectors, biases = network.eval().items(*tensors_of(content), task)
        made: Floats = torch.cat([vectors, biases[:, None]], dim=1).numpy()
    return made
