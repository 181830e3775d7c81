"""`crossaisle keys`: who may use the HTTP API."""

from __future__ import annotations

from contextlib import closing

from cyclopts import App

from ..errors import ConfigError, unknown
from ..stores.kinds import Role
from ..stores.open import open_store
from .output import OUTPUT, Output, emit, table
from .serve import STORE

app = App(name="keys", help_epilogue="Example: crossaisle keys add webshop --role write --store shop --json")


@app.command
def add(name: str, /, *, role: Role = "read", store: str = STORE, output: Output = OUTPUT) -> None:
    """Make a key; it is shown once, and only its hash is kept.

    Args:
        name: for people.
        role: read asks for recommendations, write also sends events and items, admin also erases and promotes.
        store: as given to ``crossaisle serve``.
    """
    from ..serve.keyring import add_key

    with closing(open_store(store)) as kept:
        secret = add_key(kept, name, role)
    if output.json:
        emit({"name": name, "role": role, "key": secret})
        return
    print(secret)


@app.command(name="list")
def list_(*, store: str = STORE, output: Output = OUTPUT) -> None:
    """List the keys, without their secrets.

    Args:
        store: as given to ``crossaisle serve``.
    """
    with closing(open_store(store)) as kept:
        keys = kept.keys()
    if output.json:
        emit([{"name": k.name, "role": k.role, "made": k.made.isoformat()} for k in keys])
        return
    table("keys", ["name", "role", "made"], [(k.name, k.role, f"{k.made:%Y-%m-%d %H:%M}") for k in keys])


@app.command
def remove(name: str, /, *, store: str = STORE, output: Output = OUTPUT) -> None:
    """Remove a key; a running service takes it for two seconds more.

    Args:
        name: as listed.
        store: as given to ``crossaisle serve``.
    """
    with closing(open_store(store)) as kept:
        known = kept.keys()
        if not kept.remove_key(name):
            raise ConfigError(unknown("key", name, [k.name for k in known]))
    if output.json:
        emit({"removed": name})
