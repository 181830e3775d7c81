"""The doors of data: frames, files, folders and database URLs → World, all through the same checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from .. import config
from ..errors import DataError, unknown
from . import cache
from .build import build_world, too_many
from .check import Checked, check_table
from .domain import with_domain
from .problems import Problem, refuse
from .quarantine import set_aside
from .readers import existing, in_folder, open_tables
from .schema import PART, TABLES
from .table import Table
from .validate import Clock
from .world import World

Frame = Any
"""A polars DataFrame or LazyFrame, or anything polars takes (a pandas DataFrame, an Arrow table, a dict of lists)."""


@dataclass(frozen=True)
class ReadOptions:
    """How tables are read. The same names work as keyword arguments of every ``World.from_…`` and as TOML keys."""

    name: str | None = None
    """What to call the World; default: the name of the file or folder."""
    domain: str | None = None
    """The one domain of all rows, where the tables have no `domain` column."""
    time_unit: Literal["s", "ms", "us"] | None = None
    """Unit of timestamps that are whole numbers since 1970; without it they are refused."""
    rename: dict[str, str] = field(default_factory=dict)
    """The user's column names → names of the format, for all tables, for example ``{"customer": "user_id"}``."""
    lenient: bool = False
    """Set bad rows aside instead of refusing the data; `World.facts["quarantined"]` counts them."""
    quarantine: Path | None = None
    """File (JSON lines) that takes the bad rows; default ``quarantine.jsonl`` beside the data, else in this folder."""
    cache: bool = True
    """Keep the read World on disk and take it from there when the same bytes are read again (files only)."""
    cache_folder: Path | None = None
    """Where; default the environment variable CROSSAISLE_CACHE, else the user's cache folder."""


def from_frames(
    interactions: Frame,
    items: Frame | None = None,
    users: Frame | None = None,
    options: ReadOptions | None = None,
    **changes: Any,
) -> World:
    """World from data frames.

    Args:
        interactions: one row per event; columns as in `crossaisle.data.schema`.
        items: one row per item and domain; further columns are attributes.
        users: one row per user; further columns are attributes.
        options: how to read.
        **changes: override fields of `options`.

    Raises:
        DataError: listing every problem at once.
    """
    chosen = _options(options, changes)
    given = {"interactions": interactions, "items": items, "users": users}
    tables = {n: as_table(n, f) for n, f in given.items() if f is not None}
    return from_tables(tables, replace(chosen, name=chosen.name or "frames"), Path())


def from_files(
    interactions: str | Path,
    items: str | Path | None = None,
    users: str | Path | None = None,
    options: ReadOptions | None = None,
    **changes: Any,
) -> World:
    """World from one file per table (Parquet, CSV or JSON lines, told by the ending).

    Raises:
        DataError: a file is missing or unreadable, or its rows are wrong; every problem is listed.
    """
    chosen = _options(options, changes)
    given = {"interactions": interactions, "items": items, "users": users}
    paths = {n: Path(p) for n, p in given.items() if p is not None}
    chosen = replace(chosen, name=chosen.name or paths["interactions"].stem)
    return _cached(paths, chosen)


def from_folder(folder: str | Path, options: ReadOptions | None = None, **changes: Any) -> World:
    """World from a folder with ``interactions.*`` (or ``train.*``), and ``items.*`` and ``users.*`` if there are.

    Where ``valid.*`` or ``test.*`` stand beside them, their rows are read too and the column ``part`` of interactions
    says which is which; the split `given` takes it from there, all other splits take the rows together.

    Raises:
        DataError: the folder lacks interactions, or its rows are wrong; every problem is listed.
    """
    chosen = _options(options, changes)
    paths = in_folder(Path(folder))
    return _cached(paths, replace(chosen, name=chosen.name or Path(folder).resolve().name))


def from_url(url: str, options: ReadOptions | None = None, **changes: Any) -> World:
    """World from the tables ``interactions``, ``items`` and ``users`` of a SQLite or PostgreSQL database.

    Args:
        url: ``sqlite:///shop.db`` or ``postgresql://user:password@host:5432/shop``.
        options: how to read.
        **changes: override fields of `options`.

    Raises:
        DataError: no connection, no such tables, or wrong rows; passwords are never shown.
    """
    chosen = _options(options, changes)
    tables = {t.name: t for t in open_tables(url)}
    name = chosen.name or url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    return from_tables(tables, replace(chosen, name=name), Path())


def open_world(location: str | Path, options: ReadOptions | None = None, **changes: Any) -> World:
    """World from whatever `location` names: a folder, a file of interactions, or a database URL."""
    text = str(location)
    if "://" in text:
        return from_url(text, options, **changes)
    if Path(text).is_dir():
        return from_folder(text, options, **changes)
    return from_files(text, None, None, options, **changes)


