"""The configuration of a run: a TOML file ⇄ `Run`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import tomli_w

from .. import api  # noqa: F401 - importing registers all methods
from ..config import as_dict, build, read_toml
from ..data.load import ReadOptions
from ..errors import ConfigError, unknown
from ..evaluate.spec import DEFAULT_METHODS, MethodSpec, Study

KEYS = ("data", "study", "methods", "out")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@/]*@")


@dataclass(frozen=True)
class Run:
    """One study on one World, with the folder that takes what comes out.

    Attributes:
        location: of the data: folder, file, URL or ``demo``; environment variables are replaced already.
        read: how to read them.
        study: what is asked.
        methods: who answers.
        out: run folder.
        text: the configuration as TOML, kept in the run folder.
    """

    location: str
    read: ReadOptions
    study: Study
    methods: tuple[MethodSpec, ...]
    out: Path
    text: str


def read_run(path: Path, out: Path | None = None) -> Run:
    """The run that a TOML file describes; relative paths in it are relative to it.

    Args:
        path: of the file.
        out: run folder; takes the place of the file's own, default ``runs/<name of the file>``.

    Raises:
        ConfigError: missing file, not TOML, unknown or wrong key, or an environment variable that is not set.
        MethodError: unknown method.
    """
    tables = read_toml(path)
    for key in tables:
        if key not in KEYS:
            raise ConfigError(f"{path}: " + unknown("key", key, KEYS))
    for key in ("data", "study"):
        if not isinstance(tables.get(key), dict):
            raise ConfigError(f"{path}: there is no [{key}] table; add it.")
    location, read = _data(tables["data"], path.parent)
    study = build(Study, tables["study"], "[study]")
    own = tables.get("out")
    if own is not None and not isinstance(own, str):
        raise ConfigError(f"{path}: out is {own!r}; the path of a folder is needed.")
    beside = Path("runs") / path.stem if own is None else path.parent / expand(own)
    note = f"# A copy of {path.name}; relative paths in it are relative to where that file is.\n"
    text = path.read_text(encoding="utf-8")
    return Run(location, read, study, _methods(tables.get("methods")), out or beside, note + text)


def with_budget(run: Run, budget: str | None) -> Run:
    """`run` with another budget; None leaves it as it is.

    Raises:
        ConfigError: no span of time.
    """
    if budget is None:
        return run
    return replace(run, study=replace(run.study, budget=budget), text=f"# It ran with --budget {budget}.\n{run.text}")


def make_run(location: str, read: ReadOptions, study: Study, methods: tuple[MethodSpec, ...], out: Path) -> Run:
    """A run from flags, with the configuration file that would have said the same."""
    data = {"path": _anchored(_PASSWORD.sub(r"\1***@", location)), **as_dict(read)}
    tables: dict[str, Any] = {"data": _short(data, ReadOptions), "study": _short(as_dict(study), Study)}
    if methods != DEFAULT_METHODS:
        tables["methods"] = [_short(as_dict(m), MethodSpec) for m in methods]
    return Run(expand(location), read, study, methods, out, tomli_w.dumps(_plain(tables)))


def expand(text: str) -> str:
    """`text` with ``$NAME`` and ``${NAME}`` replaced from the environment.

    Raises:
        ConfigError: the variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in os.environ:
            raise ConfigError(
                f"{text!r} names the environment variable {name}, which is not set; set it, or write a path."
            )
        return os.environ[name]

    return _VARIABLE.sub(value, text)


def _data(table: Mapping[str, Any], folder: Path) -> tuple[str, ReadOptions]:
    allowed = ["path", *(f.name for f in fields(ReadOptions))]
    for key in table:
        if key not in allowed:
            raise ConfigError("[data]: " + unknown("key", key, allowed))
    path = table.get("path")
    if not isinstance(path, str) or not path:
        raise ConfigError('[data]: path is missing; give a folder, a file, a database URL or "demo".')
    rest = {k: v for k, v in table.items() if k != "path"}
    for key in ("quarantine", "cache_folder"):
        if isinstance(rest.get(key), str):
            rest[key] = str(folder / expand(rest[key]))
    location = expand(path)
    return location if is_remote(location) else str(folder / location), build(ReadOptions, rest, "[data]")


def is_remote(location: str) -> bool:
    """Whether `location` is no path: a URL, or the word ``demo``."""
    return "://" in location or location == "demo"


def _methods(tables: Any) -> tuple[MethodSpec, ...]:
    if tables is None:
        return DEFAULT_METHODS
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise ConfigError("methods is not a list of tables; write [[methods]] above each method.")
    return tuple(MethodSpec.parse(t, f"[[methods]] {number}") for number, t in enumerate(tables, 1))


def _anchored(location: str) -> str:
    return location if is_remote(location) or location.startswith("$") else str(Path(location).resolve())


def _short(values: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Without what is the default anyway."""
    usual = {f.name: f.default for f in fields(cls)}
    return {k: v for k, v in values.items() if v != usual.get(k, ...) and v != {}}


def _plain(value: Any) -> Any:
    """What TOML can hold: paths as text, tuples as lists."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
