"""`explain`: sums, deletion, domains, counterfactuals, and honest answers where nothing is known."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import pytest

from crossaisle.api import World, transfer
from crossaisle.attribution import contributions_of, keeping
from crossaisle.errors import ConfigError, DataError
from crossaisle.explain import explain, section
from crossaisle.recommender import Recommender, scorer
from crossaisle.types import Floats, History, Tensors

Fitted = Callable[..., Recommender]
QUICK = {"shared_bottom": {"steps": 60}, "blend": {"parts": ("als", "user_kernel", "zero_shot")}}


def test_a_named_item_is_explained_however_small_the_catalogue() -> None:
    had = {"user_id": ["u1", "u1", "u2"], "item_id": ["only", "bread", "bread"], "domain": ["kiosk", "shop", "shop"]}
    shop = transfer(World.from_frames(pl.DataFrame(had)), "kiosk", method="item_knn")
    assert [(e.item_id, e.place) for e in explain(shop, "u2", ["only"])] == [("only", 1)]


@pytest.mark.parametrize("method", ["user_kernel", "als", "shared_bottom", "blend"])
def test_what_is_named_decides_the_score(kept: Fitted, method: str) -> None:
    shop, draw = kept(method, **QUICK.get(method, {})), np.random.default_rng(0)
    told, chance = [], []
    for user in range(40):
        history = shop.history.take(np.array([user]))
        scores = shop.scorer.score(history)[0]
        place, events = int(scores.argmax()), history.counts.nnz
        parts = contributions_of(shop.scorer, history, np.eye(len(scores))[[place]]).parts[0]

        def changed(out: np.ndarray, who=history, at=place, whole=events, before=scores) -> float:
            left = keeping(who, np.setdiff1d(np.arange(whole), out))
            return abs(float(shop.scorer.score(left)[0, at] - before[at]))

        told.append(changed(np.argsort(-parts)[:3]))
        chance += [changed(draw.choice(events, 3, replace=False)) for _ in range(5)]
    assert np.mean(told) >= 3 * np.mean(chance)


@pytest.mark.parametrize("method", ["user_kernel", "blend", "emcdr"])
def test_everything_sums_to_the_score(cake: Fitted, method: str) -> None:
    shop = cake(method, **QUICK.get(method, {}))
    found = explain(shop, "u12", k=4)
    names = shop.recommend(["u12"], 4).items[0].tolist()
    assert [e.item_id for e in found] == names
    assert [e.place for e in found] == [1, 2, 3, 4]
    for e in found:
        assert e.score == pytest.approx(shop.score(["u12"], [e.item_id])[0, 0])
        assert e.start + sum(e.by_domain.values()) == pytest.approx(e.score, abs=1e-4)
        assert e.start + sum(e.by_modality.values()) == pytest.approx(e.score, abs=1e-4)
        assert sum(e.shares.values()) == pytest.approx(1)
        assert e.sampled == (method == "emcdr")
        assert all(b.contribution > 0 for b in e.because)
    assert json.loads(json.dumps(section(found)))["explanations"][0]["item_id"] == names[0]


def test_without_a_domain_the_list_is_what_it_says(cake: Fitted) -> None:
    shop = cake("user_kernel")
    e = explain(shop, "u12", k=3)[0]
    assert e.counterfactual is not None
    held = shop.history.take(shop.user_ids.encode(["u12"]))
    sold = shop.items["domains"].gather(held.counts.indices).to_list()
    gone = [d == [e.counterfactual.domain] for d in sold]
    assert e.counterfactual.purchases == sum(gone)
    left = keeping(held, np.flatnonzero(~np.array(gone)))
    scores = shop.scorer.score(left)[0]
    assert e.counterfactual.score == pytest.approx(scores[shop.ranker.places[shop.item_ids.code(e.item_id)]])
    usual = set(shop.recommend(["u12"], 3).items[0].tolist())
    scores[shop.ranker.places[held.counts.indices[np.isin(held.counts.indices, shop.catalogue)]]] = -np.inf
    then = set(shop.item_ids.decode(shop.catalogue[np.argsort(-scores)[:3]]))
    assert {i.item_id for i in e.counterfactual.gained} == then - usual
    assert {i.item_id for i in e.counterfactual.lost} == usual - then
    assert f"Without what they have from {e.counterfactual.domain}" in e.sentence


def test_an_item_of_two_domains_counts_for_both_together(cake: Fitted) -> None:
    labels = {name for e in explain(cake("ease", scope="all"), "u12", k=5, n=50) for name in e.by_domain}
    assert {"tea", "coffee", "cake"} <= {part for name in labels for part in name.split(" or ")}
    assert any(" or " in name for name in labels)


def test_a_stranger_is_told_that_nothing_is_known(cake: Fitted) -> None:
    e = explain(cake("user_kernel"), "nobody", k=1)[0]
    assert (e.known, e.basis, e.because, e.by_domain, e.counterfactual) == (False, "popularity", (), {}, None)
    assert e.start == pytest.approx(e.score, abs=1e-6)
    assert e.sentence.startswith("Nothing is known of this person")


def test_popularity_says_that_nothing_personal_counts(cake: Fitted) -> None:
    e = explain(cake("popularity"), "u12", k=1)[0]
    assert (e.known, e.basis, e.shares) == (True, "popularity", {})
    assert "Nothing this person did tells about" in e.sentence


def test_a_session_is_explained_by_its_items(cake: Fitted) -> None:
    e = explain(cake("user_kernel"), session=["tea01", "coffee05", "no such item"], k=1)[0]
    assert {b.item_id for b in e.because} <= {"tea01", "coffee05"}
    assert e.because
    assert (e.user, e.known) == ("", True)


def test_an_item_that_they_have_has_no_place(cake: Fitted) -> None:
    shop = cake("ease")
    mine = shop.history.take(shop.user_ids.encode(["u12"])).counts.indices
    had = shop.item_ids.decode(mine[np.isin(mine, shop.catalogue)])[0]
    e = explain(shop, "u12", [had])[0]
    assert (e.item_id, e.place, e.place_for_anybody) == (had, None, None)
    assert "which this person has already" in e.sentence


def test_what_suits_everybody_is_not_told_as_personal(cake: Fitted) -> None:
    shop = cake("user_kernel")
    for e in explain(shop, "u12", k=8):
        seen = shop.history.take(shop.user_ids.encode(["u12"])).counts.indices
        left = [i for i in shop.item_ids.decode(shop.catalogue) if shop.item_ids.code(i) not in seen]
        assert e.place_for_anybody == 1 + sum(
            s > shop.score(["nobody"], [e.item_id])[0, 0] for s in shop.score(["nobody"], left)[0]
        )
        assert e.place is not None
        general = e.place_for_anybody <= max(10, e.place)
        assert ("suits people in general" in e.sentence) == general


@scorer("titles for a test")
@dataclass(frozen=True)
class Titles:
    """Scores items by words of their titles, for whoever has something."""

    kind: ClassVar[str] = "titles for a test"
    values: Floats

    def score(self, history: History) -> Floats:
        return (np.diff(history.counts.indptr)[:, None] > 0) * self.values[None, :]

    def extend(self, content: pl.DataFrame) -> Self:
        worth = {"green": 2.0, "cake": -0.5}
        fresh = [sum(worth.get(w, 0.0) for w in title.split()) for title in content["title"]]
        return type(self)(np.append(self.values, fresh).astype(np.float32))

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        return {"values": self.values}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        return cls(tensors["values"])


def test_words_are_what_is_lost_without_them(cake: Fitted) -> None:
    shop = cake("popularity")
    made = dataclasses.replace(shop, scorer=Titles(np.arange(24, dtype=np.float32)))
    e = explain(made, "u12", ["cake00"], words=True)[0]
    assert e.title == "green cake no 0"
    assert e.words == {"green": 2.0, "cake": -0.5}


def test_features_that_a_network_reads(cake: Fitted) -> None:
    e = explain(cake("zero_shot"), "u12", k=1, words=True)[0]
    # The base reads no text, but brand and price.
    assert e.words == {}
    assert set(e.features or {}) == {"brand", "price"}
    assert {"attributes", "price"} <= set(e.by_modality)
    assert explain(cake("ease"), "u12", k=1, words=True)[0].features == {}


def test_artifacts_from_before_domains_were_kept(cake: Fitted, tmp_path: Path) -> None:
    shop = cake("user_kernel")
    old = dataclasses.replace(shop, items=shop.items.drop("domains"))
    old.save(tmp_path / "old")
    e = explain(Recommender.load(tmp_path / "old"), "u12", k=1)[0]
    assert (set(e.by_domain), e.counterfactual) == ({"domain unknown"}, None)


def test_domains_and_content_are_saved(cake: Fitted, tmp_path: Path) -> None:
    shop = cake("shared_bottom", steps=60)
    shop.save(tmp_path / "shop")
    assert explain(Recommender.load(tmp_path / "shop"), "u12") == explain(shop, "u12")


def test_items_that_come_new_are_the_targets_own(cake: Fitted) -> None:
    shop = cake("blend", **QUICK["blend"])
    wider = shop.with_items(pl.DataFrame({"item_id": ["fresh"], "title": ["green cake"], "brand": ["brand 1"]}))
    e = explain(wider, "u12", ["fresh"])[0]
    assert e.start + sum(e.by_domain.values()) == pytest.approx(e.score, abs=1e-4)
    assert "cake" in explain(wider, session=["fresh", "tea00"], k=1)[0].by_domain


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"items": ["cake0x"]}, DataError, "unknown item 'cake0x': did you mean"),
        ({"items": ["tea01"]}, DataError, "item 'tea01' is not of 'cake'"),
        ({"k": 0}, ConfigError, "k is 0; choose a number from 1 to 24"),
        ({"n": -1}, ConfigError, "^n is -1; choose a number of at least 0"),
        ({"session": ["tea01"]}, ConfigError, "a user and a session were given"),
    ],
)
def test_wrong_questions_are_refused(cake: Fitted, asked: dict[str, object], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        explain(cake("ease"), "u12", **asked)