def as_table(name: str, data: Frame | str | Path) -> Table:
    """A data frame or a file as the table `name`.

    Raises:
        DataError: neither a file that can be read nor a data frame.
    """
    if isinstance(data, (str, Path)):
        return replace(next(open_tables(str(data))), name=name)
    return Table(name, _lazy(name, data), f"the {name} frame")


def from_tables(tables: Mapping[str, Table], options: ReadOptions, beside: Path) -> World:
    """Check `tables` and build the World; `beside` is the folder that takes the quarantine by default.

    Raises:
        DataError: listing every problem at once.
    """
    name = options.name or "world"
    if "interactions" not in tables:
        raise DataError(f"{name} has no interactions; there are: {', '.join(tables) or 'no tables'}; add them.")
    ready, problems = with_domain(_renamed(tables, options.rename), options.domain)
    clock = Clock.ticking(options.time_unit)
    checked = {n: check_table(ready[n], clock) for n in TABLES if n in ready}
    problems += [p for c in checked.values() for p in c.findings.problems] + too_many(checked)
    if problems and not (options.lenient and _mendable(problems, checked)):
        raise refuse(name, problems)
    facts: dict[str, Any] = {f"{n}_read": c.rows for n, c in checked.items()}
    facts["quarantined"] = 0
    if problems:
        target = options.quarantine or beside / "quarantine.jsonl"
        facts["quarantined"] = set_aside(ready, checked, target)
        reasons = {f"{n}: {said}": int(m.sum()) for n, c in checked.items() for said, m in c.findings.reasons}
        facts |= {"quarantine_file": str(target), "quarantine_problems": [str(p) for p in problems]}
        facts["quarantine_reasons"] = reasons  # the same without values, which may be ids of people
    return build_world({n: c.good_rows() for n, c in checked.items()}, name, facts)


def _options(options: ReadOptions | None, changes: Mapping[str, Any]) -> ReadOptions:
    base = {f: getattr(options, f) for f in ReadOptions.__dataclass_fields__} if options else {}
    return config.build(ReadOptions, {**base, **changes}, "read options")


def _cached(paths: Mapping[str, Path], options: ReadOptions) -> World:
    for path in paths.values():
        existing(path)

    def fresh() -> World:
        tables = _joined({n: replace(next(open_tables(str(p))), name=n) for n, p in paths.items()})
        return from_tables(tables, options, next(iter(paths.values())).parent)

    # A lenient read also writes a file, which a cached answer would not.
    if not options.cache or options.lenient:
        return fresh()
    return cache.remember(paths, options, fresh)


def _joined(tables: dict[str, Table]) -> dict[str, Table]:
    """Train, valid and test as one table of interactions with a column that tells them apart."""
    ready = {n: t for n, t in tables.items() if n in TABLES}
    named = {"train": ready.get("interactions"), **{n: t for n, t in tables.items() if n not in TABLES}}
    parts = {n: t for n, t in named.items() if t is not None}
    if len(parts) == 1:
        return ready | {"interactions": replace(parts["train"], name="interactions")}
    source = ", ".join(t.source for t in parts.values())
    frame = pl.concat([t.frame.with_columns(pl.lit(n).alias(PART)) for n, t in parts.items()], how="diagonal_relaxed")
    return ready | {"interactions": Table("interactions", frame, source, all(t.typed for t in parts.values()))}


def _mendable(problems: list[Problem], checked: Mapping[str, Checked]) -> bool:
    bad = checked["interactions"].findings.bad
    return all(p.rows for p in problems) and (bad is None or not bool(bad.all()))


def _renamed(tables: Mapping[str, Table], names: Mapping[str, str]) -> dict[str, Table]:
    there = {n: t.frame.collect_schema().names() for n, t in tables.items()}
    for old in names:
        if not any(old in columns for columns in there.values()):
            raise DataError("rename: " + unknown("column", old, sorted({c for cs in there.values() for c in cs})))
    ready = {}
    for table, columns in there.items():
        after = [names.get(c, c) for c in columns]
        twice = sorted({c for c in after if after.count(c) > 1})
        if twice:
            raise DataError(
                f"rename gives {table} two columns called {twice[0]!r}; leave one out or name it otherwise."
            )
        ready[table] = replace(tables[table], frame=tables[table].frame.rename(dict(names), strict=False))
    return ready


def _lazy(name: str, frame: Frame) -> pl.LazyFrame:
    if isinstance(frame, pl.LazyFrame):
        return frame
    if isinstance(frame, pl.DataFrame):
        return frame.lazy()
    try:
        if type(frame).__module__.split(".")[0] == "pandas":
            return pl.from_pandas(frame).lazy()
        return pl.DataFrame(frame).lazy()
    except Exception as error:  # whatever the frame's own library raises
        kind = f"{type(frame).__module__.split('.')[0]}.{type(frame).__name__}"
        reason = str(error).split("\n")[0]
        raise DataError(
            f"{name} is a {kind} that cannot be read ({reason}); give a polars or pandas frame whose columns each "
            "have one name and one type."
        ) from error
