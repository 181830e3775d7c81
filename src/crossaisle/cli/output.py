"""Where the words of all commands go: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import Group, Parameter

from ..errors import ConfigError, CrossaisleError, DataError

if TYPE_CHECKING:
    from rich.console import Console

COMMON = Group("Output", sort_key=90)


@Parameter(name="*", group=COMMON, negative=(), show_default=False)
@dataclass(frozen=True)
class Output:
    """What every command understands."""

    json: bool = False
    """Print one JSON document on stdout and nothing else there."""
    debug: bool = False
    """Show the trace of an unexpected error."""


OUTPUT = Output()


def console() -> Console:
    """The console of results; plain text without a terminal or with NO_COLOR, never cut to a terminal's width there."""
    from rich.console import Console

    made = Console(highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(highlight=False, width=200)


def say(sentence: str) -> None:
    """One sentence to stderr."""
    print(sentence, file=sys.stderr, flush=True)


def written(write: Callable[[Path], Path], out: Path | None, numbers: str) -> dict[str, str]:
    """Where `write` has put its page, and `numbers`; without the report extra there is no page, which is said."""
    if out is None:
        return {}
    try:
        page = write(out)
    except ConfigError as error:
        say(str(error))
        return {"numbers": str(out / numbers)}
    return {"page": str(page), "numbers": str(out / numbers)}


def emit(document: Any) -> None:
    """One JSON document to stdout; numbers that JSON cannot hold become null."""
    print(json.dumps(_plain(document), ensure_ascii=False, indent=1, allow_nan=False, default=str))


def emit_error(error: CrossaisleError, as_json: bool) -> None:
    """The message of a user's mistake, without a trace."""
    if as_json:
        problems = list(error.problems) if isinstance(error, DataError) else []
        emit({"error": {"kind": type(error).__name__, "message": str(error).split("\n")[0], "problems": problems}})
    say(f"crossaisle: {error}")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> None:
    """Print a table on stdout.

    Args:
        title: printed above.
        columns: headings.
        rows: cells; None is empty.
        right: headings of the columns that are set to the right (numbers).
    """
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    console().print(made)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    item = getattr(value, "item", None)
    return _plain(item()) if callable(item) and getattr(value, "shape", None) == () else value
