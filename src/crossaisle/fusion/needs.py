"""What a fusion may need of the source domains, looked at before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import polars as pl

from ..data.world import World
from ..encoders.content import told_of
from ..errors import MethodError
from ..types import Need

CHAIN = {"exposure": "view", "click": "click", "purchase": "purchase"}
"""Options that name the events from what is shown to what is bought, in their order, and their usual names."""
POSSIBLE: tuple[Need, ...] = (
    "item_content",
    "overlapping_users",
    "overlapping_items",
    "timestamps",
    "several_sources",
    "exposures",
)
"""The needs that a fusion can have: those that speak of sources alone."""


class Needy(Protocol):
    """What has needs and a name."""

    @property
    def name(self) -> str:
        """See `FusionMethod`."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """See `FusionMethod`."""


def check_needs(method: Needy, world: World, sources: Sequence[str], options: Any) -> None:
    """Refuse in one sentence, before training, a fusion whose needs the sources do not meet.

    Args:
        method: states its needs, of `POSSIBLE`.
        world: holds visible rows only.
        sources: domains that are to be fused.
        options: of the fusion; the need ``exposures`` reads from them what events are called (see `CHAIN`).

    Raises:
        MethodError: naming the missing need and what to do.
    """
    names = [getattr(options, option, usual) for option, usual in CHAIN.items()]
    met: dict[str, Callable[[], bool]] = {
        "item_content": lambda: _told(world, sources),
        "overlapping_users": lambda: _overlap(world, sources, "user"),
        "overlapping_items": lambda: _overlap(world, sources, "item"),
        "timestamps": lambda: world.timed,
        "several_sources": lambda: len(sources) > 1,
        "exposures": lambda: any(chain_of(world, domain, names) for domain in sources),
    }
    remedy = {
        "item_content": "give items titles, prices or attributes, or choose shared_bottom, which reads ids.",
        "overlapping_users": "name sources that share people, or choose shared_bottom.",
        "overlapping_items": "name sources that share items, or choose shared_bottom.",
        "timestamps": "add a `timestamp` column, or choose shared_bottom.",
        "several_sources": "name at least two source domains.",
        "exposures": f"{names[0]} or {names[1]} events beside {names[2]} events of one domain; name your events "
        "(exposure, click, purchase), or choose shared_bottom.",
    }
    for need in method.needs:
        if not met[need]():
            lacking = f"{', '.join(sources)} {'lack' if len(sources) > 1 else 'lacks'}"
            raise MethodError(f"fusion {method.name!r} needs {need}, which {lacking} here: {remedy[need]}")


def chain_of(world: World, domain: str, names: Sequence[str]) -> list[int]:
    """Codes of the events of `domain` that lead from what is shown to what is bought, in their order.

    Args:
        world: holds visible rows only.
        domain: a domain.
        names: of the events exposure, click and purchase.

    Returns:
        Two or three codes, the last that of the purchase; none where no exposures or no purchases are known.
    """
    wanted = world.events.encode(list(names)).tolist()
    there = set(_rows(world, [domain])["event"].unique())
    steps = [code for code in wanted if code in there]
    return steps if len(steps) > 1 and wanted[-1] in there else []


def _rows(world: World, sources: Sequence[str]) -> pl.DataFrame:
    return world.interactions.filter(pl.col("domain").is_in([world.domain_code(name) for name in sources]))


def _told(world: World, sources: Sequence[str]) -> bool:
    """Whether any item of the sources has a title, price or attribute."""
    items = [world.catalogue(name) for name in sources]
    return any(told_of(world.content[rows.tolist()]).any() for rows in items)


def _overlap(world: World, sources: Sequence[str], column: str) -> bool:
    """Whether anybody, or any item, has rows in two of the sources."""
    homes = _rows(world, sources).group_by(column).agg(homes=pl.col("domain").n_unique())
    return bool((homes["homes"] > 1).any())
