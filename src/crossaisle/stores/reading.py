"""Reading a store: all of something that it numbers, page by page, and who of some has been erased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

import polars as pl

from .store import Store

PAGE = 10_000
R = TypeVar("R")


class Numbered(Protocol[R]):
    """`Store.events` or `Store.exposures`."""

    def __call__(self, *, after: int = 0, limit: int = ...) -> list[tuple[int, R]]:
        """The first `limit` rows after number `after`."""
        ...


def each(read: Numbered[R], after: int = 0) -> Iterator[tuple[int, R]]:
    """(number, row) of everything after number `after`, in the order it came."""
    more = True
    while more:
        page = read(after=after, limit=PAGE)
        yield from page
        if more := len(page) == PAGE:
            after = page[-1][0]


def erased_among(store: Store, users: Sequence[str] | pl.Series) -> list[str]:
    """Those of `users` who have asked to be forgotten."""
    found: list[str] = []
    for start in range(0, len(users) if store.marks().erased else 0, PAGE):
        some = list(users[start : start + PAGE])
        found += [user for user, erased in zip(some, store.is_erased(some), strict=True) if erased]
    return found
