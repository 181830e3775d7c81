"""Name → object, for the plug-in points. Third parties register through entry points and edit nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from .errors import MethodError, unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """Named objects of one plug-in point.

    Args:
        what: the word used in messages, for example ``"transfer method"``.
        group: entry-point group that third-party packages use; loading an entry point must register itself.
        hint: what messages say of where all names are listed.
    """

    def __init__(self, what: str, group: str, hint: str = "`crossaisle methods` lists all.") -> None:
        self.what = what
        self.group = group
        self.hint = hint
        self._items: dict[str, T] = {}
        self._plugins_loaded = False

    def add(self, name: str, item: T) -> None:
        """Register `item`; the same name twice is a programming error."""
        if name in self._items:
            raise ValueError(f"{self.what} {name!r} is registered twice")
        self._items[name] = item

    def get(self, name: str) -> T:
        """Return the object called `name`.

        Raises:
            MethodError: with the nearest names when there is no such object.
        """
        self._load_plugins()
        if name not in self._items:
            raise MethodError(unknown(self.what, name, self._items, hint=self.hint))
        return self._items[name]

    def names(self) -> list[str]:
        """All registered names in order of registration."""
        self._load_plugins()
        return list(self._items)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        self._load_plugins()
        return iter(list(self._items.items()))

    def _load_plugins(self) -> None:
        if not self._plugins_loaded:
            self._plugins_loaded = True
            for point in entry_points(group=self.group):
                point.load()
