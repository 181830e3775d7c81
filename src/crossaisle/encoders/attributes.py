"""Attributes of items or users: numbers on a common scale, and codes of levels that a network can embed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from ..types import Codes, Floats, Tensors
from .method import ENCODERS, Bools

Doubles = npt.NDArray[np.float64]

_NOT_ATTRIBUTES = frozenset({"item", "item_id", "user", "user_id", "domain", "title", "description", "image"})
_RANKED = "price"
_QUANTILES = 101
_ANY = "*"
_NO_SPREAD = 1e-9


@dataclass(frozen=True, eq=False)
class AttributeEncoder:
    """Attribute columns → numbers (n, p), codes of levels (n, c) and a mask. Make one with `fit`.

    ``price`` becomes its rank within its domain, −1 (cheapest) to 1, so that a dear yoghurt and a dear television are
    alike; rows of a domain that `fit` did not see are ranked among all. Other numbers x become sign(x) log(1 + |x|),
    standardised, and their rank within the domain stands beside them. Each number has a companion that is 1 where it is
    missing (and the number 0). Levels of text columns become codes from 1; 0 stands for missing and for levels that
    `fit` did not see.

    Attributes:
        numbers: names of numeric columns; column 2j of the vectors is number j, column 2j + 1 says it is missing; the
            ranks of all but the price follow.
        centre: (numbers,) mean after the logarithm; 0 for the price.
        scale: (numbers,) standard deviation after the logarithm; 1 for the price.
        quantiles: number → domain → its sorted quantiles there; ``"*"`` for all domains.
        words: text column → sorted hashes (int64) of its levels.
    """

    name: ClassVar[str] = "attributes"

    numbers: tuple[str, ...]
    centre: Doubles
    scale: Doubles
    quantiles: Mapping[str, Mapping[str, Doubles]]
    words: Mapping[str, Codes]

    @classmethod
    def fit(cls, rows: pl.DataFrame, *, max_levels: int = 10_000, min_rows: int = 2) -> Self:
        """Learn scales and levels from item rows or user rows.

        Args:
            rows: attribute columns, and ``domain`` (names, or codes of one World) for items. Identifiers, titles,
                descriptions and images are not attributes.
            max_levels: text columns keep so many of their commonest levels.
            min_rows: levels in fewer rows say nothing about other rows and are left out.
        """
        kinds = {c: t for c, t in rows.schema.items() if c not in _NOT_ATTRIBUTES}
        values = {c: _numbers(rows, c) for c, t in kinds.items() if t.is_numeric() or t.is_decimal()}
        values = {c: v for c, v in values.items() if np.isfinite(v).any()}
        words = {c: _levels(rows[c], max_levels, min_rows) for c, t in kinds.items() if _is_text(t)}
        centre, scale = np.zeros(len(values)), np.ones(len(values))
        for j, (column, value) in enumerate(values.items()):
            if column != _RANKED:
                logs = _signed_log(value[np.isfinite(value)])
                centre[j], spread = logs.mean(), logs.std()
                scale[j] = spread if spread > _NO_SPREAD else 1.0
        quantiles = {c: _quantiles(v, _domains(rows)) for c, v in values.items()}
        return cls(tuple(values), centre, scale, quantiles, {c: w for c, w in words.items() if len(w)})

    @property
    def dim(self) -> int:
        """Width p of the numeric vectors."""
        return 2 * len(self.numbers) + len(self._ranked)

    @property
    def _ranked(self) -> tuple[str, ...]:
        """Numbers whose rank stands beside them."""
        return tuple(c for c in self.numbers if c != _RANKED)

    @property
    def sizes(self) -> tuple[int, ...]:
        """(c,) how many codes each column of `levels` has, 0 included: rows of its embedding table."""
        return tuple(len(hashes) + 1 for hashes in self.words.values())

    def encode(self, items: pl.DataFrame) -> tuple[Floats, Bools]:
        """Numeric vectors (n, p) and a mask (n,) of rows with at least one known number or level."""
        vectors = np.zeros((len(items), self.dim), dtype=np.float32)
        domains, after = _domains(items), 2 * len(self.numbers)
        for j, column in enumerate(self.numbers):
            value = _numbers(items, column)
            missing = ~np.isfinite(value)
            rank = np.where(missing, 0.0, _ranks(value, domains, self.quantiles[column]))
            scaled = rank if column == _RANKED else (_signed_log(value) - self.centre[j]) / self.scale[j]
            vectors[:, 2 * j] = np.where(missing, 0.0, scaled)
            vectors[:, 2 * j + 1] = missing
            if column != _RANKED:
                vectors[:, after + self._ranked.index(column)] = rank
        known = (vectors[:, 1:after:2] == 0).any(axis=1) | (self.levels(items) > 0).any(axis=1)
        return vectors, known

    def levels(self, items: pl.DataFrame) -> Codes:
        """Codes (n, c) of the text columns; 0 where missing or not seen by `fit`."""
        codes = np.zeros((len(items), len(self.words)), dtype=np.int64)
        for j, (column, hashes) in enumerate(self.words.items()):
            if column in items.columns:
                codes[:, j] = _code(items[column], hashes)
        return codes

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """See `Encoder.state`."""
        tensors: Tensors = {"centre": self.centre, "scale": self.scale}
        tensors |= {f"words.{j}": w for j, w in enumerate(self.words.values())}
        domains = {c: list(marks) for c, marks in self.quantiles.items()}
        for j, marks in enumerate(self.quantiles.values()):
            tensors[f"quantiles.{j}"] = np.stack(list(marks.values()))
        return tensors, {"numbers": list(self.numbers), "domains": domains, "words": list(self.words)}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """See `Encoder.restore`."""
        quantiles = {
            column: dict(zip(domains, tensors[f"quantiles.{j}"], strict=True))
            for j, (column, domains) in enumerate(meta["domains"].items())
        }
        words = {name: tensors[f"words.{j}"] for j, name in enumerate(meta["words"])}
        return cls(tuple(meta["numbers"]), tensors["centre"], tensors["scale"], quantiles, words)


def _is_text(kind: pl.DataType) -> bool:
    return kind in (pl.String, pl.Categorical, pl.Enum, pl.Boolean)


def _numbers(rows: pl.DataFrame, column: str) -> Doubles:
    """(n,) values; not finite where missing or not a number."""
    if column not in rows.columns:
        return np.full(len(rows), np.nan)
    return rows[column].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def _signed_log(value: Doubles) -> Doubles:
    return np.sign(value) * np.log1p(np.abs(value))


def _domains(rows: pl.DataFrame) -> npt.NDArray[np.str_]:
    if "domain" not in rows.columns:
        return np.full(len(rows), _ANY)
    return rows["domain"].cast(pl.String).fill_null(_ANY).to_numpy().astype(np.str_)


def _quantiles(value: Doubles, domains: npt.NDArray[np.str_]) -> dict[str, Doubles]:
    finite = np.isfinite(value)
    grid = np.linspace(0, 1, _QUANTILES)
    found = {_ANY: np.quantile(value[finite], grid)}
    for domain in np.unique(domains[finite]):
        found.setdefault(str(domain), np.quantile(value[finite & (domains == domain)], grid))
    return found


def _ranks(value: Doubles, domains: npt.NDArray[np.str_], quantiles: Mapping[str, Doubles]) -> Doubles:
    """(n,) middle rank among the quantiles of the row's domain, −1 to 1."""
    ranks = np.zeros(len(value))
    for domain in np.unique(domains):
        here = domains == domain
        marks = quantiles.get(str(domain), quantiles[_ANY])
        below, upto = (np.searchsorted(marks, value[here], side) for side in ("left", "right"))
        ranks[here] = (below + upto) / len(marks) - 1.0
    return ranks


