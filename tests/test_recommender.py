"""A Recommender answers people: known and unknown, with filters, reasons and items that come new."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from crossaisle import index as index_module
from crossaisle import recommender
from crossaisle.data.vocab import Vocab
from crossaisle.errors import ArtifactError, ConfigError, DataError, MethodError, StorageError
from crossaisle.index import ApproximateIndex
from crossaisle.recommender import SCORERS, Recommender, scorer
from crossaisle.types import Basis, Codes, Extensible, Floats, History, Ranking, Scorer, Tensors, Vectors

USERS = ["ann", "bob", "cid", "dan"]
ITEMS = ["tea", "jam", "bun", "pie", "nut", "fig"]
COUNTS = np.array([[1, 0, 2, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], np.float32)
CATALOGUE = np.array([1, 2, 3, 4])
"""jam, bun, pie, nut; tea and fig belong to other domains."""


@scorer("test_factors")
@dataclass(frozen=True)
class Factors:
    """user_vectors · item_vectors: the mean of what the user had, plus a coordinate of popularity."""

    kind: ClassVar[str] = "test_factors"
    read: Floats
    item_vectors: Floats

    def user_vectors(self, history: History) -> Floats:
        met = history.counts @ self.read
        return np.hstack([met, np.ones((len(history), 1), np.float32)]).astype(np.float32)

    def score(self, history: History) -> Floats:
        return self.user_vectors(history) @ self.item_vectors.T

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        return {"read": self.read, "item_vectors": self.item_vectors}, {"note": "test"}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        assert meta == {"note": "test"}
        return cls(**tensors)


@dataclass(frozen=True)
class Table:
    """Σ of the rows of what the user had, plus popularity; new items score by the length of their title."""

    kind: ClassVar[str] = "test_table"
    table: Floats
    popularity: Floats
    basis: Basis = "content"

    def score(self, history: History) -> Floats:
        return np.asarray(history.counts @ self.table + self.popularity, np.float32)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        return {}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        raise NotImplementedError

    def extend(self, content: pl.DataFrame) -> Scorer:
        worth = content["title"].str.len_chars().to_numpy().astype(np.float32)
        table = np.pad(self.table, ((0, len(content)), (0, len(content))))
        return dataclasses.replace(self, table=table, popularity=np.append(self.popularity, worth))


POPULARITY = np.array([0.1, 0.4, 0.3, 0.2], np.float32)


def factors() -> Factors:
    read = np.zeros((6, 2), np.float32)
    read[0] = [0, 1]  # tea points at pie and nut
    read[1] = [1, 0]  # jam points at jam and bun
    items = np.array([[1, 0], [1, 0], [0, 1], [0, 1.5]], np.float32)
    return Factors(read, np.hstack([items, POPULARITY[:, None]]))


def history(counts: np.ndarray = COUNTS) -> History:
    matrix = sp.csr_matrix(counts)
    return History(matrix, np.arange(matrix.nnz, dtype=np.float32), np.arange(len(counts), dtype=np.int64))


def shop(model: Scorer | None = None, **changes: Any) -> Recommender:
    shelf = pl.DataFrame({"title": [f"{i} of the day" if i != "pie" else None for i in ITEMS], "price": [1.0] * 6})
    made = Recommender(
        "by hand", "cake", model or factors(), CATALOGUE, Vocab(USERS), Vocab(ITEMS), history(), shelf, {"data": "f00"}
    )
    return dataclasses.replace(made, **changes)


# recommend


def test_known_and_unknown_users() -> None:
    """ann had tea and bun: nut 1.5 + .2, pie 1 + .3, jam .1 (bun is seen). The stranger gets what is popular."""
    ranking = shop().recommend(["ann", "stranger", "dan"], k=3)
    assert ranking.users == ["ann", "stranger", "dan"]
    assert ranking.items.tolist() == [["nut", "pie", "jam"], ["bun", "pie", "nut"], ["bun", "pie", "nut"]]
    assert ranking.scores[0] == pytest.approx([1.7, 1.3, 0.1])
    assert ranking.basis == ["history", "popularity", "popularity"]
    assert ranking.scores.dtype == np.float32


def test_basis_is_popularity_where_the_history_changes_nothing() -> None:
    """bun tells nothing to this scorer, so who had only bun gets what everybody gets, and is told so."""
    only_bun = np.eye(6, dtype=np.float32)[[2, 0]]
    made = shop(user_ids=Vocab(["x", "y"]), history=history(only_bun))
    assert made.recommend(["x", "y"], k=2).basis == ["popularity", "history"]


def test_basis_is_the_scorers_own_word() -> None:
    model = Table(np.ones((6, 4), np.float32), POPULARITY)
    assert shop(model).recommend(["ann", "dan"], k=1).basis == ["content", "popularity"]


def test_seen_items_may_be_asked_for() -> None:
    assert shop().recommend(["ann"], k=4, exclude_seen=False).items.tolist() == [["nut", "pie", "bun", "jam"]]


def test_available_items_only_and_short_lists() -> None:
    """Ids outside the catalogue are passed over; what cannot be filled is empty."""
    ranking = shop().recommend(["ann", "dan"], k=3, available=["pie", "bun", "tea", "unheard of"])
    assert ranking.items.tolist() == [["pie", "", ""], ["bun", "pie", ""]]
    assert np.isneginf(ranking.scores[0, 1:]).all()
    assert shop().recommend(["ann"], k=1, available=[]).items.tolist() == [[""]]


def test_one_id_and_no_ids() -> None:
    assert shop().recommend("ann", k=1).users == ["ann"]
    nobody = shop().recommend([], k=2)
    assert (nobody.items.shape, nobody.scores.shape, nobody.basis) == ((0, 2), (0, 2), [])


@pytest.mark.parametrize("k", [0, -1, 5])
def test_k_out_of_range_is_refused_in_one_sentence(k: int) -> None:
    for ask in (
        lambda: shop().recommend(["ann"], k),
        lambda: shop().recommend_session(["tea"], k),
        lambda: shop().similar("tea", k),
    ):
        with pytest.raises(ConfigError, match=rf"^k is {k}, but 'cake' has 4 items; choose a k from 1 to 4\.$"):
            ask()


def test_asking_changes_nothing() -> None:
    """A scorer may hand out its own array; filters must not write to it."""

    class Own(Table):
        def score(self, history: History) -> Floats:
            return np.broadcast_to(self.popularity, (len(history), 4))

    model = Own(np.zeros((6, 4), np.float32), POPULARITY.copy())
    shop(model).recommend(["ann"], k=2, available=["jam"])
    np.testing.assert_array_equal(model.popularity, POPULARITY)


def large(seed: int = 0) -> Recommender:
    draw = np.random.default_rng(seed)
    counts = (draw.random((30, 90)) < 0.15).astype(np.float32)
    model = Factors(draw.standard_normal((90, 7), dtype=np.float32), draw.standard_normal((60, 8), dtype=np.float32))
    return Recommender(
        "by hand", "cake", model, np.arange(10, 70), Vocab([f"u{u}" for u in range(30)]),
        Vocab([f"i{i}" for i in range(90)]), history(counts),
    )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 60), st.booleans(),
    st.none() | st.sets(st.integers(0, 95)), st.sampled_from([1, 200, 10**6]),
)  # fmt: skip
def test_ranking_is_the_sorted_and_filtered_scores(
    seed: int, k: int, exclude: bool, available: set[int] | None, cells: int
) -> None:
    """Whatever the filters, and however few users fit in a block."""
    made = large(seed)
    allowed = None if available is None else [f"i{i}" for i in available]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_module, "BLOCK_CELLS", cells)
        ranking = made.recommend(made.user_ids.ids.to_list(), k, exclude_seen=exclude, available=allowed)
    scores = made.scorer.score(made.history)
    out = np.zeros_like(scores, dtype=bool)
    if exclude:
        out |= made.history.counts[:, made.catalogue].toarray() > 0
    if available is not None:
        out |= ~np.isin(made.catalogue, list(available))
    scores[out] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    wanted = np.take_along_axis(scores, order, axis=1)
    names = np.where(np.isneginf(wanted), "", np.array([f"i{i}" for i in made.catalogue])[order])
    np.testing.assert_allclose(ranking.scores, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(ranking.items, names)


def test_an_index_for_large_catalogues(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same answers, same words; only the way there differs."""
    pytest.importorskip("usearch")
    users, available = [*(f"u{u}" for u in range(30)), "stranger"], [f"i{i}" for i in range(55)]
    plain = large()
    assert plain.with_index() is plain, "small catalogues need none"
    monkeypatch.setattr(recommender, "APPROXIMATE_ABOVE", 59)
    indexed = plain.with_index()
    assert isinstance(indexed.index, ApproximateIndex)
    found, wanted = (r.recommend(users, 5, available=available) for r in (indexed, plain))
    assert found.items.tolist() == wanted.items.tolist()
    assert found.basis == wanted.basis
    np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-4, atol=1e-5)
    without_vectors = shop(Table(np.ones((6, 4), np.float32), POPULARITY))
    monkeypatch.setattr(recommender, "APPROXIMATE_ABOVE", 1)
    assert without_vectors.with_index() is without_vectors


