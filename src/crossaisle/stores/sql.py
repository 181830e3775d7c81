"""The store in a database, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from sqlalchemy import delete, func, select

from ..errors import ConfigError
from . import sql_base
from .kinds import Key, Marks
from .rows import check_ids
from .sql_base import PUT
from .sql_rows import SqlRows
from .sql_versions import SqlVersions
from .tables import ERASED, EVENTS, EXPERIMENTS, EXPOSURES, KEYS, META, OF_USERS, VERSIONS


class SqlStore(SqlRows, SqlVersions):
    """`Store` in a database; opening it makes the tables or brings them up to date."""

    def erase_users(self, user_ids: Sequence[str]) -> int:
        """See `Store`."""
        check_ids(user_ids)
        if not user_ids:
            return 0
        remember = self.database.insert(ERASED).on_conflict_do_nothing()
        gone = 0
        with self.database.writing(ERASED.name) as connection:
            connection.execute(remember, [{"digest": _digest(user, self.salt)} for user in user_ids])
            for ids in _some(user_ids):
                for table in OF_USERS:
                    gone += connection.execute(delete(table).where(table.c.user_id.in_(ids))).rowcount
        self.database.wipe()  # even if no row went: the last attempt may have ended before this
        return gone

    def is_erased(self, user_ids: Sequence[str]) -> list[bool]:
        """See `Store`."""
        check_ids(user_ids)
        digests = [_digest(user, self.salt) for user in user_ids]
        erased: set[str] = set()
        for some in _some(digests):
            erased.update(row["digest"] for row in self.rows(select(ERASED).where(ERASED.c.digest.in_(some))))
        return [digest in erased for digest in digests]

    def add_key(self, key: Key) -> None:
        """See `Store`."""
        if not self.add(KEYS, [key]):
            raise ConfigError(f"there is a key {key.name!r} already, or one with the same secret; choose another.")

    def keys(self) -> list[Key]:
        """See `Store`."""
        return [Key(**row) for row in self.rows(select(KEYS).order_by(KEYS.c.name))]

    def remove_key(self, name: str) -> bool:
        """See `Store`."""
        check_ids([name])
        with self.database.writing(KEYS.name) as connection:
            return bool(connection.execute(delete(KEYS).where(KEYS.c.name == name)).rowcount)

    def marks(self) -> Marks:
        """See `Store`."""
        served = select(VERSIONS.c.name).where(VERSIONS.c.state == "current").scalar_subquery()
        running = select(EXPERIMENTS.c.name).where(EXPERIMENTS.c.ended.is_(None)).scalar_subquery()
        put = select(META.c.value).where(META.c.name == PUT).scalar_subquery()
        last = select(func.max(EVENTS.c.number)).scalar_subquery()
        shown = select(func.max(EXPOSURES.c.number)).scalar_subquery()
        gone = select(func.count()).select_from(ERASED).scalar_subquery()
        (row,) = self.rows(
            select(
                last.label("events"),
                shown.label("shown"),
                put.label("items"),
                gone.label("erased"),
                served.label("current"),
                running.label("trial"),
            )
        )
        numbers = (row["events"] or 0, row["shown"] or 0, int(row["items"] or 0), row["erased"])
        return Marks(*numbers, row["current"], row["trial"])

    def close(self) -> None:
        """See `Store`."""
        self.database.close()


def _some(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + sql_base.AT_ONCE] for at in range(0, len(ids), sql_base.AT_ONCE))


def _digest(user_id: str, salt: bytes) -> str:
    return blake2b(user_id.encode(), key=salt, digest_size=32).hexdigest()
