"""Versions and experiments, in a database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from ..errors import ConfigError, unknown
from .kinds import Trial, Version
from .rows import row_of
from .sql_base import SqlBase
from .tables import EXPERIMENTS, VERSIONS


class SqlVersions(SqlBase):
    """`KeepsVersions`."""

    def add_version(self, version: Version) -> None:
        """See `Store`."""
        if version.state != "candidate":
            raise ConfigError(f"version {version.name!r} is {version.state!r}; add it as 'candidate' and promote it.")
        if not self.add(VERSIONS, [version]):
            raise ConfigError(f"there is a version {version.name!r} already; choose another name.")

    def versions(self) -> list[Version]:
        """See `Store`."""
        found = self.rows(select(VERSIONS).order_by(VERSIONS.c.number.desc()))
        return [Version(**{name: value for name, value in row.items() if name != "number"}) for row in found]

    def promote(self, name: str) -> None:
        """See `Store`."""
        with self.database.writing(VERSIONS.name) as connection:
            states = _states(connection)
            if name not in states:
                raise ConfigError(unknown("version", name, states))
            if states[name] == "current":
                return
            _move(connection, "previous", "retired")
            _move(connection, "current", "previous")
            connection.execute(update(VERSIONS).where(VERSIONS.c.name == name).values(state="current"))

    def roll_back(self) -> Version:
        """See `Store`."""
        with self.database.writing(VERSIONS.name) as connection:
            if "previous" not in _states(connection).values():
                raise ConfigError("there is no previous version to go back to; promote one of `versions()`.")
            _move(connection, "current", "retired")
            _move(connection, "previous", "current")
        return next(version for version in self.versions() if version.state == "current")

    def begin_trial(self, trial: Trial) -> None:
        """See `Store`."""
        row = row_of(EXPERIMENTS, trial)
        with self.database.writing(EXPERIMENTS.name) as connection:
            for other in connection.execute(select(EXPERIMENTS.c.name, EXPERIMENTS.c.ended)):
                if other.name == trial.name:
                    raise ConfigError(f"there is an experiment {trial.name!r} already; choose another name.")
                if other.ended is None:
                    raise ConfigError(f"experiment {other.name!r} is running; end it first.")
            connection.execute(insert(EXPERIMENTS), [row])

    def end_trial(self, name: str, ended: datetime, result: dict[str, Any]) -> None:
        """See `Store`."""
        row = row_of(EXPERIMENTS, Trial(name, {}, ended, 0, ended, result))
        new = {"ended": row["ended"], "result": row["result"]}
        with self.database.writing(EXPERIMENTS.name) as connection:
            names = [r.name for r in connection.execute(select(EXPERIMENTS.c.name))]
            if name not in names:
                raise ConfigError(unknown("experiment", name, names))
            running = (EXPERIMENTS.c.name == name) & EXPERIMENTS.c.ended.is_(None)
            connection.execute(update(EXPERIMENTS).where(running).values(**new))

    def trials(self) -> list[Trial]:
        """See `Store`."""
        newest = select(EXPERIMENTS).order_by(EXPERIMENTS.c.begun.desc(), EXPERIMENTS.c.name)
        return [Trial(**row) for row in self.rows(newest)]


def _states(connection: Connection) -> dict[str, str]:
    """State of each version by name."""
    found = connection.execute(select(VERSIONS.c.name, VERSIONS.c.state).order_by(VERSIONS.c.number))
    return {row.name: row.state for row in found}


def _move(connection: Connection, old: str, new: str) -> None:
    connection.execute(update(VERSIONS).where(VERSIONS.c.state == old).values(state=new))