def test_a_session_is_a_user_who_has_just_these_items() -> None:
    """ann had tea once and bun twice."""
    session = shop().recommend_session(["bun", "tea", "unheard of", "bun"], k=3)
    ann = shop().recommend(["ann"], k=3)
    assert session.users == [""]
    assert session.items.tolist() == ann.items.tolist()
    np.testing.assert_array_equal(session.scores, ann.scores)
    assert session.basis == ["history"]
    assert shop().recommend_session(["unheard of"], k=2).basis == ["popularity"]
    assert shop().recommend_session([], k=2, available=["nut"]).items.tolist() == [["nut", ""]]


# score, why, similar


def test_score_is_nan_where_nothing_is_known() -> None:
    """tea is known but not of this domain."""
    found = shop().score(["ann", "stranger"], ["nut", "tea", "unheard of", "nut", "jam"])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[1.7, np.nan, np.nan, 1.7, 0.1], [0.2, np.nan, np.nan, 0.2, 0.1]], rtol=1e-6)
    assert shop().score([], ["nut"]).shape == (0, 1)
    assert shop().score(["ann"], []).shape == (1, 0)


def test_score_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = large()
    whole = made.score(made.user_ids.ids.to_list(), ["i12", "i3"])
    monkeypatch.setattr(index_module, "BLOCK_CELLS", 130)
    np.testing.assert_allclose(made.score(made.user_ids.ids.to_list(), ["i12", "i3"]), whole, rtol=1e-5)


