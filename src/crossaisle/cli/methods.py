"""`crossaisle methods`: what can be chosen, and every option of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cyclopts import App

from ..config import describe
from ..errors import MethodError, unknown
from .output import OUTPUT, Output, emit, table

app = App(name="methods", help_epilogue="Example: crossaisle methods blend")


@dataclass(frozen=True)
class Entry:
    """A fusion or transfer method as users see it."""

    name: str
    kind: Literal["fusion", "transfer", "control"]
    needs: tuple[str, ...]
    paper: str
    summary: str
    options: type
    when: str = ""
    cost: str = "medium"
    reads_base: bool = False


@app.default
def methods(name: str | None = None, /, *, output: Output = OUTPUT) -> None:
    """List fusion and transfer methods, or the options of one.

    Args:
        name: the method whose options are listed.
    """
    entries = all_methods()
    if name is None:
        _list(entries, output)
        return
    chosen = [e for e in entries if e.name == name]
    if not chosen:
        raise MethodError(unknown("method", name, [e.name for e in entries], hint="`crossaisle methods` lists all."))
    if output.json:
        emit([_document(e) | {"options": _options(e), "example": example(e)} for e in chosen])
        return
    for entry in chosen:
        _show(entry)


def all_methods() -> list[Entry]:
    """Every registered method, fusion first, then controls, then transfer."""
    from .. import api  # noqa: F401 - importing registers the methods
    from ..fusion.method import FUSIONS
    from ..transfer.method import METHODS

    fused = [Entry(n, "fusion", m.needs, m.paper, m.summary, m.options, m.when, m.cost) for n, m in FUSIONS]
    carried = [
        Entry(
            n,
            "control" if m.control else "transfer",
            m.needs,
            m.paper,
            m.summary,
            m.options,
            m.when,
            m.cost,
            m.reads_base,
        )
        for n, m in METHODS
    ]
    return [*fused, *sorted(carried, key=lambda e: e.kind)]


def example(entry: Entry) -> str:
    """A command that uses the method, with one option spelled out where it has any."""
    shown = next((f" -o {o['name']}={_toml(o['default'])}" for o in _options(entry) if o["default"] is not None), "")
    if entry.kind == "fusion":
        return f"crossaisle fuse shop/ --out base --method {entry.name}{shown}"
    base = " --base base" if entry.reads_base else ""
    return f"crossaisle transfer shop/ --target bakery --method {entry.name}{base} --out bakery{shown}"


def _list(entries: list[Entry], output: Output) -> None:
    if output.json:
        emit([_document(e) for e in entries])
        return
    rows = [(e.name, e.kind, e.cost, ", ".join(e.needs), e.paper, e.summary) for e in entries]
    table("", ["name", "kind", "cost", "needs", "paper or formula", "what it does"], rows)
    print("cost: training on the demo with two cores takes seconds (low), up to 2 minutes (medium), up to 15 (high)")


def _show(entry: Entry) -> None:
    print(f"{entry.name} ({entry.kind}): {entry.summary}\npaper: {entry.paper}\nneeds: {', '.join(entry.needs) or '-'}")
    print(f"cost: {entry.cost}\nwhen to use it: {entry.when or '-'}")
    rows = [(o["name"], o["type"], _toml(o["default"]), o["searched"], o["help"]) for o in _options(entry)]
    if rows:
        table("", ["option", "type", "default", "with --budget", "meaning"], rows)
    print(f"example: {example(entry)}")


def _document(entry: Entry) -> dict[str, Any]:
    shown = ("name", "kind", "cost", "needs", "paper", "when", "summary")
    return {name: getattr(entry, name) for name in shown}


def _options(entry: Entry) -> list[dict[str, Any]]:
    """What `config.describe` says, and among which values an option is searched (None: it is not)."""
    found: Mapping[str, Any] = getattr(entry.options, "search", {})
    return [
        {"name": n, "type": t, "default": d, "help": h, "searched": _among(found[n]) if n in found else None}
        for n, t, d, h in _rows(entry.options)
    ]


def _among(values: Any) -> str:
    if not isinstance(values, tuple):
        return str(values)
    return ", ".join("none" if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _rows(options: type) -> Iterator[tuple[str, str, Any, str]]:
    """Names, types, defaults and documentation; options of a part are spelled ``part.option``."""
    for name, kind, default, text in describe(options):
        if dataclasses.is_dataclass(default):
            yield from ((f"{name}.{n}", *rest) for n, *rest in _rows(type(default)))
        elif not name.startswith("_"):
            yield name, kind, default, text.replace("``", "")


def _toml(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return "[" + ",".join(_toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    return str(value)
