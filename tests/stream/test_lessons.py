from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sqlalchemy", reason="the room stream reads rows of a store: pip install crossaisle[serve]")

from crossaisle.api import Recommender, fuse, transfer
from crossaisle.data.overview import Overview
from crossaisle.errors import ConfigError, MethodError
from crossaisle.stream.forgetting import forgotten
from crossaisle.stream.growth import joined
from crossaisle.stream.lesson import Lesson, Teaching, lesson, sifted
from crossaisle.testing_world import LATE, START, tiny_world

WHOLE = tiny_world()
CUT = START + timedelta(weeks=LATE)
KNOWN = WHOLE.until(CUT)
CAME = WHOLE.interactions.filter(pl.col("timestamp") >= CUT).sort("timestamp")
NOW = START + timedelta(weeks=16)
HOW = Teaching(people=10)


@pytest.fixture(scope="module")
def current() -> Recommender:
    return transfer(KNOWN, "cake", method="user_kernel")


def flood(user: int, moment: datetime, n: int = 10_000) -> pl.DataFrame:
    """One person who buys cakes n times at once."""
    catalogue = WHOLE.catalogue("cake")
    items = pl.Series(catalogue[np.arange(n) % len(catalogue)]).cast(pl.UInt32)
    like = CAME.filter(pl.col("domain") == WHOLE.domain_code("cake")).head(1)
    return pl.concat([like] * n).with_columns(item=items, user=pl.lit(user, pl.UInt32), timestamp=pl.lit(moment))


def scores(shop: Recommender) -> np.ndarray:
    return shop.score(WHOLE.user_ids.ids.to_list(), shop.item_ids.decode(shop.catalogue))


def made(found: Lesson | None) -> Recommender:
    assert found is not None
    assert found.candidate is not None
    return found.candidate


def test_what_comes_before_the_window_is_learned_and_nothing_of_it(current: Recommender) -> None:
    found = lesson(KNOWN, CAME, NOW, current, HOW)
    assert found is not None
    times = CAME["timestamp"]
    assert times[found.learned - 1] <= found.start < times[found.learned]
    assert made(found).history.counts.sum() == KNOWN.interactions.height + found.learned
    cakes = CAME[: found.learned].filter(pl.col("domain") == WHOLE.domain_code("cake")).height
    before, after = (Overview.from_document(s.facts["overview"]).domains[0] for s in (current, made(found)))
    assert (after.domain, after.interactions) == ("cake", before.interactions + cakes)
    assert found.judgement is not None
    assert found.judgement.users >= 10
    assert found.promote == found.judgement.promote
    assert np.array_equal(scores(made(found)), scores(made(lesson(KNOWN, CAME, NOW, current, HOW))))


