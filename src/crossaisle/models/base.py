"""Base: the saved outcome of fusion, reused for many targets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from .. import artifact
from ..data.world import World
from ..encoders.attributes import AttributeEncoder
from ..encoders.content import Content, ContentReader
from ..errors import ArtifactError
from ..types import Codes, Tensors
from .network import Network, Sizes
from .profile import Profiles

KIND = "base"
SHARED = "shared"
"""Task 0: the head of domains that have none of their own."""


@dataclass(frozen=True, eq=False)
class Base:
    """What fusion learned.

    Attributes:
        fusion: name of the fusion method.
        sources: domains it saw.
        reader: item rows → content.
        people: user rows → attributes; None where users have none.
        profiles: histories → profiles.
        sizes: of the network.
        tasks: names of the heads: ``shared``, then ``domain/event``.
        weights: state of the network.
        facts: JSON-able numbers about the training.
    """

    fusion: str
    sources: tuple[str, ...]
    reader: ContentReader
    people: AttributeEncoder | None
    profiles: Profiles
    sizes: Sizes
    tasks: tuple[str, ...]
    weights: Mapping[str, Tensor]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def network(self) -> Network:
        """A network with these weights, ready to be trained further or used."""
        made = Network(self.sizes, len(self.tasks))
        made.load_state_dict(dict(self.weights))
        return made.eval()

    def save(self, path: str | Path) -> None:
        """Write to the folder `path`, whole or not at all (see `crossaisle.artifact`)."""
        reader, reader_meta = self.reader.state()
        profiles, profiles_meta = self.profiles.state()
        people, people_meta = self.people.state() if self.people is not None else ({}, None)
        tensors: Tensors = {f"reader.{n}": t for n, t in reader.items()}
        tensors |= {f"profiles.{n}": t for n, t in profiles.items()}
        tensors |= {f"people.{n}": t for n, t in people.items()}
        tensors |= {f"weights.{n}": t.numpy() for n, t in self.weights.items()}
        meta = {
            "fusion": self.fusion,
            "sources": list(self.sources),
            "reader": reader_meta,
            "profiles": profiles_meta,
            "people": people_meta,
            "sizes": self.sizes.to_meta(),
            "tasks": list(self.tasks),
            "facts": dict(self.facts),
        }
        artifact.write(path, KIND, tensors, {}, meta)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: nothing is there, or it is damaged, foreign or newer.
        """
        tensors, _, meta = artifact.read(path, KIND)
        try:
            people = None
            if meta["people"] is not None:
                people = AttributeEncoder.restore(_under("people", tensors), meta["people"])
            return cls(
                fusion=meta["fusion"],
                sources=tuple(meta["sources"]),
                reader=ContentReader.restore(_under("reader", tensors), meta["reader"]),
                people=people,
                profiles=Profiles.restore(_under("profiles", tensors), meta["profiles"]),
                sizes=Sizes.from_meta(meta["sizes"]),
                tasks=tuple(meta["tasks"]),
                weights={n: torch.from_numpy(t.copy()) for n, t in _under("weights", tensors).items()},
                facts=meta["facts"],
            )
        except KeyError as error:
            raise ArtifactError(f"{path} is no complete base: {error} is missing; fuse again.") from None


def _under(name: str, tensors: Tensors) -> Tensors:
    return {n.removeprefix(f"{name}."): t for n, t in tensors.items() if n.startswith(f"{name}.")}


def mark_of(world: World) -> str:
    """16 hex digits of the World's item ids: codes of a base mean the same items only where these are equal."""
    digest = hashlib.blake2b(digest_size=8)
    for part in world.item_ids.ids.to_list():
        digest.update(part.encode() + b"\n")
    return digest.hexdigest()


def item_rows(world: World) -> pl.DataFrame:
    """One row per item code with its id and the *name* of its first domain, as encoders want it."""
    names = pl.DataFrame({"domain": np.arange(len(world.domains)), "name": world.domains.ids})
    typed = names.with_columns(pl.col("domain").cast(world.content.schema["domain"]))
    joined = world.content.join(typed, on="domain", how="left", maintain_order="left")
    return joined.drop("domain").rename({"name": "domain"}).with_columns(world.item_ids.ids.alias("item_id"))


def people_of(world: World) -> AttributeEncoder | None:
    """Encoder of the World's user attributes; None where there are none."""
    if world.users.width < 2 or world.users.is_empty():
        return None
    made = AttributeEncoder.fit(world.users)
    return made if made.sizes else None


def user_levels(world: World, people: AttributeEncoder | None) -> Codes:
    """(users, c) codes of the attributes of every user; 0 where unknown."""
    if people is None:
        return np.zeros((world.n_users, 0), dtype=np.int64)
    found = people.levels(world.users)
    every = np.zeros((world.n_users, found.shape[1]), dtype=np.int64)
    every[world.users["user"].to_numpy()] = found
    return every


def tensors_of(content: Content, rows: Codes | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Text, numbers and levels of `rows` (all when None) as the item tower takes them."""
    part = content if rows is None else content.take(rows)
    return torch.from_numpy(part.text), torch.from_numpy(part.numeric), torch.from_numpy(part.levels)
