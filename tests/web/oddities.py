"""A World of names that pages and addresses stumble over."""

from __future__ import annotations

import polars as pl

from crossaisle.api import World

ODD_USER, ODD_ITEM, SCRIPT = "u/ä 1?#", "i/ü ☃", "<script>window.broken = 1</script><b>bold</b>"


def odd_world() -> World:
    had = [
        (ODD_USER, ODD_ITEM),
        (ODD_USER, "plain"),
        ("u2", "plain"),
        ("u2", "script"),
        ("u2", "bare"),
        ("u3", ODD_ITEM),
    ]
    had += [("u3", "script"), ("u4", "bare"), ("u4", "script")]
    rows = [{"user_id": u, "item_id": i, "domain": "shop", "event": "purchase"} for u, i in had]
    rows += [{"user_id": "u2", "item_id": "only", "domain": "kiosk", "event": "purchase"}]
    titles = {ODD_ITEM: "Übergröße ☃", "plain": "plain bread", "script": SCRIPT, "bare": None}
    items = [{"item_id": i, "domain": "shop", "title": t} for i, t in titles.items()]
    items += [{"item_id": "only", "domain": "kiosk", "title": "the only one"}]
    return World.from_frames(pl.DataFrame(rows), pl.DataFrame(items))
