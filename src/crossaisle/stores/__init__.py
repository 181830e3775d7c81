"""Stores: what a service has to keep on disk: events, items, exposures, keys and versions (docs/stores.md)."""

from .open import open_store
from .store import Event, Exposure, Item, Key, Role, State, Store, Version

__all__ = ["Event", "Exposure", "Item", "Key", "Role", "State", "Store", "Version", "open_store"]
