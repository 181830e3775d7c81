"""Stores: what a service keeps on disk: events, items, users, what was shown, keys, versions, experiments."""

from .open import open_store
from .store import Event, Exposure, Item, Key, Marks, Role, State, Store, Trial, User, Version

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
