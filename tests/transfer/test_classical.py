"""The closed-form methods against their formulas, written out the long way."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from crossaisle.config import build
from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.errors import ConfigError
from crossaisle.evaluate.slices import evaluate_users
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer import als, als_mix, common, ease, graph_filter, item_knn, popularity, swing, user_kernel
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import kind_of
from crossaisle.transfer.voters import Voters
from crossaisle.types import History

DRAW = np.random.default_rng(0)
X = sp.csr_matrix((DRAW.random((30, 12)) < 0.3) * DRAW.integers(1, 4, (30, 12)), dtype=np.float32)


def test_weights_of_events() -> None:
    history = History(
        sp.csr_matrix(np.array([[3.0, 0, 1.0]], np.float32)), np.array([14.0, 0.0], np.float32), np.array([0])
    )
    assert common.weighted(history, "binary").data.tolist() == [1, 1]
    assert common.weighted(history, "log").data == pytest.approx(np.log([4, 2]))
    assert common.weighted(history, "count", half_life_weeks=2).data == pytest.approx([1.5, 1.0])


def test_best_per_row() -> None:
    matrix = sp.csr_matrix(np.array([[1.0, 3, 2], [0, 0, 0], [2, 2, 2]]))
    assert common.best_per_row(matrix, 2).toarray().tolist() == [[0, 3, 2], [0, 0, 0], [2, 2, 0]]


def three_sales() -> Problem:
    """Items a, b, c; now = day 28. a: one person on days 0 and 14; b: two people on day 27; c: nobody."""
    start = datetime(2024, 1, 1)
    rows = [("u", "a", 0), ("u", "a", 14), ("v", "b", 27), ("w", "b", 27), ("w", "c", 40)]
    frame = pl.DataFrame(
        [(u, i, "t", start + timedelta(days=d)) for u, i, d in rows],
        schema=["user_id", "item_id", "domain", "timestamp"], orient="row",
    )  # fmt: skip
    world = World.from_frames(frame.with_columns(event=pl.lit("purchase")))
    known = world.interactions[:4]
    split = Split(known, known.clear(), world.interactions[4:], known.clear(), "by hand", start + timedelta(days=28))
    return Problem(world, "t", (), split, world.catalogue("t"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.5, 1, 0]),
        ({"unit": "events"}, [1, 1, 0]),
        ({"half_life_weeks": 2.0}, [0.5 / (2 * 2 ** (-1 / 14)), 1, 0]),
        ({"half_life_weeks": 2.0, "unit": "events"}, [(0.25 + 0.5) / (2 * 2 ** (-1 / 14)), 1, 0]),
    ],
)
def test_popularity_by_hand(options: dict[str, object], expected: list[float]) -> None:
    problem = three_sales()
    made = popularity.fit(None, problem, popularity.PopularityOptions(**options))  # type: ignore[arg-type]
    assert made.scorer.score(problem.history)[0] == pytest.approx(expected, rel=1e-5)


def test_popularity_with_nothing_sold_is_even() -> None:
    problem = tiny_problem(weeks=0)
    made = popularity.fit(None, problem, popularity.PopularityOptions())
    assert (made.scorer.score(problem.history) == 0).all()
    shared = popularity.fit(None, problem, popularity.PopularityOptions(scope="all")).scorer.score(problem.history)
    assert np.count_nonzero(shared[0]) == 1  # the one item of the cake shop that the coffee shop sells


@pytest.mark.parametrize("users", [X, X[:8]], ids=["more users than items", "fewer"])
def test_ease_is_stecks_formula(users: sp.csr_matrix) -> None:
    dense = users.toarray().astype(np.float64)
    inverse = np.linalg.inv(dense.T @ dense + 5.0 * np.eye(12))
    expected = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(expected, 0.0)
    columns = np.array([1, 4, 7])
    assert ease.ease_columns(users, columns, 5.0) == pytest.approx(expected[:, columns], abs=1e-5)


def test_ease_by_blocks_of_everything_is_the_exact_form() -> None:
    columns = np.array([1, 4, 7])
    near = ease.block_columns(X, columns, 5.0, neighbours=12)
    assert near.toarray() == pytest.approx(ease.ease_columns(X, columns, 5.0), abs=1e-5)


def test_ease_by_blocks_is_the_ridge_of_each_item_on_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "BATCH", 2)
    monkeypatch.setattr(ease, "COLUMNS", 5)
    dense, lam, k = X.toarray().astype(np.float64), 5.0, 3
    gram = dense.T @ dense
    made = ease.block_columns(X, np.arange(12), lam, neighbours=k).tocsc()
    sizes = np.diff(made.indptr)
    assert sizes.min() > k
    assert sizes.max() <= 2 + 2 * k
    for j in range(12):
        block = np.setdiff1d(made.indices[made.indptr[j] : made.indptr[j + 1]], [j])
        others = gram[j].copy()
        others[j] = -1
        assert set(np.argsort(-others, kind="stable")[:k]) <= set(block)
        expected = np.linalg.solve(gram[np.ix_(block, block)] + lam * np.eye(len(block)), gram[block, j])
        assert made[:, [j]].toarray().ravel()[block] == pytest.approx(expected, abs=1e-5)
        assert made[j, j] == 0


def test_ease_says_which_form_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ease.fitting_form(people=500_000, items=18_000, catalogue=18_000) == "exact"
    assert ease.fitting_form(people=500_000, items=20_000, catalogue=20_000) == "block"
    assert ease.fitting_form(people=5_000, items=40_000, catalogue=20_000) == "exact"
    assert ease.fitting_form(people=5_000, items=100_000, catalogue=100_000) == "block"
    problem = tiny_problem()
    assert ease.fit(None, problem, ease.EaseOptions()).facts["form"] == "exact"
    monkeypatch.setattr(ease, "EXACT_BYTES", 1)
    assert ease.fit(None, problem, ease.EaseOptions()).facts["form"] == "block"
    assert ease.fit(None, problem, ease.EaseOptions(form="exact")).facts["form"] == "exact"


def test_regular_inverse_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "_SIDE", 5)
    dense = X.toarray().astype(np.float64)
    assert common.regular_inverse(X.T, 2.0) == pytest.approx(
        np.linalg.inv(dense.T @ dense + 2.0 * np.eye(12)), abs=1e-9
    )


@pytest.mark.parametrize("similarity", ["cosine", "iou"])
def test_item_knn_is_the_formula(similarity: str) -> None:
    options = item_knn.ItemKnnOptions(similarity=similarity, shrink=2.0, neighbours=3, popularity_exponent=0.5)  # type: ignore[arg-type]
    dense = X.toarray().astype(np.float64) if similarity == "cosine" else (X.toarray() > 0).astype(np.float64)
    catalogue, people = np.array([2, 5]), (X.toarray() > 0).sum(axis=0)
    for column, j in enumerate(catalogue):
        both = dense.T @ dense[:, j]
        norm = (dense**2).sum(axis=0)
        below = np.sqrt(norm * norm[j]) if similarity == "cosine" else norm + norm[j] - both
        expected = both / (below + 2.0) / np.sqrt(people[j])
        expected[j] = 0
        expected[np.argsort(-expected, kind="stable")[3:]] = 0
        got = item_knn.neighbours_of(X, catalogue, options)[:, [column]].toarray().ravel()
        assert got == pytest.approx(expected, abs=1e-6)


def test_swing_by_hand() -> None:
    # People u: abc, v: ab, w: abd, t: a. Pairs with two items in common: uv, uw, vw, each with a and b.
    has = sp.csr_matrix(np.array([[1, 2, 3, 0], [1, 1, 0, 0], [1, 1, 0, 1], [1, 0, 0, 0]], np.float32))
    alpha = 1.0
    ab = (1 / np.sqrt(3 * 2) + 1 / np.sqrt(3 * 3) + 1 / np.sqrt(2 * 3)) / (alpha + 2)
    got = swing.swing(has, np.array([0, 2]), alpha).toarray()
    assert got == pytest.approx(np.array([[ab, ab, 0, 0], [0, 0, 0, 0]]), abs=1e-6)


def test_swing_is_its_double_sum_in_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swing, "BLOCK", 7)
    has, catalogue, alpha = X.toarray() > 0, np.array([1, 4, 7]), 0.5
    size = np.maximum(has.sum(axis=1), 1)
    expected = np.zeros((12, 12))
    for u in range(30):
        for v in range(u + 1, 30):
            both = has[u] & has[v]
            expected[np.ix_(both, both)] += 1 / np.sqrt(size[u] * size[v]) / (alpha + both.sum())
    got = swing.swing(X, catalogue, alpha).toarray()
    other = np.arange(12)[None, :] != catalogue[:, None]
    assert got[other] == pytest.approx(expected[catalogue][other], abs=1e-5)
    options = item_knn.ItemKnnOptions(similarity="swing", alpha=alpha, popularity_exponent=1.0, neighbours=12)
    near = item_knn.neighbours_of(X, catalogue, options).toarray().T
    assert near == pytest.approx(np.where(other, expected[catalogue] / has.sum(axis=0)[catalogue, None], 0), abs=1e-5)


def test_item_knn_takes_swing_where_that_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = tiny_problem()
    options = item_knn.ItemKnnOptions()
    for most, taken in ((item_knn.MOST_PAIRS, "swing"), (0, "iou")):
        monkeypatch.setattr(item_knn, "MOST_PAIRS", most)
        made = item_knn.fit(None, problem, options)
        asked = item_knn.fit(None, problem, dataclasses.replace(options, similarity=taken))  # type: ignore[arg-type]
        assert made.facts["similarity"] == taken
        assert (made.scorer.similarity != asked.scorer.similarity).nnz == 0
    assert item_knn.similarity_for(X, "cosine") == "cosine"


def test_als_folds_users_in_as_the_library_does() -> None:
    from implicit.cpu.als import AlternatingLeastSquares

    options = als.AlsOptions(factors=4, regularization=0.5, iterations=8)
    factors = als.item_factors(X, options, seed=1)
    assert np.array_equal(factors, als.item_factors(X, options, seed=1))
    assert not np.allclose(factors, als.item_factors(X, options, seed=2))
    model = AlternatingLeastSquares(factors=4, regularization=0.5, alpha=10.0, use_cg=False, num_threads=1)
    model.item_factors = factors
    theirs = model.recalculate_user(np.arange(30), X)
    assert als.fold_in(X, factors, 10.0, 0.5) == pytest.approx(theirs, abs=1e-4)


def test_als_noise_is_what_chance_gives() -> None:
    # weights 1, 2, 2 of two people and two items, another person and item without: √(9 / 2) each way
    some = sp.csr_matrix(np.array([[1, 2, 0], [0, 2, 0], [0, 0, 0]], dtype=np.float32))
    assert als.noise(some) == pytest.approx(2 * np.sqrt(4.5))
    assert als.noise(3 * some) == pytest.approx(3 * als.noise(some))
    chance = sp.csr_matrix((np.random.default_rng(1).random((600, 400)) < 0.03).astype(np.float32))
    first, second = np.linalg.svd(chance.toarray(), compute_uv=False)[:2]
    assert second == pytest.approx(als.noise(chance), rel=0.05)  # the first one is how common items are
    assert first > 1.5 * second


def test_als_penalty_grows_with_the_data_unless_it_is_given() -> None:
    options = als.AlsOptions(factors=4, alpha=20.0, penalty=0.5)
    assert als.penalty_of(X, options) == pytest.approx(0.5 * 20.0 * als.noise(X))
    given = dataclasses.replace(options, regularization=7.0)
    assert als.penalty_of(X, given) == 7.0
    same = dataclasses.replace(options, regularization=als.penalty_of(X, options))
    assert np.array_equal(als.item_factors(X, options, 1), als.item_factors(X, same, 1))


def test_als_folds_in_with_the_penalty_it_was_trained_with() -> None:
    problem = tiny_problem()
    made = als.fit(None, problem, als.AlsOptions(factors=4, penalty=0.5)).scorer
    users = common.weighted(common.training_history(problem, "target"))[:, problem.catalogue]
    assert made.regularization == pytest.approx(0.5 * made.alpha * als.noise(users))


def test_als_lets_rare_items_count_more_and_keeps_the_mean_weight() -> None:
    users = sp.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]], dtype=np.float32))
    assert als.worth_of(users, 0.0).tolist() == [1, 1, 1]
    # items with 4, 1, 0 people at exponent ½: ½, 1, 0; five events weigh 4·½ + 1 = 3, so times 5/3
    assert als.worth_of(users, 0.5) == pytest.approx([5 / 6, 5 / 3, 0])


def test_user_kernel_is_ridge_with_no_item_predicting_itself() -> None:
    profiles = user_kernel.profiles_of(X, np.linspace(0.5, 2, 12).astype(np.float32))
    assert np.linalg.norm(profiles.toarray(), axis=1) == pytest.approx(1.0 * (np.diff(X.indptr) > 0), abs=1e-6)
    catalogue, lam = np.array([3, 8, 9]), 0.7
    events, prior = (X[:, catalogue] > 0).astype(np.float32), np.array([[0.1, 0, 0.3], [0, 0.2, 0]], np.float32)
    voters = Voters(np.arange(30), events, np.arange(30) % 2, prior)
    votes, own = user_kernel.ridge_votes(profiles, voters, prior, catalogue, lam)
    bought = events.toarray() - prior[voters.elsewhere]
    x = profiles.toarray().astype(np.float64)
    got = x @ x.T @ votes - x[:, catalogue] * own
    for column, j in enumerate(catalogue):
        others = np.delete(x, j, axis=1)  # the long way: ridge without the item's own column
        w = np.linalg.solve(others.T @ others + lam * np.eye(11), others.T @ bought[:, column])
        assert got[:, column] == pytest.approx(others @ w, abs=1e-4)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("item_knn", {"half_life_weeks": 4.0}), ("item_knn", {"scope": "all", "similarity": "iou"}),
        ("item_knn", {"scope": "all", "similarity": "swing"}),
        ("ease", {"scope": "all", "regularization": 5.0}), ("ease", {"scope": "all", "max_items": 3}),
        ("ease", {"scope": "all", "regularization": 5.0, "form": "block", "neighbours": 3}),
        ("als", {"scope": "all", "factors": 4, "regularization": 0.1}), ("user_kernel", {"kind": "cosine"}),
        ("als_mix", {"scope": "all", "factors": (2, 4), "draws": 1}), ("graph_filter", {"scope": "all", "rank": 4}),
        ("user_kernel", {"max_users": 5}), ("user_kernel", {"scope": "sources"}),
        ("user_kernel", {"scope": "target", "prior": 0.0}), ("popularity", {"unit": "events", "half_life_weeks": 3.0}),
    ],
)  # fmt: skip
def test_options_keep_the_contract(method: str, options: dict[str, object]) -> None:
    from crossaisle.testing import CHECKS, case

    made = case(method, METHODS.get(method).options(**options))
    for name in (
        "scores_are_finite",
        "state_restores_bit_for_bit",
        "new_events_count_at_once",
        "asked_rows_are_not_read",
    ):
        CHECKS[name](made)


@pytest.mark.parametrize(
    ("method", "options"),
    [("item_knn", {"scope": "all"}), ("ease", {"scope": "all", "regularization": 5.0}),
     ("als", {"scope": "all", "factors": 4, "regularization": 0.1}), ("user_kernel", {})],
)  # fmt: skip
def test_knowledge_of_other_shops_beats_popularity_where_tastes_are_shared(
    method: str, options: dict[str, object]
) -> None:
    problem = tiny_problem(weeks=4)

    def quality(name: str, **chosen: object) -> float:
        made = METHODS.get(name)
        scorer = made.fit(None, problem, made.options(**chosen)).scorer
        return float(evaluate_users(scorer.score, problem)["new", "ndcg", 10].values.mean())

    assert quality(method, **options) > 1.1 * quality("popularity")


@pytest.mark.parametrize(
    ("cls", "values"),
    [
        (popularity.PopularityOptions, {"half_life_weeks": 0}), (ease.EaseOptions, {"regularization": 0}),
        (item_knn.ItemKnnOptions, {"neighbours": 0}), (als.AlsOptions, {"factors": 0}),
        (als.AlsOptions, {"penalty": 0.0}), (als.AlsOptions, {"regularization": 0.0}),
        (als_mix.AlsMixOptions, {"penalty": 0.0}), (als_mix.AlsMixOptions, {"regularization": 0.0}),
        (item_knn.ItemKnnOptions, {"alpha": -1.0}), (ease.EaseOptions, {"neighbours": 0}),
        (user_kernel.UserKernelOptions, {"regularization": -1.0}), (ease.EaseOptions, {"scope": "sources"}),
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(cls: type, values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build(cls, values)


def test_a_control_that_reads_other_domains_is_a_transfer() -> None:
    method = METHODS.get("ease")
    assert kind_of(method, ease.EaseOptions()) == "control"
    assert kind_of(method, ease.EaseOptions(scope="all")) == "transfer"
    assert kind_of(METHODS.get("user_kernel"), user_kernel.UserKernelOptions(scope="target")) == "control"


def test_als_mix_is_the_mean_of_its_members_scores() -> None:
    problem = tiny_problem()
    mix = als_mix.fit(None, problem, als_mix.AlsMixOptions(factors=(2, 4), draws=1, iterations=3))
    parts = [p.score(problem.history) for p in mix.scorer.parts.values()]
    assert [p.factors.shape[1] for p in mix.scorer.parts.values()] == [2, 4]
    assert mix.scorer.score(problem.history) == pytest.approx(
        np.mean([common.standardised(p) for p in parts], axis=0), abs=1e-5
    )


def test_als_mix_has_less_penalty_for_short_vectors() -> None:
    options = als_mix.AlsMixOptions(factors=(16, 128), penalty=0.8)
    assert als_mix.member(options, 128).penalty == 0.8
    assert als_mix.member(options, 16).penalty == pytest.approx(0.2)
    given = dataclasses.replace(options, regularization=10.0)
    assert als_mix.member(given, 16).regularization == 10.0
    assert als_mix.member(given, 128).regularization == pytest.approx(40.0)


def test_graph_filter_is_gf_cf() -> None:
    problem = tiny_problem()
    options = graph_filter.GraphFilterOptions(item_exponent=0.5, output_exponent=0.5, rank=3, low_pass=0.0)
    history = common.training_history(problem, "target")
    linear = graph_filter.fit(None, problem, options).scorer.score(history)
    x = (problem.target_counts.toarray() > 0).astype(float)
    users, items = np.maximum(x.sum(1), 1), np.maximum(x.sum(0), 1)
    normal = x / np.sqrt(users)[:, None] / np.sqrt(items)[None, :]
    by_hand = (x / np.sqrt(items)) @ normal.T @ normal * np.sqrt(items)
    assert linear == pytest.approx(by_hand, abs=1e-4)
    both = graph_filter.fit(None, problem, dataclasses.replace(options, low_pass=1.0))
    vectors = np.linalg.svd(normal)[2][:3]
    low = (x / np.sqrt(items)) @ vectors.T @ vectors * np.sqrt(items)
    added = both.scorer.score(history) - linear
    assert np.corrcoef(added.ravel(), low.ravel())[0, 1] > 0.9999
