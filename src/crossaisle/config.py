"""Frozen dataclass ⇄ mapping ⇄ TOML. Options are spelled once: fields and the docstrings under them."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import tomllib
import types
import typing
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from .errors import ConfigError, unknown

C = TypeVar("C")


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises:
        ConfigError: when the file is missing or not TOML, with the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"no configuration at {path} ({error.strerror}); give the path of a TOML file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; mend that line.") from None


def build(cls: type[C], values: Mapping[str, Any], where: str = "options") -> C:
    """Make the frozen dataclass `cls` from `values`, checking names and types.

    Args:
        cls: a dataclass; nested dataclass fields take nested mappings.
        values: field name → value, as TOML gives them.
        where: prefix in messages, for example ``"[evaluate]"``.

    Raises:
        ConfigError: unknown key (names the nearest), wrong type, or missing required key.
    """
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    ready: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            raise ConfigError(f"{where}: " + unknown("key", key, fields))
        ready[key] = _convert(hints[key], value, f"{where}: {key}")
    missing = [n for n, f in fields.items() if n not in ready and _required(f)]
    if missing:
        raise ConfigError(f"{where}: missing {', '.join(missing)}; add it.")
    try:
        return cls(**ready)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None


def as_dict(config: Any) -> dict[str, Any]:
    """The plain mapping of a dataclass without what is None, as `build` takes it back."""
    return {k: v for k, v in dataclasses.asdict(config).items() if v is not None}


def describe(cls: type) -> list[tuple[str, str, Any, str]]:
    """(name, type, default, docstring) of every field, for `--help` and the docs."""
    docs = _field_docs(cls)
    rows = []
    for field in dataclasses.fields(cls):
        default = None if _required(field) else _default(field)
        kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
        rows.append((field.name, kind, default, docs.get(field.name, "")))
    return rows


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _field_docs(cls: type) -> dict[str, str]:
    """Texts below the fields of `cls` and of the classes it inherits from; its own win."""
    docs = dict[str, str]()
    for part in reversed([c for c in cls.__mro__ if dataclasses.is_dataclass(c)]):
        try:
            source = inspect.getsource(part)
        except (OSError, TypeError):  # typed at a prompt
            continue
        (made,) = ast.parse(textwrap.dedent(source)).body
        for above, below in pairwise(typing.cast(ast.ClassDef, made).body):
            match above, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    docs[name] = " ".join(text.split())
    return docs


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _first_fitting(args, value, where)
    if origin is typing.Literal:
        if value not in args:
            raise ConfigError(f"{where} is {value!r}; allowed: {', '.join(map(repr, args))}.")
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"{where} is {value!r}; a list is needed.")
        return tuple(_convert(args[0], v, where) for v in value)
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return build(typing.cast(type, hint), value, where)
    return _plain(origin or hint, value, where)


def _plain(hint: type, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where} is {value!r}; {_word(hint)} is needed.")
    return value


def _first_fitting(options: tuple[Any, ...], value: Any, where: str) -> Any:
    possible = [o for o in options if o is not type(None)]
    if value is None and len(possible) < len(options):
        return None
    if len(possible) == 1:  # its own message says more
        return _convert(possible[0], value, where)
    for option in possible:
        try:
            return _convert(option, value, where)
        except ConfigError:
            continue
    raise ConfigError(f"{where} is {value!r}; one of {', '.join(map(_word, possible))} is needed.")


def _word(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))
