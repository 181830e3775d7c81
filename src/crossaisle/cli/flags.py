"""Flags that several commands share, and the words they are turned into."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Annotated, Any

import tomli_w
from cyclopts import Group, Parameter

from ..data.load import ReadOptions, open_world
from ..data.world import World
from ..errors import ConfigError

READING = Group("Reading data", sort_key=50)


def shown(default: Any) -> Any:
    """A default as one would type it; None hides it where nothing is the default."""
    values = default if isinstance(default, (tuple, dict)) else () if default is None else (default,)
    return " ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values) or None


LIST = Parameter(consume_multiple=True, negative_iterable=(), negative_none=(), show_default=shown)
ReadFlags = Annotated[ReadOptions, LIST, Parameter(name="*", group=READING)]
Names = Annotated[tuple[str, ...], LIST]
Numbers = Annotated[tuple[float, ...], LIST]
Seeds = Annotated[tuple[int, ...], LIST]
Maybe = Parameter(negative_none=())
MethodOptions = Annotated[tuple[str, ...], Parameter(name=["--option", "-o"], negative_iterable=(), show_default=False)]
"""``-o key=value``, as often as needed; the value is spelled as in TOML, where quotes may be left out."""

BudgetFlag = Annotated[str | None, Maybe]
"""``90s``, ``10m`` or ``2h``."""

READ = ReadOptions()
OWN_FLAGS = ("method", "sources", "base", "cut", "weeks", "seed", "budget")


def open_data(location: str, options: ReadOptions | None = None) -> World:
    """The World at `location`: a folder (``./demo`` if it is called so), a file, a database URL, or the word ``demo``.

    Raises:
        DataError: nothing there, or wrong rows; every problem is listed.
    """
    if location == "demo":
        return World.demo()
    return open_world(location, options)


def typed(name: str, value: object) -> list[str]:
    """A flag as one would type it; nothing where nothing was given."""
    return [] if value is None else [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]


def options_of(words: Sequence[str]) -> dict[str, Any]:
    """``["alpha=10", "content.text_dim=32"]`` → the mapping that TOML would give.

    Raises:
        ConfigError: a word without ``=``, a flag of the command itself, or the same key twice.
    """
    lines = []
    for word in words:
        key, sign, text = (part.strip() for part in word.partition("="))
        if not sign or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", key):
            raise ConfigError(f"option {word!r} is not of the form key=value; write for example -o steps=300.")
        if key in OWN_FLAGS:
            raise ConfigError(f"{key!r} is no option of a method; write --{key} {text}.")
        lines.append(tomli_w.dumps({"value": toml_value(text)}).replace("value", key, 1))
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"options {' '.join(words)!r} do not go together ({error}); give each once.") from None


def toml_value(text: str) -> Any:
    """A value spelled as in TOML; what is not TOML is a word, or a list of words, without its quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if text.startswith("[") and text.endswith("]"):
            return [toml_value(part.strip()) for part in text[1:-1].split(",") if part.strip()]
        return text
