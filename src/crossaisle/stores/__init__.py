"""Stores: what a service has to keep on disk: events, items, users, exposures, keys, versions, experiments (docs/stores.md)."""

from .open import open_store
from .store import Event, Exposure, Item, Key, Role, State, Store, Trial, User, Version

__all__ = ["Event", "Exposure", "Item", "Key", "Role", "State", "Store", "Trial", "User", "Version", "open_store"]
