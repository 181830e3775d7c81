"""A question: what is visible of a set, and whose purchases are ranked among which items."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data.split import given, make_split
from ..data.world import World
from ..errors import DataError
from ..evaluate.cells import digest_of
from ..transfer.problem import Problem, default_sources
from ..types import Codes
from .candidates import CandidateLists, lists_of


@dataclass(frozen=True, eq=False)
class Question:
    """One target of a set.

    Attributes:
        problem: what is visible.
        lists: what is asked.
        columns: `lists.items` as columns of the catalogue, −1 where a list is shorter.
        candidates: whether candidates are given; else each wanted item is ranked in the whole catalogue.
    """

    problem: Problem
    lists: CandidateLists
    columns: Codes
    candidates: bool = True

    @classmethod
    def of(cls, folder: Path, world: World, target: str) -> Question:
        """The question about `target` in `folder`, candidates given.

        Raises:
            DataError: a candidate is in no file as an item of the target.
        """
        problem = Problem(world, target, default_sources(world, target), given(world, target), world.catalogue(target))
        lists = lists_of(folder, world, target)
        place = np.minimum(np.searchsorted(problem.catalogue, lists.items), len(problem.catalogue) - 1)
        strange = (problem.catalogue[place] != lists.items) & (lists.items >= 0)
        if strange.any():
            item = world.item_ids.ids[int(lists.items[strange][0])]
            raise DataError(f"the candidate {item!r} is no item of {target!r}; add it to the items, with that domain.")
        return cls(problem, lists, np.where(lists.items < 0, -1, place))

    @classmethod
    def of_split(cls, world: World, target: str, kind: str, options: Mapping[str, Any]) -> Question:
        """The question that split `kind` asks about `target`: every test pair, ranked in the whole catalogue.

        Raises:
            DataError: the split leaves nothing to ask.
        """
        split = make_split(kind, world, target, options)
        problem = Problem(world, target, default_sources(world, target), split, world.catalogue(target))
        pairs = split.test.select("user", "item").unique().sort("user", "item")
        items = pairs["item"].to_numpy().astype(np.int64)[:, None]
        lists = CandidateLists(pairs["user"].to_numpy().astype(np.int64), items, np.zeros(len(pairs), dtype=bool))
        return cls(problem, lists, np.searchsorted(problem.catalogue, items), candidates=False)

    def mark(self) -> str:
        """Digest of what is asked."""
        seen = self.problem.visible.hash_rows().to_numpy()
        asked = b"".join(part.tobytes() for part in (self.lists.items, self.lists.users, seen))
        return digest_of([self.problem.target, hashlib.blake2b(asked, digest_size=12).hexdigest()])
