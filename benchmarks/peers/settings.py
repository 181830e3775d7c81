"""Who is asked, in which environment, with which settings: three each, the library's default first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PEERS, RECBOLE, OURS = ".venv-peers", ".venv-peers-recbole", ""


@dataclass(frozen=True)
class Asked:
    """One method.

    Attributes:
        name: as `libraries.LIBRARIES` or crossaisle knows it.
        home: folder of its environment; empty for crossaisle's own.
        settings: the default first, which is what ``{}`` says; the best on validation is judged as well.
    """

    name: str
    home: str
    settings: tuple[dict[str, Any], ...]


def _ways(**values: tuple[Any, ...]) -> tuple[dict[str, Any], ...]:
    """The default, then one setting for each place of `values`."""
    return ({}, *(dict(zip(values, way, strict=True)) for way in zip(*values.values(), strict=True)))


ASKED = (
    Asked("implicit als", PEERS, _ways(
        factors=(16, 128), alpha=(10.0, 40.0), regularization=(10.0, 200.0))),
    Asked("implicit bpr", PEERS, _ways(
        factors=(32, 64), learning_rate=(0.05, 0.02), regularization=(0.01, 0.01))),
    Asked("implicit cosine", PEERS, _ways(K=(500, 2000))),
    Asked("lenskit item knn", PEERS, _ways(max_nbrs=(100, 500))),
    Asked("lenskit user knn", PEERS, _ways(max_nbrs=(100, 500))),
    Asked("lenskit implicit mf", PEERS, _ways(
        embedding_size=(16, 128), weight=(10.0, 40.0), regularization=(10.0, 200.0))),
    Asked("popularity", OURS, _ways(unit=("events", "users"))),
    Asked("item_knn", OURS, _ways(neighbours=(1000, 1000), similarity=("cosine", "iou"), shrink=(0.0, 0.0))),
    Asked("ease", OURS, _ways(regularization=(1000.0, 3000.0))),
    Asked("als", OURS, _ways(
        factors=(16, 128), alpha=(10.0, 40.0), regularization=(10.0, 200.0), weight=("count", "count"))),
    Asked("lenskit ease", PEERS, _ways(regularization=(300.0, 1000.0))),
    Asked("cornac ease", PEERS, _ways(lamb=(300.0, 1000.0))),
    Asked("als_mix", OURS, _ways(alpha=(40.0, 40.0), regularization=(50.0, 100.0), weight=("count", "count"))),
    Asked("recbole lightgcn", RECBOLE, ({},)),
)  # fmt: skip
"""In order of haste: what takes long, or more memory than there is, comes last."""