def _plain(column: pl.Series) -> pl.Series:
    text = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    return text.set(text == "", None).alias("level")


def hashes_of(levels: pl.Series) -> Codes:
    """(n,) int64 hashes of `levels`, in their order."""
    digests = (hashlib.blake2b(level.encode(), digest_size=8).digest() for level in levels)
    return np.frombuffer(b"".join(digests), dtype="<i8").astype(np.int64)


def _levels(column: pl.Series, most: int, min_rows: int) -> Codes:
    counts = _plain(column).drop_nulls().value_counts(name="rows").filter(pl.col("rows") >= min_rows)
    kept = counts.sort("rows", "level", descending=[True, False])["level"].head(most)
    return np.sort(hashes_of(kept))


def _code(column: pl.Series, hashes: Codes) -> Codes:
    text = _plain(column)
    distinct = text.drop_nulls().unique()
    found = hashes_of(distinct)
    place = np.searchsorted(hashes, found)
    seen = hashes[np.minimum(place, len(hashes) - 1)] == found
    table = pl.DataFrame({"level": distinct, "code": np.where(seen, place + 1, 0)}, schema_overrides={"code": pl.Int64})
    joined = text.to_frame().join(table, on="level", how="left", maintain_order="left")
    return joined["code"].fill_null(0).to_numpy()


ENCODERS.add(AttributeEncoder.name, AttributeEncoder)