def test_a_poisoned_batch_changes_nothing(current: Recommender) -> None:
    day = CAME["timestamp"][len(CAME) // 4]
    dirty = pl.concat([CAME, flood(3, day.replace(hour=3))]).sort("timestamp", maintain_order=True)
    clean = CAME.filter((pl.col("user") != 3) | (pl.col("timestamp").dt.date() != day.date()))
    found, without = (lesson(KNOWN, rows, NOW, current, HOW) for rows in (dirty, clean))
    assert found is not None
    assert found.aside.people == 1
    assert found.aside.floods >= 10_000
    assert np.array_equal(scores(made(found)), scores(made(without)))


def test_a_poisoned_window_judges_as_without_it(current: Recommender) -> None:
    late = CAME["timestamp"][-1]
    dirty = pl.concat([CAME, flood(3, late)]).sort("timestamp", maintain_order=True)
    clean = CAME.filter((pl.col("user") != 3) | (pl.col("timestamp").dt.date() != late.date()))
    found, without = (lesson(KNOWN, rows, late, current, HOW) for rows in (dirty, clean))
    assert found is not None
    assert without is not None
    assert found.judgement == without.judgement


def test_the_guard_keeps_back_what_a_flood_has_ruined() -> None:
    how = Teaching(method="popularity", options={"unit": "events"}, most_a_day=10**9, people=60, most_windows=21)
    served = transfer(KNOWN, "cake", method="popularity", unit="events")
    worst = WHOLE.catalogue("cake")[np.argsort(scores(served)[0])[:10]]
    ruin = flood(3, CUT + timedelta(hours=1)).with_columns(item=pl.Series(np.resize(worst, 10_000)).cast(pl.UInt32))
    found = lesson(KNOWN, pl.concat([CAME, ruin]).sort("timestamp"), NOW, served, how)
    assert found is not None
    assert found.judgement is not None
    assert (found.judgement.verdict, found.promote) == ("hurts", False)


def test_times_that_have_not_come_are_set_aside(current: Recommender) -> None:
    early = CAME.tail(1).with_columns(timestamp=pl.lit(datetime(2099, 1, 1)))
    good, aside = sifted(pl.concat([early, CAME]), NOW, 500)
    assert good.to_list() == [False] + [True] * len(CAME)
    assert (aside.early, aside.floods) == (1, 0)
    found, without = (lesson(KNOWN, rows, NOW, current, HOW) for rows in (pl.concat([early, CAME]), CAME))
    assert np.array_equal(scores(made(found)), scores(made(without)))


def test_nothing_to_learn_before_the_window(current: Recommender) -> None:
    assert lesson(KNOWN, CAME.head(1), NOW, current, HOW) is None
    assert lesson(KNOWN, CAME.clear(), NOW, current, HOW) is None


def test_a_method_that_cannot_be_fitted_keeps_what_is_served(current: Recommender) -> None:
    found = lesson(KNOWN, CAME, NOW, current, Teaching(method="zero_shot"))
    assert found is not None
    assert (found.candidate, found.judgement, found.promote) == (None, None, False)
    assert "needs base" in found.why


def test_only_the_last_days_of_the_target_are_remembered(current: Recommender) -> None:
    found = made(lesson(KNOWN, CAME, NOW, current, replace(HOW, memory_days=14)))
    everything = made(lesson(KNOWN, CAME, NOW, current, HOW))
    cake = WHOLE.catalogue("cake")
    assert 0 < found.history.counts[:, cake].sum() < everything.history.counts[:, cake].sum()


@pytest.mark.parametrize("wrong", [{"most_a_day": 0}, {"window_hours": 0.0}, {"margin": -0.1}, {"memory_days": 0.0}])
def test_numbers_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="needed"):
        Teaching(**wrong)


def test_a_network_goes_on_from_its_weights_and_what_it_forgets_is_measured(current: Recommender) -> None:
    base = fuse(KNOWN, ("tea", "coffee"), steps=20)
    first = transfer(KNOWN, "cake", method="shared_bottom", base=base, sources=("tea", "coffee"), steps=20)
    how = Teaching(method="shared_bottom", sources=("tea", "coffee"), warm_steps=1, people=10)
    warm = made(lesson(KNOWN, CAME, NOW, first, how, base))
    fresh = made(lesson(KNOWN, CAME, NOW, first, replace(how, warm_steps=0, options={"steps": 1}), base))
    assert warm.facts["warm"] is True
    assert warm.facts["steps"] == 1
    # One step from the served weights stays near them; one step from the base does not come so far.
    assert np.abs(scores(warm) - scores(first)).max() < np.abs(scores(fresh) - scores(first)).max()
    known, window = joined(KNOWN, CAME[:50]), CAME[50:]
    as_served = forgotten(first, base, known, window, "tea", CAME["timestamp"][50])
    assert forgotten(warm, base, known, window, "tea", CAME["timestamp"][50]) == as_served  # nothing shared has moved
    warm = made(lesson(KNOWN, CAME, NOW, first, replace(how, warm_steps=20, shared=True), base))
    lost = forgotten(warm, base, known, window, "tea", CAME["timestamp"][50])
    assert lost.users > 10
    assert lost.after != as_served.after
    assert lost.change.mean == pytest.approx(lost.after - lost.before)
    assert lost.share == pytest.approx((lost.before - lost.after) / lost.before)
    with pytest.raises(MethodError, match="shares no head"):
        forgotten(current, base, known, window, "tea", CAME["timestamp"][50])
