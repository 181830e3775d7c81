"""LightGCN: layers by hand, people placed by their events as in training, and what training brings."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from launch_worlds import fitted, launch, made, quality

from crossaisle.errors import ConfigError
from crossaisle.models.graph import LightGcn
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer import lightgcn
from crossaisle.transfer.lightgcn import LightGcnOptions

SMALL = {"dim": 16, "steps": 200, "batch": 256, "negatives": 64}


def test_layers_by_hand() -> None:
    graph = sp.csr_matrix(np.array([[1, 1], [0, 1]], dtype=np.float32))  # person 0 has both items, person 1 the second
    divide = np.array([1, 1 / np.sqrt(2)], dtype=np.float32)  # items have 1 and 2 people
    start = np.array([[1.0], [2.0], [3.0], [4.0]], dtype=np.float32)  # people 1, 2; items 3, 4
    people, items = (side.detach().numpy().ravel() for side in LightGcn(lightgcn.divided(graph, divide), 1, start)())
    half, root = 1 / 2, 1 / np.sqrt(2)  # 1 / √(2·2) and 1 / √(2·1)
    assert people == pytest.approx([(1 + root * 3 + half * 4) / 2, (2 + root * 4) / 2])
    assert items == pytest.approx([(3 + root * 1) / 2, (4 + half * 1 + root * 2) / 2])


def test_people_are_placed_by_their_events_as_in_training() -> None:
    problem = tiny_problem()
    seen: list[LightGcn] = []
    trained = lightgcn.trained

    def spy(*given: object) -> object:
        found = trained(*given)  # type: ignore[arg-type]
        seen.append(found[0])
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lightgcn, "trained", spy)
        scorer = fitted(problem, "lightgcn", **SMALL | {"steps": 10}).scorer
    vectors = seen[0]()[0].detach().numpy()
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) @ scorer.items.T  # type: ignore[attr-defined]
    got = scorer.score(problem.history_for(scorer.people))  # type: ignore[attr-defined]
    assert got == pytest.approx(expected, abs=1e-4)


def test_it_ranks_better_than_popularity_and_the_graph_of_all_domains_better_than_the_targets_own() -> None:
    problem = launch(made(), 8)
    everything, own = (
        quality(problem, fitted(problem, "lightgcn", scope=s, **SMALL)).mean() for s in ("all", "target")
    )
    assert everything > 1.1 * quality(problem, fitted(problem, "popularity")).mean()
    assert everything > own


def test_half_of_a_batch_is_the_targets_and_only_what_it_sells_is_drawn() -> None:
    elsewhere, own, shelf = np.array([[0, 1], [5, 6]]), np.array([[2], [7]]), np.array([7, 8, 9])
    events = lightgcn.Events(elsewhere, own, shelf)
    batch = lightgcn.batches(events, LightGcnOptions(batch=8, negatives=2), seed=0)(1)
    assert len(batch) == 8
    assert (batch.met[4:] == 7).all()
    assert (batch.people[4:] == 2).all()
    assert set(batch.met[:4].tolist()) <= {5, 6}
    assert set(batch.drawn.tolist()) <= set(shelf.tolist())
    assert len(batch.drawn) == 2
    whole = lightgcn.batches(events, LightGcnOptions(batch=8, negatives=3), seed=0)(1)
    assert whole.drawn.tolist() == shelf.tolist()
    without = lightgcn.batches(lightgcn.Events(elsewhere, own[:, :0], shelf), LightGcnOptions(batch=8), seed=0)(1)
    assert set(without.met.tolist()) <= {5, 6}


@pytest.mark.parametrize(
    "wrong", [{"dim": 0}, {"layers": -1}, {"temperature": 0.0}, {"steps": 0}, {"target_share": 1.5}]
)
def test_options_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises((ValueError, ConfigError)):
        LightGcnOptions(**wrong)  # type: ignore[arg-type]
