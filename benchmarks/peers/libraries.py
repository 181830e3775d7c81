"""The other libraries behind one signature: (matrix, settings) → (users, columns) → scores.

The matrix (users, items) CSR holds how often each person had each item, in all domains; `users` (n,) are rows of it and
`columns` (n, m) the items to score. Libraries get what they can read of it: implicit the counts, the others pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
Fit = Callable[[sp.csr_matrix, dict[str, Any]], Score]
_BLOCK = 256


def by_vectors(users: np.ndarray, items: np.ndarray) -> Score:
    """Inner products."""
    return lambda asked, columns: np.einsum("nf,nmf->nm", users[asked], items[columns])


def by_similarity(matrix: sp.csr_matrix, similarity: Any) -> Score:
    """Sums of similarities (items, items), sparse or not, to what the person has."""

    def score(asked: np.ndarray, columns: np.ndarray) -> np.ndarray:
        found = matrix[asked] @ similarity
        whole = found.toarray() if sp.issparse(found) else np.asarray(found)
        return np.take_along_axis(whole, columns, axis=1)

    return score


def implicit_als(matrix: sp.csr_matrix, settings: dict[str, Any]) -> Score:
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(**settings, num_threads=1, random_state=0)
    model.fit(matrix, show_progress=False)
    return by_vectors(model.user_factors, model.item_factors)


def implicit_bpr(matrix: sp.csr_matrix, settings: dict[str, Any]) -> Score:
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(**settings, num_threads=1, random_state=0)
    model.fit(matrix, show_progress=False)
    return by_vectors(model.user_factors, model.item_factors)


def implicit_cosine(matrix: sp.csr_matrix, settings: dict[str, Any]) -> Score:
    from implicit.nearest_neighbours import CosineRecommender

    model = CosineRecommender(**settings, num_threads=1)
    model.fit(matrix, show_progress=False)
    return by_similarity(matrix, model.similarity)


def lenskit_by(name: str, **usual: Any) -> Fit:
    """A scorer of LensKit, asked person by person as its pipelines do."""

    def fit(matrix: sp.csr_matrix, settings: dict[str, Any]) -> Score:
        import pandas as pd
        from lenskit import als, knn
        from lenskit.data import ItemList, RecQuery, from_interactions_df
        from lenskit.training import TrainingOptions

        users, items = matrix.nonzero()
        data = from_interactions_df(pd.DataFrame({"user_id": users, "item_id": items}))
        model = getattr(knn, name, None) or getattr(als, name)
        scorer = model(**usual, **settings)
        scorer.train(data, TrainingOptions(rng=0))

        def score(asked: np.ndarray, columns: np.ndarray) -> np.ndarray:
            queries = (RecQuery(user_id=int(u), user_items=data.user_row(int(u))) for u in asked)
            found = [scorer(q, ItemList(item_ids=c)).scores() for q, c in zip(queries, columns, strict=True)]
            return np.nan_to_num(np.stack(found), nan=-np.inf, posinf=np.inf, neginf=-np.inf)

        return score

    return fit


def cornac_ease(matrix: sp.csr_matrix, settings: dict[str, Any]) -> Score:
    from cornac.data import Dataset
    from cornac.models import EASE

    users, items = matrix.nonzero()
    data = Dataset.from_uir(list(zip(users.tolist(), items.tolist(), [1.0] * len(users), strict=True)), seed=0)
    model = EASE(**settings, posB=False, verbose=False)
    model.fit(data)
    inner = np.full(matrix.shape[1], -1, dtype=np.int64)
    inner[list(data.iid_map)] = list(data.iid_map.values())
    row_of = data.uid_map

    def score(asked: np.ndarray, columns: np.ndarray) -> np.ndarray:
        found = np.stack([model.score(row_of[u]) for u in asked.tolist()])
        places = inner[columns]
        return np.where(places < 0, -np.inf, np.take_along_axis(found, np.maximum(places, 0), axis=1))

    return score


LIBRARIES: dict[str, Fit] = {
    "implicit als": implicit_als,
    "implicit bpr": implicit_bpr,
    "implicit cosine": implicit_cosine,
    "lenskit item knn": lenskit_by("ItemKNNScorer", feedback="implicit"),
    "lenskit user knn": lenskit_by("UserKNNScorer", feedback="implicit"),
    "lenskit implicit mf": lenskit_by("ImplicitMFScorer"),
    "lenskit ease": lenskit_by("EASEScorer"),
    "cornac ease": cornac_ease,
}
