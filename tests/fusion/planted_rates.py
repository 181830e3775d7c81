"""A made-up World of views, clicks and purchases whose probabilities are known; liking decides about both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from crossaisle.data.world import World
from crossaisle.rng import generator

KINDS = ("green", "dark", "fruity", "plain", "bitter", "sweet")
GROUPS = tuple("abcdefgh")
START = datetime(2024, 1, 1)


@dataclass(frozen=True)
class Held:
    """n held-out exposures of a domain: codes, what came of them, and the true chances."""

    users: np.ndarray
    items: np.ndarray
    clicked: np.ndarray
    bought: np.ndarray
    ctr: np.ndarray
    cvr: np.ndarray


@dataclass(frozen=True)
class Planted:
    """What may be learned from, and by domain what was held out of it."""

    world: World
    held: dict[str, Held]


def sigmoid(x: np.ndarray) -> np.ndarray:
    made: np.ndarray = 1 / (1 + np.exp(-x))
    return made


def planted(
    seed: int,
    domains: int = 2,
    users: int = 300,
    items: int = 48,
    views: int = 36,
    common: float = 1.0,
    hidden: float = 0.3,
    out: float = 0.25,
) -> Planted:
    """Items are shown by chance. Liking decides about clicks and, `common` times as much, about purchases.

    So what is clicked would be bought more often than what is merely shown. Price turns away at the purchase alone.
    A share `hidden` of taste is each user's own; the rest is told by the user's group.
    """
    draw = generator(seed, "planted rates")
    group = draw.integers(0, len(GROUPS), users)
    centre, own = draw.normal(size=(len(GROUPS), len(KINDS))), draw.normal(size=(users, len(KINDS)))
    taste = np.sqrt(1 - hidden) * centre[group] + np.sqrt(hidden) * own
    rows, goods, truth = [], [], {}
    who = np.array([f"u{u:04d}" for u in range(users)])
    for d in range(domains):
        kind, price, appeal = draw.integers(0, len(KINDS), items), *draw.normal(size=(2, items))
        liking = 1.3 * taste[:, kind]
        ctr = sigmoid(-2.2 - 0.4 * d + liking + 0.5 * appeal)
        cvr = sigmoid(-1.0 + common * liking - 0.8 * price)
        what = np.array([f"d{d}i{i:03d}" for i in range(items)])
        u, i = (draw.random((users, items)).argsort(axis=1) < views).nonzero()
        clicked = draw.random(len(u)) < ctr[u, i]
        bought = clicked & (draw.random(len(u)) < cvr[u, i])
        at = draw.integers(0, 200_000, len(u))
        for minute, (event, there) in enumerate((("view", at >= 0), ("click", clicked), ("purchase", bought))):
            times = [START + timedelta(minutes=int(t) + minute) for t in at[there]]
            told = {"user_id": who[u[there]], "item_id": what[i[there]], "timestamp": times}
            rows.append(pl.DataFrame(told).with_columns(domain=pl.lit(f"d{d}"), event=pl.lit(event)))
        goods.append(
            pl.DataFrame(
                {
                    "item_id": what,
                    "domain": f"d{d}",
                    "title": [f"{KINDS[k]} thing" for k in kind],
                    "category": [KINDS[k] for k in kind],
                    "brand": [f"appeal {a:.0f}" for a in appeal],
                    "price": np.exp(price),
                }
            )
        )
        late = draw.random(len(u)) < out
        truth[f"d{d}"] = (who[u], what[i], clicked, bought, ctr[u, i], cvr[u, i]), late
    people = pl.DataFrame({"user_id": who, "group": [GROUPS[g] for g in group]})
    world = World.from_frames(pl.concat(rows), pl.concat(goods), people, name="planted rates")
    held, gone = {}, []
    for name, ((buyers, shown, *rest), late) in truth.items():
        codes = world.user_ids.encode(list(buyers[late])), world.item_ids.encode(list(shown[late]))
        gone.append(codes[0] * world.n_items + codes[1])
        held[name] = Held(*codes, *(r[late].astype(float) for r in rest))
    keys = world.interactions["user"].cast(pl.Int64) * world.n_items + world.interactions["item"].cast(pl.Int64)
    kept = ~np.isin(keys.to_numpy(), np.concatenate(gone))
    return Planted(replace(world, interactions=world.interactions.filter(pl.Series(kept))), held)
