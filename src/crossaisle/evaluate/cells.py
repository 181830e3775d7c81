"""Cells: what one method found at one step under one seed, kept on disk so that a study can be resumed."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..data.fingerprint import of_tables
from ..data.splits.base import moment
from ..data.world import World
from ..files import write_whole
from .costs import Costs
from .slices import Key, UserValues
from .spec import Entry, Study
from .steps import Step


@dataclass(frozen=True, eq=False)
class Cell:
    """What one method found at one step under one seed.

    Attributes:
        label: of the method.
        step: how much of the target was seen.
        seed: of the method, and of the split where it is random.
        values: (slice, metric, k) → values per user; empty when the method was skipped.
        costs: None when the method was skipped.
        skipped: why the method could not run here, in a sentence; empty when it did.
        tuning: what the search of its options found, see `search.Tuned`; empty without a budget.
    """

    label: str
    step: Step
    seed: int
    values: Mapping[Key, UserValues] = field(default_factory=dict)
    costs: Costs | None = None
    skipped: str = ""
    tuning: Mapping[str, Any] = field(default_factory=dict)


def world_mark(world: World) -> str:
    """The World's fingerprint, made now where it has none."""
    vocabularies = (world.user_ids, world.item_ids, world.domains, world.events)
    return world.fingerprint or of_tables((world.interactions, world.items, world.users), vocabularies)


def study_parts(study: Study) -> dict[str, Any]:
    """What of a study decides a single number: not its list of steps, its seeds, or what ships."""
    others = ("weeks", "shots", "seeds", "ship")
    parts = {k: v for k, v in dataclasses.asdict(study).items() if k not in others}
    if study.budget is None:
        del parts["budget"]  # cells of studies from before there were budgets stay good
    return parts | {"cut": None if study.cut is None else moment(study.cut).isoformat()}


def key_of(mark: str, parts: Mapping[str, Any], entry: Entry, step: Step, seed: int) -> str:
    """File name of a cell: equal names, equal numbers.

    The text of the method's own file is part of it, so that a changed or third-party method is never mistaken.
    """
    code = [source_of(entry.method.fit)] + ([source_of(entry.fusion.fit)] if entry.fusion else [])
    whole = [mark, dict(parts), entry.described(), dataclasses.asdict(step), seed, __version__, code]
    return f"{entry.method.name}-{digest_of(whole)}"


def digest_of(value: Any) -> str:
    """24 hex digits of JSON-able `value`."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def source_of(function: Any) -> str:
    """Hash of the file that `function` is in; empty where it has none."""
    try:
        return digest_of(inspect.getsource(inspect.getmodule(function) or function))
    except (OSError, TypeError):
        return ""


def save_cell(folder: Path, key: str, cell: Cell) -> None:
    """Write `cell`, arrays first: the JSON beside them says that they are whole.

    Raises:
        StorageError: the disk refused.
    """
    arrays: dict[str, Any] = {}
    for (name, metric, k), found in cell.values.items():
        arrays[f"{name}|{metric}|{k}"] = found.values
        arrays[f"{name}|users"] = found.users
    costs = None if cell.costs is None else dataclasses.asdict(cell.costs)
    about = {"step": dataclasses.asdict(cell.step), "seed": cell.seed, "costs": costs, "skipped": cell.skipped}
    write_arrays(folder, key, arrays, about | ({"tuning": dict(cell.tuning)} if cell.tuning else {}))


def load_cell(folder: Path, key: str, label: str) -> Cell | None:
    """The cell `key` under `label`, or None where it is not there or damaged, so that it is run again."""
    try:
        stored, about = read_arrays(folder, key)
        values = {}
        for name, array in stored.items():
            part, *rest = name.split("|")
            if len(rest) == 2:
                values[part, rest[0], int(rest[1])] = UserValues(stored[f"{part}|users"], array)
        costs = None if about["costs"] is None else Costs(**about["costs"])
        return Cell(
            label, Step(**about["step"]), about["seed"], values, costs, about["skipped"], about.get("tuning", {})
        )
    except UNREADABLE:
        return None


UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)
"""What `read_arrays`, or the use of what it gives, raises for a cell that is not there or damaged."""


def write_arrays(folder: Path, key: str, arrays: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """``KEY.npz``, then ``KEY.json``, which says that both are whole.

    Raises:
        StorageError: the disk refused.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_whole(folder / f"{key}.npz", buffer.getvalue())
    write_whole(folder / f"{key}.json", (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode())


def kept_array(folder: Path, key: str, name: str) -> Any:
    """Array `name` of what `write_arrays` wrote; None where it is not there or damaged, so that it is made again."""
    try:
        return read_arrays(folder, key)[0][name]
    except UNREADABLE:
        return None


def read_arrays(folder: Path, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inverse of `write_arrays`; raises one of `UNREADABLE`."""
    about = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
    # Opened here, as NumPy leaves a damaged file open.
    with (folder / f"{key}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}, about
