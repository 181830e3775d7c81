"""Trees: a gradient-boosted ranker by LightGBM, kept as its own text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..errors import MethodError
from ..types import Floats


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
        return np.asarray(self.model.predict(flat, num_threads=1), dtype=np.float32).reshape(features.shape[:2])

    def to_bytes(self) -> npt.NDArray[np.uint8]:
        """The text as an array, for `Scorer.state`."""
        return np.frombuffer(self.text.encode(), dtype=np.uint8).copy()

    @classmethod
    def from_bytes(cls, stored: npt.NDArray[np.uint8]) -> Self:
        """The inverse of `to_bytes`."""
        return cls(stored.tobytes().decode())


def fit_trees(features: Floats, trees: int, seed: int) -> Trees:
    """Learn to put the first item of each list above the others.

    Args:
        features: (n, m, f) of n lists.
        trees: how many.
        seed: of the samples that trees are grown on.

    Raises:
        MethodError: LightGBM is not installed.
    """
    lightgbm = _lightgbm()
    n, m, width = features.shape
    wanted = np.zeros((n, m), dtype=np.int8)
    wanted[:, 0] = 1
    data = lightgbm.Dataset(features.reshape(-1, width), wanted.ravel(), group=np.full(n, m))
    made = lightgbm.train(PARAMETERS | {"seed": seed}, data, trees)
    return Trees(made.model_to_string())


PARAMETERS: dict[str, Any] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 20,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise MethodError("stack needs LightGBM, which is not installed: pip install crossaisle[experts].") from error
    return lightgbm
