"""Stores: what a service keeps on disk: events, items, users, what was shown, keys, versions, experiments."""

from .kinds import Event, Exposure, Item, Key, Marks, Role, State, Trial, User, Version
from .open import open_store
from .store import Store

__all__ = [
    "Event",
    "Exposure",
    "Item",
    "Key",
    "Marks",
    "Role",
    "State",
    "Store",
    "Trial",
    "User",
    "Version",
    "open_store",
]
