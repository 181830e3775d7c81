"""Forgetting people: a recommender, and its folder, without the ids and histories of those who asked to leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..data.vocab import Vocab
from ..recommender import Recommender
from ..types import Codes, History


def without_users(shop: Recommender, users: Sequence[str]) -> Recommender:
    """`shop` without the ids and histories of `users`; itself where it has none of them.

    A random word takes the place of an id, so that the codes of the others stay what they are. Weights that were
    learned from these people stay until the next training.
    """
    codes = np.unique(shop.user_ids.encode(list(users)))
    codes = codes[codes >= 0]
    if not len(codes):
        return shop
    words = pl.Series([f"erased-{uuid4().hex}" for _ in codes], dtype=pl.String)
    ids = shop.user_ids.ids.clone().scatter(codes, words)
    return replace(shop, user_ids=Vocab(ids), history=_emptied(shop, codes))


def forget_in(folder: Path, users: Sequence[str]) -> bool:
    """Write the recommender of `folder` anew without `users`, whole or not at all; whether it had any of them.

    Raises:
        ArtifactError: there is none, or it is damaged.
        StorageError: the disk refused; the folder is as it was.
    """
    shop = Recommender.load(folder)
    kept = without_users(shop, users)
    if kept is shop:
        return False
    kept.save(folder)
    return True


def _emptied(shop: Recommender, codes: Codes) -> History:
    counts = shop.history.counts
    gone = np.zeros(counts.shape[0], dtype=np.bool_)
    gone[codes] = True
    lengths = np.diff(counts.indptr)
    keep = ~np.repeat(gone, lengths)
    ends = np.concatenate([[0], np.cumsum(np.where(gone, 0, lengths))])
    fewer = sp.csr_matrix((counts.data[keep], counts.indices[keep], ends), shape=counts.shape)
    return replace(shop.history, counts=fewer, ages=shop.history.ages[keep])
