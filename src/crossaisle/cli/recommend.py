"""`crossaisle recommend`: items for a user, with what the answer rests on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from cyclopts import App, Parameter

from ..recommender import Recommender
from ..types import Basis
from .artifacts import open_recommender, titled
from .flags import LIST, Maybe, Names
from .output import OUTPUT, Output, emit, table

app = App(
    name="recommend", help_epilogue="Example: crossaisle recommend runs/demo --user 1364 --domain NUTRITION -k 10"
)
NEW_ITEM = "(new item)"


@app.default
def recommend(
    run: Path,
    /,
    *,
    user: Annotated[tuple[str, ...], LIST, Parameter(consume_multiple=(1, None))],
    domain: Annotated[str | None, Maybe] = None,
    k: Annotated[int, Parameter(name=["-k", "--k"])] = 10,
    with_seen: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    available: Names = (),
    item_title: Names = (),
    output: Output = OUTPUT,
) -> None:
    """Recommend items to a user, and say why.

    Args:
        run: folder of a run, or of a recommender that ``crossaisle transfer`` wrote.
        user: ids; an unknown one gets an honest general answer.
        domain: must be the recommender's own; a check for scripts.
        k: number of items.
        with_seen: also recommend what the user has had before.
        available: only these item ids may be recommended; all when empty.
        item_title: titles of items that the shop does not have yet, ranked from their content among the others.
    """
    shop = open_recommender(run, domain)
    if item_title:
        shop = shop.with_items(new_items(item_title))
    asked = new_items(item_title)["item_id"].to_list()
    ranking = shop.recommend(user, k, exclude_seen=not with_seen, available=available or None)
    answers = [
        answer(shop, name, items, scores, basis) | {"new_items": placed(shop, name, asked)}
        for name, items, scores, basis in zip(
            ranking.users, ranking.items.tolist(), ranking.scores.tolist(), ranking.basis, strict=True
        )
    ]
    if output.json:
        emit(answers)
        return
    for found in answers:
        _show(found)


def new_items(titles: Sequence[str]) -> pl.DataFrame:
    """Rows for items of which only the title is known; their ids are made from it."""
    return pl.DataFrame({"item_id": [f"{t} {NEW_ITEM}" for t in titles], "title": list(titles)})


def placed(shop: Recommender, user: str, new: Sequence[str]) -> list[dict[str, Any]]:
    """Score and place of each of the `new` items among everything in the catalogue, for one user."""
    if not new:
        return []
    names = shop.item_ids.decode(shop.catalogue)
    scores = dict(zip(names, shop.score([user], names)[0].tolist(), strict=True))
    place = {n: 1 + sum(s > scores[n] for s in scores.values()) for n in new}
    return [{"item_id": n, "score": scores[n], "place": place[n], "of": len(names)} for n in new]


def answer(shop: Recommender, user: str, items: Sequence[str], scores: Sequence[float], basis: Basis) -> dict[str, Any]:
    """One user's list as a document: rows with rank, id, title, price, score and what they go back to."""
    ids = [i for i in items if i]
    because = shop.why(user, ids)
    rows = []
    for rank, (item, score) in enumerate(zip(ids, scores, strict=False), 1):
        about = shop.items.row(shop.item_ids.code(item), named=True) if shop.items.width else {}
        rows.append(
            {
                "rank": rank,
                "item_id": item,
                "title": about.get("title"),
                "price": about.get("price"),
                "score": float(np.float32(score)),
                "because": because[rank - 1],
            }
        )
    known = shop.user_ids.code(user) >= 0
    return {
        "user": user,
        "known": known,
        "domain": shop.domain,
        "method": shop.method,
        "basis": basis,
        "basis_sentence": sentence(user, known, basis),
        "items": rows,
    }


def sentence(user: str, known: bool, basis: Basis) -> str:
    """What the list rests on, in plain words."""
    if not known:
        return f"user {user!r} is not in the data, so nothing is known of them: this is what suits people in general."
    return {
        "history": f"this rests on what user {user!r} bought before.",
        "content": f"this rests on the content of what user {user!r} bought before, and of the items.",
        "popularity": f"nothing that user {user!r} did tells about these items: this is what suits people in general.",
    }[basis]


def _show(found: dict[str, Any]) -> None:
    rows = [
        (
            r["rank"],
            r["item_id"],
            r["title"],
            None if r["price"] is None else f"{r['price']:.2f}",
            f"{r['score']:.4g}",
            "; ".join(titled(b["title"], b["item_id"]) for b in r["because"]),
        )
        for r in found["items"]
    ]
    columns = ["rank", "item", "title", "price", "score", "because this user had"]
    table(f"{found['domain']} for user {found['user']}", columns, rows, right=["rank", "price", "score"])
    print(f"Basis: {found['basis_sentence']}")
    for new in found["new_items"]:
        print(f"{new['item_id']}: place {new['place']} of {new['of']:,}, from its content (score {new['score']:.4g}).")
