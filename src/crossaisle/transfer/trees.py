"""Trees: a gradient-boosted ranker by LightGBM, kept as its own text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..errors import MethodError
from ..types import Doubles, Floats


@dataclass(frozen=True)
class Trees:
    """A trained ranker.

    Attributes:
        text: the model in LightGBM's own format; reading it runs no code.
    """

    text: str

    @cached_property
    def model(self) -> Any:
        """LightGBM's booster."""
        return _lightgbm().Booster(model_str=self.text)

    def predict(self, features: Floats) -> Floats:
        """(n, m) scores of (n, m, f) features."""
        flat = features.reshape(-1, features.shape[2])
        return np.asarray(self.model.predict(flat), dtype=np.float32).reshape(features.shape[:2])

    def to_bytes(self) -> npt.NDArray[np.uint8]:
        """The text as an array, for `Scorer.state`."""
        return np.frombuffer(self.text.encode(), dtype=np.uint8).copy()

    @classmethod
    def from_bytes(cls, stored: npt.NDArray[np.uint8]) -> Self:
        """The inverse of `to_bytes`."""
        return cls(stored.tobytes().decode())


def fit_trees(lists: Sequence[Floats], trees: int, seed: int) -> Trees:
    """Learn to put the first item of each list above the others.

    Args:
        lists: blocks of (n, m, f) features of n lists; n and m may differ from block to block.
        trees: how many.
        seed: of the samples that trees are grown on.

    Raises:
        MethodError: LightGBM is not installed.
    """
    lightgbm = _lightgbm()
    flat = np.concatenate([block.reshape(-1, block.shape[2]) for block in lists])
    group = np.concatenate([np.full(block.shape[0], block.shape[1]) for block in lists])
    wanted = np.zeros(len(flat), dtype=np.int8)
    wanted[np.cumsum(group) - group] = 1
    data = lightgbm.Dataset(flat, wanted, group=group)
    made = lightgbm.train(PARAMETERS | {"seed": seed}, data, trees)
    return Trees(made.model_to_string())


def regression(
    known: Floats, shares: Doubles, weights: Doubles, asked: Floats, trees: int, forests: int, seed: int
) -> Doubles:
    """(m,) expected shares of rows `asked`: the mean over forests of a Poisson regression.

    Args:
        known: (n, f) facts of rows whose share is known.
        shares: (n,) ≥ 0.
        weights: (n,) of the rows.
        asked: (m, f) facts.
        trees: of each forest.
        forests: how many, each with another seed.
        seed: of the samples that trees are grown on.

    Raises:
        MethodError: LightGBM is not installed.
    """
    lightgbm = _lightgbm()
    data = lightgbm.Dataset(known, shares, weight=weights / weights.mean())
    how = _SAMPLED | {"objective": "poisson", "min_data_in_leaf": int(np.clip(len(known) // 100, 5, 50))}
    made = [lightgbm.train(how | {"seed": seed + n}, data, trees) for n in range(forests)]
    found: Doubles = np.mean([model.predict(asked) for model in made], axis=0)
    return found


_SAMPLED: dict[str, Any] = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 63,
    "lambda_l2": 10.0,
    "num_threads": 0,  # as many as OMP_NUM_THREADS allows; the outcome is the same
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
PARAMETERS = _SAMPLED | {"objective": "lambdarank", "lambdarank_truncation_level": 20}


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise MethodError("trees need LightGBM, which is not installed: pip install 'crossaisle[experts]'.") from error
    return lightgbm
