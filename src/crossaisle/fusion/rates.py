"""How likely a click and a purchase are: what a base of `esmm` says beside its ranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor

from ..data.world import World
from ..errors import DataError, MethodError
from ..models.base import Base, item_rows, mark_of, tensors_of, user_levels
from ..models.profile import Profiles, only
from ..types import Codes, Floats
from .common import event_weights, liked_rows

CTR, CVR = "ctr", "cvr"
"""Names of the heads of a domain, as in ``dairy/ctr``."""
_BLOCK = 20_000
"""Pairs whose profiles are held at once."""


@dataclass(frozen=True)
class Rates:
    """Probabilities of n pairs of a user and an item.

    Attributes:
        ctr: (n,) of a click, given that the item is shown; 1 where the domain knows no clicks of what is shown.
        cvr: (n,) of a purchase, given a click.
        ctcvr: (n,) of both, given that the item is shown.
    """

    ctr: Floats
    cvr: Floats
    ctcvr: Floats


def probabilities(base: Base, world: World, domain: str, users: Codes, items: Codes) -> Rates:
    """How likely each of n users is to click and to buy an item of `domain` that is shown to them.

    A user is known by the World's rows of the fused domains, without those of the pair itself, as in training.

    Args:
        base: of the fusion `esmm`.
        world: all its rows may be seen; the items are those of the fusion.
        domain: one with exposures and purchases in the fusion.
        users: (n,) user codes; −1 for a stranger.
        items: (n,) item codes.

    Raises:
        MethodError: the base has no such probabilities for `domain`, or knows other items.
        DataError: items are not of `domain`.
    """
    ctr, cvr = _heads(base, world, domain)
    listed, place = np.unique(items, return_inverse=True)
    foreign = np.setdiff1d(listed, world.catalogue(domain))
    if len(foreign):
        raise DataError(f"{len(foreign)} of {len(listed)} items are not in {domain!r}: ask for items of its catalogue.")
    people, content = People.open(base, world, domain), base.reader.read(item_rows(world)[listed.tolist()])
    network, tasks = base.network(), [task for task in (ctr, cvr) if task is not None]
    chances = {task: np.zeros(len(users), dtype=np.float32) for task in tasks}
    with torch.no_grad():
        shelf = {task: network.items(*tensors_of(content), task) for task in tasks}
        for start in range(0, len(users), _BLOCK):
            rows = slice(start, start + _BLOCK)
            seen = people.of(users[rows], items[rows])
            for task, (vectors, biases) in shelf.items():
                who, weight = network.users(*seen, task)
                scores = (who * vectors[place[rows]]).sum(dim=1) + weight * biases[place[rows]]
                chances[task][rows] = torch.sigmoid(scores).numpy()
    first = np.ones(len(users), dtype=np.float32) if ctr is None else chances[ctr]
    return Rates(first, chances[cvr], first * chances[cvr])


def _heads(base: Base, world: World, domain: str) -> tuple[int | None, int]:
    """Numbers of the heads of clicks, None where there is none, and of purchases."""
    heads = {name: number for number, name in enumerate(base.tasks)}
    cvr = heads.get(f"{domain}/{CVR}")
    if base.fusion != "esmm" or cvr is None:
        known = ", ".join(n.removesuffix(f"/{CVR}") for n in heads if n.endswith(f"/{CVR}")) or "no domain"
        raise MethodError(
            f"this base of {base.fusion} knows probabilities for {known}, not for {domain!r}: fuse with esmm, from "
            "domains with views or clicks beside purchases."
        )
    if base.facts.get("items") != mark_of(world):
        raise MethodError("this base was fused on other items than these data have: fuse again on these data.")
    return heads.get(f"{domain}/{CTR}"), cvr


@dataclass(frozen=True, eq=False)
class People:
    """What is known of users who are asked about items of one domain.

    Attributes:
        profiles: of the base, with the domain's items folded in.
        events: (users, items) CSR event weights of the base's domains.
        inside: (items,) True for items of the domain.
        levels: (users, c) user attributes.
    """

    profiles: Profiles
    events: sp.csr_matrix
    inside: npt.NDArray[np.bool_]
    levels: Codes

    @classmethod
    def open(cls, base: Base, world: World, domain: str) -> Self:
        """Read the World's rows of the base's domains."""
        catalogue = world.catalogue(domain)
        events = event_weights(liked_rows(world, base.sources), world.n_users, world.n_items)
        inside = np.isin(np.arange(world.n_items), catalogue)
        return cls(base.profiles.fold_in(events, catalogue), events, inside, user_levels(world, base.people))

    def of(self, users: Codes, items: Codes) -> tuple[Tensor, Tensor]:
        """Profiles (n, 2q + 2) of `users` (n,) without what they did with `items` (n,), and attributes (n, c)."""
        who, place = np.unique(users, return_inverse=True)
        history = self.events[np.maximum(who, 0)].multiply((who >= 0)[:, None]).tocsr()
        own, elsewhere = (self.profiles.sums(only(history, mask))[place] for mask in (self.inside, ~self.inside))
        pair = self.profiles.sums_of(items, np.asarray(history[place, items], dtype=np.float32).ravel())
        levels = self.levels[np.maximum(users, 0)] * (users >= 0)[:, None]
        return torch.from_numpy(self.profiles.pair(elsewhere, own - pair)), torch.from_numpy(levels)
