"""What every store does, and the promise that what it acknowledged is on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from .kinds import Event, Exposure, Item, Key, Marks, Trial, User, Version


class KeepsRows(Protocol):
    """Events, items, users, and what was shown."""

    def add_events(self, events: Sequence[Event]) -> int:
        """Keep `events`; those whose id is known are passed over. Returns how many were new."""
        ...

    def events(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, Event]]:
        """The first `limit` events after number `after`, in the order they came, with their numbers.

        Numbers rise with each event that comes, whatever clocks say; some are left out. Whoever has read up to a number
        misses none by asking for those after it.
        """
        ...

    def events_of(self, user_id: str, *, limit: int | None = None) -> list[Event]:
        """The last `limit` events of one user, or all, in the order they came."""
        ...

    def put_items(self, items: Sequence[Item]) -> None:
        """Keep `items`; what is known of the same id and domain is replaced."""
        ...

    def items(self, domain: str | None = None) -> Iterator[Item]:
        """All items, or those of one domain, by domain and id."""
        ...

    def put_users(self, users: Sequence[User]) -> None:
        """Keep `users`; what is known of the same id is replaced."""
        ...

    def users(self) -> Iterator[User]:
        """All users, by id."""
        ...

    def add_exposures(self, exposures: Sequence[Exposure]) -> int:
        """Keep what was shown; a place of an answer that is known is passed over. Returns how many were new."""
        ...

    def exposures(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, Exposure]]:
        """What was shown, numbered as `events` are."""
        ...


class KeepsVersions(Protocol):
    """Versions and experiments."""

    def add_version(self, version: Version) -> None:
        """Make a version known, as ``candidate``.

        Raises:
            ConfigError: the name is taken, or the version says that it is something else than a candidate.
        """
        ...

    def versions(self) -> list[Version]:
        """All versions, the last added first."""
        ...

    def promote(self, name: str) -> None:
        """Make `name` the current version and the current one the previous, in one transaction.

        The one that was previous is retired. Promoting the current version changes nothing.

        Raises:
            ConfigError: there is no such version.
        """
        ...

    def roll_back(self) -> Version:
        """Make the previous version current again; the one that was current is retired.

        Raises:
            ConfigError: there is no previous version.
        """
        ...

    def begin_trial(self, trial: Trial) -> None:
        """Keep an experiment that begins now.

        Raises:
            ConfigError: the name is taken, or another one is running.
        """
        ...

    def end_trial(self, name: str, ended: datetime, result: dict[str, Any]) -> None:
        """Keep how an experiment ended; one that has ended stays as it is.

        Raises:
            ConfigError: there is no such experiment.
        """
        ...

    def trials(self) -> list[Trial]:
        """All experiments, the last begun first."""
        ...


class Store(KeepsRows, KeepsVersions, Protocol):
    """A place that keeps rows. Every method that writes returns when the rows are on disk, whole or not at all.

    All of them may be called by several threads at once. They raise `StorageError` in one sentence when the disk or the
    server refuses, and work again afterwards; `DataError` when a row cannot be kept as it is (`rows.py` says what can).
    Writing the same again after an error is harmless.
    """

    def erase_users(self, user_ids: Sequence[str]) -> int:
        """Forget everything of these users, for good: no byte of it stays in the files. Returns how many rows went.

        The files are written anew, which takes time and space with their size: erase several users at once. A hash of
        each id (salted per store) stays on the list of `is_erased`. Whoever gets no answer asks again.
        """
        ...

    def is_erased(self, user_ids: Sequence[str]) -> list[bool]:
        """Which of these users have ever asked to be forgotten.

        What tables and artifacts know of them must not be used, even if they came back: what came since is here.
        """
        ...

    def add_key(self, key: Key) -> None:
        """Keep a key.

        Raises:
            ConfigError: the name or the digest is taken.
        """
        ...

    def keys(self) -> list[Key]:
        """All keys, by name."""
        ...

    def remove_key(self, name: str) -> bool:
        """Forget a key; whether it was there."""
        ...

    def marks(self) -> Marks:
        """Where the store stands, for processes that follow what others do; cheap enough to be asked each second."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
