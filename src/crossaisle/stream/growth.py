"""Growth: a World with the events and items that came since; the codes that it has given stay what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl

from ..data import fingerprint
from ..data.vocab import Vocab
from ..data.world import World
from ..stores.kinds import Event, Item
from .goods import frame_of

EVENT_COLUMNS = ("user_id", "item_id", "domain", "event", "timestamp", "value", "price")
NUMBER = "number"
"""Column of the place in the order of arrival."""
_MOST = {"domain": 65_535, "event": 255}
_CODES = ("item", "domain")
_SCHEMA: dict[str, pl.DataType] = {
    **{name: pl.String() for name in EVENT_COLUMNS[:4]},
    "timestamp": pl.Datetime("us"),
    "value": pl.Float32(),
    "price": pl.Float32(),
    NUMBER: pl.Int64(),
}


def frame_of_events(numbered: Sequence[tuple[int, Event]]) -> pl.DataFrame:
    """`EVENT_COLUMNS` and ``number`` of events in the order they came."""
    rows = [(*(getattr(e, n) for n in EVENT_COLUMNS), number) for number, e in numbered]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def ids_of(world: World, rows: pl.DataFrame) -> pl.DataFrame:
    """Coded `rows` of `world` with the ids that people know: `EVENT_COLUMNS`."""
    named = {"user_id": (world.user_ids, "user"), "item_id": (world.item_ids, "item")}
    named |= {"domain": (world.domains, "domain"), "event": (world.events, "event")}
    ids = {name: vocab.ids.gather(rows[column]) for name, (vocab, column) in named.items()}
    return pl.DataFrame(ids).hstack(rows.select("timestamp", "value", "price"))


def grown_world(world: World, events: pl.DataFrame, items: Sequence[Item] = ()) -> tuple[World, pl.DataFrame]:
    """Make room in `world` for `events` and `items`.

    Args:
        world: what was known.
        events: `EVENT_COLUMNS`, and ``number`` where there is one, in the order they came.
        items: content of items; those that the World lists in the same domain stay as they are.

    Returns:
        The World with longer vocabularies and tables of items, and without the events; and the events in its codes,
        in their order. Events of more domains or kinds than a World can have are left out.
    """
    told = pl.DataFrame({"item_id": [i.item_id for i in items], "domain": [i.domain for i in items]},
                        schema={"item_id": pl.String, "domain": pl.String})  # fmt: skip
    wider = replace(
        world,
        user_ids=_longer(world.user_ids, events["user_id"]),
        item_ids=_longer(world.item_ids, pl.concat([events["item_id"], told["item_id"]])),
        domains=_longer(world.domains, pl.concat([events["domain"], told["domain"]]), _MOST["domain"]),
        events=_longer(world.events, events["event"], _MOST["event"]),
    )
    return _listing(wider, items), _coded(wider, events)


def joined(world: World, rows: pl.DataFrame) -> World:
    """`world` with coded `rows` at the end of its interactions."""
    if rows.is_empty():
        return world
    own = [c for c in world.interactions.columns if c in rows.columns]
    whole = pl.concat([world.interactions, rows.select(own)], how="diagonal")
    mark = f"{world.fingerprint}|{fingerprint.of_tables([rows.select(own)], [])}"
    return replace(world, interactions=whole, fingerprint=hashlib.blake2b(mark.encode(), digest_size=16).hexdigest())


def without_target(world: World, target: str, before: datetime) -> World:
    """`world` as if `target` had opened at `before`: its older rows are unknown."""
    late = (pl.col("domain") != world.domain_code(target)) | (pl.col("timestamp") >= before)
    kept = world.interactions.select(late).to_series()
    return replace(
        world, interactions=world.interactions.filter(kept), fingerprint=fingerprint.of_rows(world.fingerprint, kept)
    )


def _longer(vocab: Vocab, names: pl.Series, most: int | None = None) -> Vocab:
    new = names.unique().sort()
    new = new.filter(vocab.encode(new) < 0)
    if most is not None:
        new = new.head(most - len(vocab))
    return Vocab(pl.concat([vocab.ids, new.rename("id")])) if len(new) else vocab


def _coded(world: World, events: pl.DataFrame) -> pl.DataFrame:
    named = {"user": ("user_id", world.user_ids), "item": ("item_id", world.item_ids)}
    named |= {"domain": ("domain", world.domains), "event": ("event", world.events)}
    codes = {column: vocab.encode(events[name]) for column, (name, vocab) in named.items()}
    known = np.all([c >= 0 for c in codes.values()], axis=0)
    schema = world.interactions.schema
    rest = events.select(n for n in ("timestamp", "value", "price", NUMBER) if n in events.columns)
    columns = [pl.Series(n, np.maximum(c, 0)).cast(schema[n]) for n, c in codes.items()]
    return pl.DataFrame(columns).hstack(rest).filter(pl.Series(known))


def _listing(world: World, items: Sequence[Item]) -> World:
    if not items:
        return world
    content = frame_of(items)
    schema = world.items.schema
    kept = [pl.col(c).cast(schema[c], strict=False) for c in content.columns if c in schema and c not in _CODES]
    codes = {
        "item": world.item_ids.encode(content["item_id"]),
        "domain": world.domains.encode([i.domain for i in items]),
    }
    coded = pl.DataFrame([pl.Series(n, np.maximum(c, 0)).cast(schema[n]) for n, c in codes.items()])
    rows = coded.hstack(content.select(kept)).filter(pl.Series(codes["domain"] >= 0))
    new = rows.join(world.items.select("item", "domain"), on=["item", "domain"], how="anti", maintain_order="left")
    return replace(world, items=pl.concat([world.items, new], how="diagonal"))
