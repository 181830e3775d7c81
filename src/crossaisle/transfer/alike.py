"""Items alike: similarity by the attributes and title words that items share, without training."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..types import Codes, Floats
from .common import best_per_row

NOT_ATTRIBUTES = ("item", "item_id", "domain", "title", "description", "image", "currency")
COMMON = 0.3
"""Levels and words that this share of the items or more have tell nothing apart and are left out."""
_BLOCK = 1024


def alike(items: pl.DataFrame, power: float, neighbours: int) -> sp.csr_matrix:
    """Similarity of items by what they have in common.

    sim(i, j) = Σ_f idf_f [i has f][j has f], divided by its value for i with itself and j with itself (cosine), to the
    power `power`. Features f are the levels of text attributes and the words of titles; idf_f = log(items / items
    with f).

    Args:
        items: (m,) rows with text attributes and ``title``.
        power: above 1, near ones count more.
        neighbours: most similar items kept for each.

    Returns:
        (m, m) CSR float32, diagonal 1.
    """
    made = similarity(items, np.arange(len(items)), power, neighbours + 1)
    lacking = sp.diags((made.diagonal() == 0).astype(np.float32))  # items without any feature are like themselves
    return (made + lacking).tocsr().astype(np.float32)


def similarity(items: pl.DataFrame, rows: Codes, power: float, neighbours: int) -> sp.csr_matrix:
    """(rows, m) CSR float32, `alike`'s similarity of the items in `rows` to all, the `neighbours` greatest of each."""
    features = shared_features(items)
    length = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    unit = (sp.diags(1.0 / np.maximum(length, 1e-9)) @ features).tocsr().astype(np.float32)
    parts, others = [sp.csr_matrix((0, len(items)), dtype=np.float32)], unit.T.tocsr()
    for start in range(0, len(rows), _BLOCK):
        near = (unit[rows[start : start + _BLOCK]] @ others).tocsr()
        near.data = near.data.clip(0.0, 1.0) ** power
        parts.append(best_per_row(near, neighbours))
    return sp.vstack(parts).tocsr().astype(np.float32)


def share_of(near: sp.csr_matrix, sold: Floats) -> Floats:
    """(m,) share of an item in its company: q_i / Σ_j K_ij q_j with q = `sold` + ½.

    With it the scores s of a user become s'_i = share_i · Σ_j K_ij s_j: few events say little of an item but more of
    its kind, and within a kind the better seller comes first.

    Args:
        near: (m, m) CSR similarities K.
        sold: (m,) how many people have each item.
    """
    weight = sold + 0.5
    share: Floats = (weight / np.maximum(near @ weight, 1e-9)).astype(np.float32)
    return share


def features_of(items: pl.DataFrame) -> pl.DataFrame:
    """What each item has, once: ``row`` in `items`, and ``feature``: a level of a text attribute, or a title word."""
    rows = items.with_row_index("row")
    texts = [c for c, kind in items.schema.items() if kind in (pl.String, pl.Categorical) and c not in NOT_ATTRIBUTES]
    parts = [rows.select("row", feature=pl.lit(f"{c}=") + pl.col(c).cast(pl.String).str.to_lowercase()) for c in texts]
    if "title" in items.columns:
        tokens = pl.col("title").str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]{2,}")
        parts.append(rows.select("row", feature=tokens).explode("feature"))
    empty = pl.DataFrame(schema={"row": pl.UInt32, "feature": pl.String})
    return pl.concat(parts).drop_nulls().unique() if parts else empty


def shared_features(items: pl.DataFrame) -> sp.csr_matrix:
    """(m, features) CSR √idf of what each item has."""
    counted = (
        features_of(items)
        .with_columns(n=pl.len().over("feature"))
        .filter((pl.col("n") > 1) & (pl.col("n") < COMMON * len(items)))
    )
    codes = counted["feature"].rank("dense").to_numpy().astype(np.int64) - 1 if len(counted) else np.zeros(0, np.int64)
    idf = np.sqrt(np.log(len(items) / counted["n"].to_numpy())) if len(counted) else np.zeros(0)
    width = int(codes.max()) + 1 if len(codes) else 1
    return sp.csr_matrix((idf, (counted["row"].to_numpy().astype(np.int64), codes)), shape=(len(items), width))
