"""From a log and a candidate to estimates: columns, coverage, refusals and every mistake's sentence."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crossaisle.errors import DataError
from crossaisle.experiments import estimate, policy_of, read_log, read_policy
from crossaisle.experiments.candidate import placed
from crossaisle.testing_world import tiny_world

RATES = {"a": 0.1, "b": 0.3, "c": 0.6}
LOGGING = {"a": 0.5, "b": 0.3, "c": 0.2}


def log_of(n: int, seed: int = 0, users: int | None = None) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    items = rng.choice(list(LOGGING), n, p=list(LOGGING.values()))
    frame = pl.DataFrame({"item_id": items, "propensity": [LOGGING[i] for i in items]})
    frame = frame.with_columns(reward=pl.Series((rng.random(n) < [RATES[i] for i in items]).astype(float)))
    return frame if users is None else frame.with_columns(user_id=pl.Series([f"u{i % users}" for i in range(n)]))


def policy(**probability: float) -> pl.DataFrame:
    return read_policy(pl.DataFrame({"item_id": list(probability), "probability": list(probability.values())}))


def test_the_truth_is_met() -> None:
    found = estimate(read_log(log_of(8000)), policy(a=0.2, b=0.2, c=0.6))
    truth = 0.2 * 0.1 + 0.2 * 0.3 + 0.6 * 0.6
    assert found.refused is None
    assert found.headline == "dr"
    for name in ("ips", "snips", "dr", "clipped"):
        assert found.values[name].low < truth < found.values[name].high
    gain = found.values["gain"]
    assert gain.value == pytest.approx(found.values["dr"].value - found.values["logged"].value)
    assert gain.low > 0
    assert found.warnings == ()


def test_a_column_of_probabilities_is_enough_but_for_the_doubly_robust() -> None:
    log = log_of(4000).with_columns(candidate=pl.col("item_id").replace_strict({"a": 0.2, "b": 0.2, "c": 0.6}))
    found = estimate(read_log(log))
    whole = estimate(read_log(log), policy(a=0.2, b=0.2, c=0.6))
    assert "dr" not in found.values
    assert found.values["snips"] == pytest.approx(whole.values["snips"], rel=1e-5)
    assert math.isnan(found.support.uncovered)


def test_the_log_as_its_own_candidate_is_the_log() -> None:
    found = estimate(read_log(log_of(2000)), policy(**LOGGING))
    assert found.values["ips"] == pytest.approx(found.values["logged"], rel=1e-5)
    assert found.support.effective_units == pytest.approx(2000)
    assert found.support.mean_weight.value == pytest.approx(1.0)


def test_what_was_never_shown_is_refused() -> None:
    found = estimate(read_log(log_of(4000)), policy(a=0.5, b=0.2, new=0.3))
    assert found.support.uncovered == pytest.approx(0.3)
    assert "30% of what the candidate shows was never shown" in str(found.refused)
    document = found.to_document()
    assert list(document["values"]) == ["logged"]
    assert document["headline"] is None


def test_too_few_rows_are_refused() -> None:
    assert "are needed" in str(estimate(read_log(log_of(60)), policy(**LOGGING)).refused)


def test_wrong_propensities_are_noticed() -> None:
    halved = log_of(4000).with_columns(pl.col("propensity") / 2)
    assert "1 is not in its 95 % interval" in estimate(read_log(halved), policy(**LOGGING)).warnings[0]
    doubled = log_of(4000).with_columns(pl.col("propensity") * 2)
    assert "a mean of 0.50" in str(estimate(read_log(doubled), policy(**LOGGING)).refused)


def test_users_are_the_unit_where_they_are_known() -> None:
    copied = pl.concat([log_of(500).with_columns(user_id=pl.Series([f"u{i}" for i in range(500)]))] * 4)
    by_user = estimate(read_log(copied), policy(**LOGGING))
    by_row = estimate(read_log(copied.drop("user_id")), policy(**LOGGING))
    wide, narrow = (v.values["snips"].high - v.values["snips"].low for v in (by_user, by_row))
    assert (by_user.unit, by_row.unit) == ("user", "row")
    assert [round(v.support.effective_units) for v in (by_user, by_row)] == [500, 2000]
    assert wide == pytest.approx(2 * narrow, rel=0.15)
    assert estimate(read_log(copied.rename({"user_id": "request_id"})), policy(**LOGGING)).unit == "list"


def test_places_have_their_own_estimates() -> None:
    both = pl.concat([log_of(4000, seed).with_columns(position=pl.lit(seed)) for seed in (1, 2)])
    places = pl.DataFrame({"item_id": ["a", "c"], "probability": [1.0, 1.0], "position": [1, 2]})
    found = estimate(read_log(both), read_policy(places))
    assert found.places[1].low < 0.1 < found.places[1].high
    assert found.places[2].low < 0.6 < found.places[2].high


def test_a_candidate_for_each_user() -> None:
    log = read_log(log_of(3000, users=2))
    rows = [("u0", "a", 1.0), ("u1", "c", 1.0)]
    found = placed(log, read_policy(pl.DataFrame(rows, schema=["user_id", "item_id", "probability"], orient="row")))
    wanted = (
        log["item_id"]
        == pl.select(pl.when(log["user_id"] == "u0").then(pl.lit("a")).otherwise(pl.lit("c"))).to_series()
    )
    assert found.probability.tolist() == wanted.cast(pl.Float64).to_list()
    assert found.uncovered == 0.0


def test_a_recommender_is_a_candidate(shop_recommender: object) -> None:
    shop = shop_recommender
    ids = shop.item_ids.decode(shop.catalogue)  # type: ignore[attr-defined]
    users = tiny_world().user_ids.decode(np.arange(20))
    rng, n = np.random.default_rng(0), 4000
    rows = pl.DataFrame(
        {"item_id": rng.choice(ids, n), "user_id": rng.choice(users, n), "position": rng.integers(1, 3, n)}
    )
    log = read_log(rows.with_columns(propensity=pl.lit(1 / len(ids)), reward=pl.lit(1.0)))
    table = policy_of(shop, log)  # type: ignore[arg-type]
    first = shop.recommend(users[:1], 2, exclude_seen=False).items[0].tolist()  # type: ignore[attr-defined]
    assert table.filter(user_id=users[0]).sort("position")["item_id"].to_list() == first
    found = estimate(log, table)
    assert found.values["ips"].low < 1.0 < found.values["ips"].high
    with pytest.raises(DataError, match="no user_id"):
        policy_of(shop, log.drop("user_id"))  # type: ignore[arg-type]


GOOD = log_of(20)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (GOOD.drop("propensity"), "propensity: this column is missing"),
        (GOOD.with_columns(propensity=pl.lit(0.0)), "too small"),
        (GOOD.with_columns(propensity=pl.lit(1.5)), "too large"),
        (GOOD.with_columns(propensity=pl.lit(None, pl.Float64)), "empty"),
        (GOOD.with_columns(reward=pl.lit("yes")), "not a number"),
        (GOOD.with_columns(position=pl.lit(0)), "too small"),
        (GOOD.head(0), "no rows"),
    ],
)
def test_mistakes_of_a_log(frame: pl.DataFrame, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_log(frame)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", 0.5), ("b", 0.4)], "add up to 0.9"),
        ([("a", 0.5), ("a", 0.5)], "lists an item twice"),
        ([("a", -1.0)], "negative"),
    ],
)
def test_mistakes_of_a_candidate(rows: list[tuple[str, float]], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_policy(pl.DataFrame(rows, schema=["item_id", "probability"], orient="row"))


def test_mistakes_of_both() -> None:
    log = read_log(log_of(50))
    with pytest.raises(DataError, match="there is no candidate"):
        estimate(log)
    with pytest.raises(DataError, match="for each user_id"):
        placed(log, policy(**LOGGING).with_columns(user_id=pl.lit("u")))
    with pytest.raises(DataError, match="says nothing about 1 of the 1"):
        placed(log, policy(**LOGGING).with_columns(position=pl.lit(2, pl.Int32)))
    with pytest.raises(DataError, match="one user alone"):
        estimate(read_log(log_of(50, users=1)), policy(**LOGGING))
    with pytest.raises(DataError, match="did you mean 'reward'"):
        read_log(GOOD, {"rewards": "reward"})


def test_files_are_read_and_columns_renamed(tmp_path: Path) -> None:
    GOOD.rename({"reward": "click"}).write_csv(tmp_path / "log.csv")
    assert read_log(tmp_path / "log.csv", {"click": "reward"})["reward"].to_list() == GOOD["reward"].to_list()
