"""Made-up Worlds whose truth is known: the measures order them as planted, and bad input is said in words."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from crossaisle.api import GapReport, World, fuse, gap
from crossaisle.data.synthetic import synthetic
from crossaisle.errors import ArtifactError, ConfigError, DataError, MethodError
from crossaisle.gap.report import Measure
from crossaisle.gap.view import carried, domain_map, nearest, order_from
from crossaisle.testing_world import START, tiny_world

QUICK = {"text": "", "permutations": 60, "resamples": 60}


def made(**changes: object) -> World:
    return synthetic(**{"n_domains": 2, "users": 200, "items": 100, **changes})[0]


def of(world: World, **changes: object) -> dict[str, Measure]:
    return gap(world, "d1", ["d0"], **{**QUICK, **changes}).of("d0", "d1")


@pytest.fixture(scope="module")
def plain() -> dict[str, Measure]:
    return of(made())


@pytest.mark.parametrize("changes", [{"distance": 1.0}, {"conflict": 1.0}])
def test_taste_that_is_turned_agrees_less(plain: dict[str, Measure], changes: dict[str, float]) -> None:
    turned = of(made(**changes))
    assert turned["neighbour_lift"].high < plain["neighbour_lift"].low
    assert turned["taste_correlation"].value < plain["taste_correlation"].low


def test_taste_of_its_own_is_unrelated(plain: dict[str, Measure]) -> None:
    assert plain["neighbour_lift"].value > (plain["neighbour_lift"].null or 0) > 1
    own = of(made(shared=0.0))
    assert {own[n].word for n in ("neighbour_lift", "taste_correlation")} == {"unrelated"}


@pytest.mark.parametrize("overlap", [0.2, 0.8])
def test_overlap_is_what_was_planted(overlap: float) -> None:
    found = of(made(user_overlap=overlap, item_overlap=overlap))
    assert found["users_known"].value == pytest.approx(overlap)
    assert found["users_shared"].value == 200 * overlap
    assert found["user_jaccard"].value == pytest.approx(overlap / (2 - overlap))
    assert found["item_jaccard"].value == pytest.approx(overlap / (2 - overlap))


def test_identical_domains_are_close() -> None:
    found = of(made(user_overlap=1.0, item_overlap=1.0))
    for name in ("mmd", "coral", "sliced_wasserstein", "proxy_a", "price_wasserstein", "degree_js"):
        assert found[name].value <= (found[name].null or 0.0)
        assert found[name].word == "close"
    assert found["content_cover"].value == found["same_titles"].value == 1.0
    assert found["items_known"].value > 0.95
    assert found["sales_correlation"].value > 0.8
    assert found["item_lift"].low > 1


def test_two_samples_of_one_domain_are_within_the_null() -> None:
    words = [of(made(seed=seed))["mmd"].word for seed in range(5)]
    assert words.count("close") >= 4


def shop(name: str, words: str, price: float, people: range, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """60 items whose titles are three of `words` in two kinds, bought by everyone in turn."""
    own = words.split()
    ids = [f"{name}{i}" for i in range(60)]
    titles = [" ".join(own[(i * 7 + k * (i % 5 + 1) + seed) % len(own)] for k in range(3)) for i in range(60)]
    items = pl.DataFrame({"item_id": ids, "title": titles, "category": [f"{name} {i % 4}" for i in range(60)]})
    items = items.with_columns(domain=pl.lit(name), price=price * (1.0 + pl.int_range(60) / 60))
    rows = [
        (f"u{p}", ids[(p * 3 + n * n) % 60], START + timedelta(days=p % 9 + 3 * n)) for p in people for n in range(6)
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return events.with_columns(domain=pl.lit(name), event=pl.lit("purchase")), items


TEA = "green black leaf bag earl grey mint herb lemon white oolong chai"
TOOLS = "hammer nail saw drill screw bolt wrench pliers file clamp level chisel"


@pytest.fixture(scope="module")
def street() -> World:
    shops = [
        shop("tea", TEA, 2.0, range(50)),
        shop("herbs", TEA, 2.0, range(40), seed=3),
        shop("tools", TOOLS, 50.0, range(100, 150)),
        shop("kiosk", TEA, 2.0, range(5)),
    ]
    return World.from_frames(pl.concat([e for e, _ in shops]), pl.concat([i for _, i in shops]))


@pytest.fixture(scope="module")
def found(street: World) -> GapReport:
    return gap(street, "tea", **QUICK)


def test_what_has_nothing_in_common_is_farthest(found: GapReport) -> None:
    assert nearest(found, "tea")[-2:] == ["tools", "*"]
    far, near = found.of("tools", "tea"), found.of("herbs", "tea")
    for name in ("mmd", "price_wasserstein", "sliced_wasserstein"):
        assert far[name].low > near[name].high
    assert far["proxy_a"].value == 2.0  # told apart without an error
    assert far["users_known"].word == far["price_wasserstein"].word == "unrelated"
    assert far["users_known"].value == 0.0
    assert far["price_wasserstein"].value == pytest.approx(math.log2(25), abs=1e-6)
    assert near["users_known"].value == 0.8
    assert near["mmd"].word == "close"


def test_categories_align_with_their_like(found: GapReport) -> None:
    rows = [a for a in found.aligned if a.source == "*"]
    assert {a.target_category for a in rows} == {f"tea {i}" for i in range(4)}
    assert not any(a.source_category.startswith("tools") for a in rows)
    for kind in {a.target_category for a in rows}:
        assert sum(a.share for a in rows if a.target_category == kind) == pytest.approx(1.0)


def test_fewer_than_thirty_users_say_nothing(found: GapReport) -> None:
    few = found.of("kiosk", "tea")
    assert few["users_known"].word == few["neighbour_lift"].word == "too little to say"
    assert any("kiosk has 5 visible users" in w for w in found.warnings)
    assert few["mmd"].word == "close"


def test_directed_measures_know_their_direction(street: World) -> None:
    both = gap(street, sources=("tea", "herbs"), **QUICK)
    there, back = both.of("herbs", "tea"), both.of("tea", "herbs")
    assert (there["users_known"].value, back["users_known"].value) == (0.8, 1.0)
    assert there["users_known"].value == back["users_reached"].value
    assert there["price_shift"].value == -back["price_shift"].value
    for name in ("mmd", "coral", "proxy_a", "price_wasserstein", "taste_correlation"):
        assert (there[name].value, there[name].low) == (back[name].value, back[name].low)
    assert {m.target for m in both.measures} == {"tea", "herbs"}


def test_map_puts_the_like_together(found: GapReport) -> None:
    places = domain_map(found)
    assert set(places) == {"tea", "herbs", "tools", "kiosk"}
    assert math.dist(places["tea"], places["herbs"]) < math.dist(places["tea"], places["tools"]) / 2


def test_a_target_that_is_not_open_yet(street: World) -> None:
    found = gap(street, "tea", weeks=0, cut=START + timedelta(weeks=12), **QUICK)
    assert any("tea has no visible interactions" in w for w in found.warnings)
    rows = found.of("herbs", "tea")
    assert rows["mmd"].word == "close"
    assert rows["neighbour_lift_elsewhere"].family == "users"
    assert {rows[n].word for n in ("users_known", "neighbour_lift", "basket_lift")} == {"too little to say"}


def test_only_visible_rows_count() -> None:
    cut = START + timedelta(weeks=12)
    world = tiny_world()
    cake = world.interactions.filter(pl.col("domain") == world.domain_code("cake"))
    seen = cake.filter((pl.col("timestamp") < cut) & (pl.col("timestamp") >= cut - timedelta(weeks=3)))
    facts = {d.domain: d for d in gap(world, "cake", cut=cut, weeks=3, **QUICK).domains}
    assert (facts["cake"].interactions, facts["cake"].users) == (len(seen), seen["user"].n_unique())
    later = dataclasses.replace(world, interactions=world.interactions.filter(pl.col("timestamp") < cut))
    one, other = (gap(w, "cake", cut=cut, weeks=3, **QUICK) for w in (world, later))
    assert [repr(m) for m in one.measures] == [repr(m) for m in other.measures]


def test_items_that_say_nothing() -> None:
    events, _ = shop("tea", TEA, 1.0, range(40))
    others, _ = shop("tools", TOOLS, 1.0, range(40))
    report = gap(World.from_frames(pl.concat([events, others])), "tea", **QUICK)
    assert any("No item has a title" in w for w in report.warnings)
    assert report.of("tools", "tea")["mmd"].word == "too little to say"
    assert math.isfinite(report.of("tools", "tea")["neighbour_lift"].value)
    assert report.aligned == ()


def test_currencies_are_brought_to_one_scale() -> None:
    euro, yen = shop("tea", TEA, 1.0, range(40)), shop("cha", TEA, 160.0, range(40))
    items = pl.concat([euro[1].with_columns(currency=pl.lit("EUR")), yen[1].with_columns(currency=pl.lit("JPY"))])
    events = pl.concat([euro[0], yen[0]])
    assert gap(World.from_frames(events, items), "tea", **QUICK).of("cha", "tea")["price_shift"].word == "close"
    same = World.from_frames(events, items.drop("currency"))
    shift = gap(same, "tea", **QUICK).of("cha", "tea")["price_shift"]
    assert shift.value == pytest.approx(-math.log2(160), abs=1e-5)


def test_a_base_is_scored() -> None:
    world = made(users=120, items=60)
    base = fuse(world, ["d0"], steps=60, dim=8, hidden=16, collaborative=8, content={"text": ""})
    report = gap(world, "d1", base=base, **QUICK)
    rows = report.of("d0", "d1")
    assert {n for n, m in rows.items() if m.family == "transferability"} == {"log_me", "h_score", "leep"}
    assert all(rows[n].low <= rows[n].value <= rows[n].high for n in ("log_me", "h_score", "leep"))
    assert report.environment["seconds_by_family"]["transferability"] >= 0
    with pytest.raises(MethodError, match="other items"):
        gap(tiny_world(), "cake", base=base, **QUICK)


def test_the_same_seed_gives_the_same_report(street: World, found: GapReport, tmp_path: Path) -> None:
    again = gap(street, "tea", **QUICK)
    assert [repr(m) for m in again.measures] == [repr(m) for m in found.measures]
    assert again.aligned == found.aligned
    (tmp_path / "gap.json").write_text(found.to_json(), encoding="utf-8")
    assert GapReport.read(tmp_path / "gap.json").to_json() == found.to_json()
    assert json.loads(found.to_json())["schema_version"] == 1


def test_a_broken_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no"):
        GapReport.read(tmp_path / "gap.json")
    for text, said in (("{", "not a gap.json"), ('{"schema_version": 99}', "upgrade"), ("{}", "not a whole")):
        (tmp_path / "gap.json").write_text(text)
        with pytest.raises(ArtifactError, match=said):
            GapReport.read(tmp_path / "gap.json")


def test_mistakes_are_refused(street: World) -> None:
    with pytest.raises(ConfigError, match="name the target"):
        gap(street, weeks=2)
    with pytest.raises(ConfigError, match="at least 30"):
        gap(street, "tea", items=5)
    with pytest.raises(ConfigError, match="at least 20"):
        gap(street, "tea", resamples=1)
    with pytest.raises(DataError, match="unknown domain"):
        gap(street, "teas")
    alone = World.from_frames(shop("tea", TEA, 1.0, range(3))[0])
    with pytest.raises(DataError, match="at least two domains"):
        gap(alone, "tea")


def test_without_times_behaviour_is_left_out() -> None:
    events = pl.concat([shop("tea", TEA, 1.0, range(40))[0], shop("cha", TEA, 1.0, range(40))[0]])
    report = gap(World.from_frames(events.drop("timestamp")), "tea", **QUICK)
    assert any("has a time" in w for w in report.warnings)
    assert math.isnan(report.of("cha", "tea")["basket_lift"].value)


def test_without_pot_categories_are_left_out(street: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MethodError("optimal transport needs POT")

    monkeypatch.setattr("crossaisle.distances._pot", missing)
    report = gap(street, "tea", **QUICK)
    assert report.aligned == ()
    assert any("not aligned: optimal transport needs POT" in w for w in report.warnings)
    assert report.of("herbs", "tea")["mmd"].word == "close"


def test_without_the_text_model_words_are_compared(street: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.encoders.text_model.find_spec", lambda name: None)
    report = gap(street, "tea", permutations=20, resamples=20)
    assert report.protocol["content"] == "words and attributes"
    assert any("not installed" in w for w in report.warnings)
    with pytest.raises(ConfigError, match="no text model"):
        gap(street, "tea", text="./nowhere")


def told(source: str, **values: float) -> list[Measure]:
    return [Measure(source, "t", "users", name, value, value, value) for name, value in values.items()]


def test_what_a_source_carries_is_people_times_depth_times_lift_and_items() -> None:
    rows = [
        *told("deep", users_known=0.5, user_depth=math.e - 1, neighbour_lift=3.0, items_known=0.25),
        *told("strangers", users_known=0.0, user_depth=math.nan, neighbour_lift=math.nan, items_known=0.4),
        *told("*", users_known=1.0, user_depth=9.0, neighbour_lift=9.0, items_known=1.0),
    ]
    found = carried(GapReport("w", {}, (), tuple(rows)), "t")
    assert found == {"deep": pytest.approx(0.5 * 1.0 * 3.0 + 0.25), "strangers": 0.4}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"world": made(seed=1)}, "other data"),
        ({"target": "d0"}, "about the target 'd1', not 'd0'"),
        ({"weeks": 2.0}, "weeks None, not with cut None and weeks 2.0"),
        ({"cut": "2024-03-01"}, "cut None and weeks None, not with cut 2024-03-01"),
    ],
)
def test_the_gap_of_another_question_gives_no_order(asked: dict[str, object], said: str) -> None:
    world = made()
    report = gap(world, "d1", **{**QUICK, "permutations": 20, "resamples": 20})
    assert order_from(report, world, "d1") == carried(report, "d1")
    with pytest.raises(ConfigError, match=said):
        order_from(report, **{"world": world, "target": "d1", **asked})
