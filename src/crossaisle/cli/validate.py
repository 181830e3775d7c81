"""`crossaisle validate`: check data and list every problem at once."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from ..data.world import World
from .flags import READ, ReadFlags, open_data
from .output import OUTPUT, Output, emit, table
from .progress import drawing

app = App(name="validate", help_epilogue="Example: crossaisle validate shop/ --rename.customer user_id --lenient")


@app.default
def validate(path: str, /, *, read: ReadFlags = READ, output: Output = OUTPUT) -> None:
    """Check data and list every problem at once.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
    """
    with drawing():
        world = open_data(path, read)
    if output.json:
        emit(document(world))
        return
    print(f"{world.name} is good: {world!r}")
    rows = [
        (r["name"], f"{r['interactions']:,}", f"{r['users']:,}", f"{r['items']:,}", r["first"], r["last"])
        for r in world.summary().iter_rows(named=True)
    ]
    columns = ["domain", "interactions", "users", "items", "first", "last"]
    table("", columns, rows, right=columns[1:4])
    if world.facts.get("quarantined"):
        print(f"{world.facts['quarantined']:,} bad rows were set aside in {world.facts['quarantine_file']}.")


def document(world: World) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "name": world.name,
        "interactions": len(world.interactions),
        "users": world.n_users,
        "items": world.n_items,
        "events": world.events.ids.to_list(),
        "timed": world.timed,
        "fingerprint": world.fingerprint,
        "facts": dict(world.facts),
        "domains": world.summary().to_dicts(),
    }
