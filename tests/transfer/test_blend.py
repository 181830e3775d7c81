"""Blend: never far below its best part, weights that sum to one, and what it says of itself."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from launch_worlds import fitted, fused, launch, made, quality

from crossaisle.errors import MethodError
from crossaisle.recommender import SCORERS
from crossaisle.testing_world import tiny_problem, without
from crossaisle.transfer.blend_weights import held_out
from crossaisle.transfer.padded import Padded
from crossaisle.types import Floats, History

PARTS = ("zero_shot", "popularity", "als", "user_kernel")


@pytest.mark.parametrize("weeks", [2, 8])
@pytest.mark.parametrize("options", [{}, {"conflict": 1.0}, {"shared": 0.0}], ids=["shared", "conflict", "unrelated"])
def test_it_is_never_far_below_its_best_part(options: dict[str, Any], weeks: int) -> None:
    problem = launch(made(**options), weeks)
    base = fused(problem.world, weeks)
    blend = fitted(problem, "blend", base, parts=PARTS)
    for of in ("new", "all"):
        alone = [quality(problem, fitted(problem, name, base), of).mean() for name in PARTS]
        assert quality(problem, blend, of).mean() > 0.85 * max(alone), (of, alone, blend.facts["weights"])


def test_it_gains_from_parts_that_know_different_things() -> None:
    problem = launch(made(), 2)
    base = fused(problem.world, 2)
    blend = quality(problem, fitted(problem, "blend", base, parts=PARTS)).mean()
    assert blend > quality(problem, fitted(problem, "popularity")).mean() * 1.5


def test_weights_sum_to_one_and_facts_tell_them() -> None:
    problem = launch(made(), 2)
    blend = fitted(problem, "blend", fused(problem.world, 2), parts=PARTS)
    assert blend.scorer.weights.sum() == pytest.approx(1)
    assert (blend.scorer.weights > 0).all()
    assert sum(blend.facts["weights"].values()) == pytest.approx(1, abs=0.01)
    assert set(blend.facts["validation_ndcg"]) == set(PARTS)
    assert blend.facts["validation_users"] > 100
    json.dumps(dict(blend.facts))


def test_restored_it_scores_the_same_bit_for_bit() -> None:
    problem = launch(made(), 2)
    blend = fitted(problem, "blend", fused(problem.world, 2), parts=PARTS)
    tensors, meta = blend.scorer.state()
    again = SCORERS.get("blend").restore(tensors, json.loads(json.dumps(meta)))
    assert np.array_equal(blend.scorer.score(problem.history), again.score(problem.history))


def test_parts_whose_needs_are_not_met_are_left_out_and_named() -> None:
    problem = without(tiny_problem(weeks=0), "warm_items")
    blend = fitted(problem, "blend", None, parts=PARTS)
    assert set(blend.facts["left_out"]) == {"zero_shot", "als", "user_kernel"}
    assert blend.facts["weights"] == {"popularity": 1.0}
    with pytest.raises(MethodError, match=r"no usable part: .*needs target_interactions"):
        fitted(problem, "blend", None, parts=("als",))
    with pytest.raises(MethodError, match="als"):
        fitted(problem, "blend", None, parts=("alz",))


def test_without_a_part_that_reads_content_new_items_are_refused() -> None:
    shop = fitted(tiny_problem(), "blend", None, parts=("popularity", "als"))
    with pytest.raises(MethodError, match="add zero_shot or finetune"):
        shop.with_items(pl.DataFrame({"item_id": ["new"], "title": ["x"]}))


def test_a_part_that_cannot_know_new_items_reads_the_old_ones_with_their_ages() -> None:
    class Ages:
        kind = "ages"

        def score(self, history: History) -> Floats:
            assert len(history.ages) == history.counts.nnz
            return np.tile(history.ages.sum(), (len(history), 3)).astype(np.float32)

    counts = sp.csr_matrix(np.array([[1.0, 0, 1], [0, 0, 1]], dtype=np.float32))
    history = History(counts, np.array([5, 7, 9], dtype=np.float32), np.array([0, 1]))
    assert Padded(Ages(), 1).score(history).tolist() == [[5.0] * 4] * 2  # type: ignore[arg-type]


def test_a_large_catalogue_is_judged_by_some_of_the_people(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = tiny_problem()
    whole = held_out(problem, 0, 2)
    monkeypatch.setattr("crossaisle.transfer.blend_weights.SCORES", 7 * len(problem.catalogue) + 1)
    few = held_out(problem, 0, 2)
    assert len(few.users) == few.relevant.shape[0] == few.known.shape[0] == 7
    assert set(few.users) < set(whole.users)
    assert few.problem.split.train.equals(whole.problem.split.train)


def test_before_the_first_sale_it_is_whom_an_item_suits_and_what_will_sell(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = launch(made(shared=0.0), 0)
    base = fused(problem.world, 0)
    blend = fitted(problem, "blend", base, parts=("zero_shot", "item_prior", "popularity"))
    assert blend.facts["weights"] == {"zero_shot": 0.5, "item_prior": 0.5}
    assert blend.scorer.basis == "content"
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    alone = fitted(problem, "blend", base, parts=("zero_shot", "item_prior", "popularity"))
    assert alone.facts["weights"] == {"zero_shot": 1.0}
    assert "pip install" in alone.facts["left_out"]["item_prior"]
    nothing = fitted(problem, "blend", None, parts=("item_prior", "popularity"))
    assert nothing.facts["weights"] == {"popularity": 1.0}


def test_once_there_are_sales_the_forecast_has_no_place() -> None:
    problem = launch(made(), 2)
    blend = fitted(problem, "blend", fused(problem.world, 2), parts=("item_prior", "popularity", "user_kernel"))
    assert "item_prior" not in blend.facts["weights"]
