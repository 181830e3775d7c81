"""The routes that answer, through the HTTP API."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from serving import House, Open

from crossaisle.explain import explain
from crossaisle.recommender import Recommender
from crossaisle.serve import Settings
from crossaisle.serve.schemas import List


def test_a_user_gets_what_the_recommender_gives(house: House, fitted: Path) -> None:
    ranking = Recommender.load(fitted / "zero_shot").recommend(["u20"], 5)
    found = house.post("/v1/recommend", user="u20", k=5)
    assert [i["item_id"] for i in found["items"]] == ranking.items[0].tolist()
    assert [i["score"] for i in found["items"]] == pytest.approx(ranking.scores[0].tolist())
    assert (found["basis"], found["domain"], found["known"]) == (ranking.basis[0], "cake", True)
    assert found["items"][0]["title"].endswith("0")
    assert found["items"][0]["price"] == 1.0


def test_many_at_once_get_the_same_as_alone(house: House) -> None:
    from concurrent.futures import ThreadPoolExecutor

    users = [f"u{n:02d}" for n in range(10, 40)]
    alone = [house.listed(u) for u in users]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(house.listed, users)) == alone


def test_an_unknown_user_gets_an_honest_general_answer(house: House) -> None:
    found = house.post("/v1/recommend", user="nobody", k=3)
    assert (found["basis"], found["known"], len(found["items"])) == ("popularity", False, 3)


def test_a_list_has_the_shape_that_is_documented(house: House) -> None:
    for answer in (house.post("/v1/recommend", user="u21"), house.post("/v1/recommend/session", items=["cake01"])):
        assert List.model_validate(answer, strict=True).model_dump(mode="json") == answer


def test_a_session_counts(house: House) -> None:
    found = house.post("/v1/recommend/session", items=["tea00", "tea04", "no such"], k=4)
    assert found["known"]
    assert found["basis"] != "popularity"
    assert house.post("/v1/recommend/session", items=[], k=4)["basis"] == "popularity"


def test_filters_hold_and_never_shorten_the_list_without_need(house: House) -> None:
    everything = house.post("/v1/recommend", user="u20", k=24, exclude_seen=False)["items"]
    cheap = house.post("/v1/recommend", user="u20", k=24, exclude_seen=False, max_price=2.0, min_price=1.5)["items"]
    assert [i for i in everything if 1.5 <= i["price"] <= 2.0] == cheap
    assert house.listed("u20", k=24, available=["cake01", "cake02", "no such"], exclude_seen=False) == [
        i["item_id"] for i in everything if i["item_id"] in ("cake01", "cake02")
    ]
    seen = {i["item_id"] for i in everything} - set(house.listed("u20", k=24))
    assert seen
    assert house.listed("u20", k=24, available=[]) == []


def test_categories_are_those_that_items_were_sent_with(house: House) -> None:
    house.put({"item_id": "cake01", "category": "fruit"}, {"item_id": "new", "title": "green cake", "category": "nut"})
    assert house.listed("u20", k=24, exclude_seen=False, categories=["fruit"]) == ["cake01"]
    assert set(house.listed("u20", k=24, exclude_seen=False, categories=["fruit", "nut"])) == {"cake01", "new"}
    assert house.listed("u20", categories=["none such"]) == []


def test_similar_items(house: House, fitted: Path) -> None:
    wanted = Recommender.load(fitted / "zero_shot").similar("cake01", 3).to_dicts()
    assert house.post("/v1/similar", item="cake01", k=3)["items"] == wanted
    assert house.ask("POST", "/v1/similar", {"item": "no such"}).status_code == 404


def test_a_list_of_the_senders_is_put_in_order(house: House) -> None:
    best = house.post("/v1/recommend", user="u20", k=24, exclude_seen=False)["items"]
    names = [i["item_id"] for i in best]
    found = house.post("/v1/rank", user="u20", items=[*reversed(names), "no such", names[0]])
    assert [i["score"] for i in found["items"]] == [i["score"] for i in best]
    assert {i["item_id"]: i["score"] for i in found["items"]} == {i["item_id"]: i["score"] for i in best}
    assert found["unknown"] == ["no such"]
    session = house.post("/v1/rank", session=["tea00"], items=["cake00", "cake01"])
    assert {i["item_id"] for i in session["items"]} == {"cake00", "cake01"}


@pytest.mark.parametrize("body", [{"items": ["cake00"]}, {"items": ["cake00"], "user": "a", "session": ["tea00"]}])
def test_an_order_is_for_a_user_or_a_session(house: House, body: dict[str, object]) -> None:
    answer = house.ask("POST", "/v1/rank", body)
    assert (answer.status_code, answer.json()["detail"]) == (422, "give either a user or a session.")


def test_reasons_name_what_the_user_has_now(house: House, fitted: Path) -> None:
    (wanted,) = explain(Recommender.load(fitted / "zero_shot"), "u21", ["cake01"], n=2)
    (found,) = house.post("/v1/explain", user="u21", items=["cake01"], n=2)["items"]
    assert found["because"] == [dataclasses.asdict(b) for b in wanted.because]
    assert (found["sentence"], found["score"]) == (wanted.sentence, pytest.approx(wanted.score))
    (found,) = house.post("/v1/explain", user="new one", items=["cake01"])["items"]
    assert (found["because"], found["known"]) == ([], False)
    house.post("/v1/events", event_id="e", user="new one", item="tea01")
    (found,) = house.post("/v1/explain", user="new one", items=["cake01"])["items"]
    (wanted,) = explain(Recommender.load(fitted / "zero_shot"), session=["tea01"], items=["cake01"])
    assert (found["by_domain"], found["known"]) == (pytest.approx(dict(wanted.by_domain)), True)
    assert found["by_domain"]
    assert house.ask("POST", "/v1/explain", {"user": "u21", "items": ["no such"]}).status_code == 404


def test_k_beyond_the_catalogue_gives_all_there_is(house: House) -> None:
    assert len(house.listed("nobody", k=1000)) == 24


def test_exploration_is_logged_with_its_propensities(opened: Open) -> None:
    house = opened(settings=Settings(explore=0.5, new_below=1))
    house.put(*({"item_id": f"n{i}", "title": "green cake"} for i in range(8)))
    found = house.post("/v1/recommend", user="u20", k=4)
    kept = [e for _, e in house.service.store.exposures()]
    assert [(e.item_id, e.propensity, e.position) for e in kept] == [
        (i["item_id"], i["propensity"], n) for n, i in enumerate(found["items"], 1)
    ]
    assert {(e.request_id, e.user_id, e.version) for e in kept} == {(found["request_id"], "u20", found["version"])}
    assert house.post("/v1/recommend", user="u20", k=4, explore=0)["items"][0]["propensity"] is None


def test_items_that_were_shown_often_are_not_new_any_more(opened: Open) -> None:
    house = opened(settings=Settings(explore=1.0, new_below=3))
    house.put({"item_id": "n", "title": "x", "price": 900})
    shown = [i for _ in range(40) for i in house.listed("u20", k=1)]
    assert shown.count("n") == 3


def test_every_answer_has_an_id_and_errors_are_problems(house: House) -> None:
    for answer in (house.ask("GET", "/nowhere"), house.ask("GET", "/v1/recommend"), house.ask("POST", "/v1/recommend")):
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.headers["x-request-id"]) == 32
        assert answer.json()["status"] == answer.status_code
    wrong = house.ask("POST", "/v1/recommend", {"user": "u", "k": 0, "kk": 1})
    assert (wrong.status_code, [e["where"] for e in wrong.json()["errors"]]) == (422, ["body.k", "body.kk"])
    other = house.ask("POST", "/v1/recommend", {"user": "u", "domain": "tea"})
    assert (other.status_code, "cake" in other.json()["detail"]) == (404, True)


def test_a_fault_of_the_service_tells_nothing_to_the_client(
    house: House, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(house.service.live.people, "history", lambda *_: 1 / 0)
    answer = house.ask("POST", "/v1/recommend", {"user": "ann"})
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")
    assert "ZeroDivisionError" not in answer.text
    assert '"kind": "ZeroDivisionError"' in capfd.readouterr().err


def test_numbers_for_prometheus(house: House) -> None:
    house.listed("u20")
    house.post("/v1/events", event_id="e", user="u20", item="cake01")
    house.post("/v1/events", event_id="e", user="u20", item="cake01")
    lines = house.client.get("/metrics").text.splitlines()
    assert 'crossaisle_requests_total{method="POST",route="/v1/recommend",status="200"} 1.0' in lines
    assert "crossaisle_events_total 1.0" in lines
    assert any(line.startswith('crossaisle_version_info{domain="cake"') for line in lines)


def test_alive_and_ready(house: House) -> None:
    assert house.client.get("/health").json()["status"] == "ok"
    assert house.client.get("/ready").json()["domain"] == "cake"
    house.service.ready = False
    assert house.client.get("/ready").status_code == 503