def test_why_names_what_is_bought_together() -> None:
    """jam is had by bob, cid; tea and bun by ann, bob. cosine(jam, tea) = 1 / √(2·2)."""
    reasons = shop().why("ann", ["jam", "nut", "bun"])
    assert reasons[0] == [
        {"item_id": "tea", "title": "tea of the day", "cosine": pytest.approx(0.5)},
        {"item_id": "bun", "title": "bun of the day", "cosine": pytest.approx(0.5)},
    ]
    assert reasons[1] == []
    assert [r["item_id"] for r in reasons[2]] == ["tea"], "an item is no reason for itself"
    assert [r["item_id"] for r in shop().why("ann", ["jam"], n=1)[0]] == ["tea"]


def test_why_is_empty_where_nothing_is_known() -> None:
    assert shop().why("stranger", ["jam", ""]) == [[], []]
    assert shop().why("ann", ["unheard of"]) == [[]]
    assert shop().why("ann", []) == []
    assert shop().why("dan", ["jam"]) == [[]]


def test_why_without_titles() -> None:
    assert shop(items=pl.DataFrame()).why("ann", ["jam"], n=1) == [[{"item_id": "tea", "title": None, "cosine": 0.5}]]


def test_similar_by_item_vectors() -> None:
    """pie (0, 1, .3) and nut (0, 1.5, .2); jam and bun share the first coordinate only."""
    found = shop().similar("pie", k=4)
    assert found.columns == ["item_id", "title", "score", "basis"]
    assert found["item_id"].to_list() == ["nut", "bun", "jam"]
    assert found["title"].to_list() == ["nut of the day", "bun of the day", "jam of the day"]
    assert found["score"][0] == pytest.approx((1.5 + 0.06) / np.sqrt(1.09 * 2.29))
    assert found["basis"].unique().to_list() == ["history"]


def test_similar_by_co_purchase() -> None:
    """Also for tea, which has no vector because it is of another domain; nobody had nut."""
    found = shop().similar("tea", k=4)
    assert found["item_id"].to_list() == ["bun", "jam"]
    assert found["score"].to_list() == pytest.approx([1.0, 0.5])
    model = Table(np.ones((6, 4), np.float32), POPULARITY)
    assert shop(model).similar("bun", k=2)["item_id"].to_list() == ["jam"]
    empty = shop(model).similar("nut", k=2)
    assert (empty.height, empty.columns) == (0, ["item_id", "title", "score", "basis"])


def test_similar_to_a_stranger_names_near_ids() -> None:
    with pytest.raises(DataError, match=r"unknown item 'teas': did you mean 'tea'\?.*with_items"):
        shop().similar("teas", k=1)
    with pytest.raises(DataError, match=r"unknown item 'zzz': no known id is near\."):
        shop().similar("zzz", k=1)


# with_items


NEW = pl.DataFrame({"item_id": ["oat", "rye"], "title": ["oat", "rye bread"], "colour": ["pale", "dark"]})


def test_new_items_are_scored_from_their_content() -> None:
    before = shop(Table(np.ones((6, 4), np.float32), POPULARITY))
    after = before.with_items(NEW)
    ranking = after.recommend(["stranger"], k=6)
    assert ranking.items[0].tolist() == ["rye", "oat", "bun", "pie", "nut", "jam"]
    assert ranking.scores[0, :2].tolist() == [9.0, 3.0]
    np.testing.assert_allclose(after.score(["ann"], ["oat", "jam"])[0, 1], before.score(["ann"], ["jam"])[0, 0])
    assert after.items[6:].rows() == [("oat", None), ("rye bread", None)]
    assert after.why("ann", ["oat"]) == [[]]
    assert after.similar("oat", k=1).height == 0
    assert before.recommend(["stranger"], k=4).items.shape == (1, 4), "the old recommender is as it was"


def test_new_items_come_twice_and_without_a_shelf() -> None:
    start = shop(Table(np.ones((6, 4), np.float32), POPULARITY), items=pl.DataFrame())
    after = start.with_items(NEW[:1]).with_items(NEW[1:])
    assert after.recommend(["stranger"], k=2).items.tolist() == [["rye", "oat"]]


def test_methods_that_cannot_say_so_in_one_sentence() -> None:
    wanted = "method 'by hand' cannot score items it has not seen; use zero_shot, finetune or blend."
    with pytest.raises(MethodError) as caught:
        shop().with_items(NEW)
    assert str(caught.value) == wanted


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"title": ["x"]}, "need a column item_id; the columns are: title"),
        ({"item_id": [None, "x"]}, "1 of 2 new items have no item_id"),
        ({"item_id": ["x", "y", "x"]}, r"repeated \(x\)"),
        ({"item_id": ["x", "tea"]}, r"known already \(tea\)"),
        ({"item_id": ["x"], "title": ["x"], "price": ["cheap"]}, "give title as String, price as Float64"),
    ],
)
def test_wrong_new_items_are_refused(content: dict[str, list[Any]], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        shop(Table(np.ones((6, 4), np.float32), POPULARITY)).with_items(pl.DataFrame(content))
    assert "\n" not in str(caught.value)


def test_protocols_tell_scorers_apart() -> None:
    table = Table(np.ones((6, 4), np.float32), POPULARITY)
    assert isinstance(factors(), Vectors)
    assert not isinstance(factors(), Extensible)
    assert isinstance(table, Extensible)
    assert not isinstance(table, Vectors)


# save and load


def asked(made: Recommender) -> Ranking:
    return made.recommend([*USERS, "stranger"], k=4)


@pytest.mark.parametrize("shelf", [True, False])
def test_save_and_load_keep_everything(tmp_path: Path, shelf: bool) -> None:
    before = shop() if shelf else shop(items=pl.DataFrame())
    before.save(tmp_path / "a")
    after = Recommender.load(tmp_path / "a")
    for name in ("scores", "items"):
        np.testing.assert_array_equal(getattr(asked(after), name), getattr(asked(before), name), strict=True)
    assert (after.method, after.domain, dict(after.facts)) == ("by hand", "cake", {"data": "f00"})
    assert (after.user_ids, after.item_ids) == (before.user_ids, before.item_ids)
    assert after.items.equals(before.items)
    np.testing.assert_array_equal(after.history.ages, before.history.ages, strict=True)
    np.testing.assert_array_equal(after.history.counts.toarray(), COUNTS, strict=True)
    assert after.why("ann", ["jam"]) == before.why("ann", ["jam"])


def test_a_scorer_that_is_not_installed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop().save(tmp_path / "a")
    monkeypatch.delitem(SCORERS._items, "test_factors")
    with pytest.raises(ArtifactError, match="needs the scorer 'test_factors'; install the package"):
        Recommender.load(tmp_path / "a")


def test_a_recommender_of_another_making_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop().save(tmp_path / "a")

    def restore(tensors: Tensors, meta: dict[str, Any]) -> Scorer:
        return meta["heads"]

    monkeypatch.setattr(SCORERS.get("test_factors"), "restore", restore)
    with pytest.raises(ArtifactError, match="is no complete recommender: 'heads' is missing; fit it again"):
        Recommender.load(tmp_path / "a")


def test_a_place_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Not a directory"):
        shop().save(tmp_path / "file" / "a")


# what History offers to all of this


def test_take_rows_of_a_history() -> None:
    rows: Codes = np.array([1, -1, 0, 1])
    taken = history().take(rows)
    np.testing.assert_array_equal(taken.counts.toarray(), np.vstack([COUNTS[1], COUNTS[3] * 0, COUNTS[0], COUNTS[1]]))
    assert taken.ages.tolist() == [2, 3, 4, 0, 1, 2, 3, 4]
    assert taken.users.tolist() == [1, -1, 0, 1]
    nobody = history(np.zeros((0, 6), np.float32)).take(np.array([-1]))
    assert (len(nobody), nobody.counts.nnz) == (1, 0)


@pytest.mark.parametrize("row", [0, 1, 3, -1])
def test_one_row_of_a_history_is_what_take_gives(row: int) -> None:
    one, taken = history().of(row), history().take(np.array([row]))
    np.testing.assert_array_equal(one.counts.toarray(), taken.counts.toarray())
    np.testing.assert_array_equal(one.ages, taken.ages)
    np.testing.assert_array_equal(one.users, taken.users)
