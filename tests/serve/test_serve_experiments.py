"""Experiments in service: each user is answered from their version, what is shown is kept, and the rule ends it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from serving import House, Open

from crossaisle.serve import Settings, trials
from crossaisle.serve.changes import follow_rule
from crossaisle.serve.trials import experiment_of
from crossaisle.stores.kinds import Event, Exposure
from crossaisle.stream.diary import now_utc

USERS = [f"guest{i}" for i in range(700)]


@pytest.fixture(autouse=True)
def salted(monkeypatch: pytest.MonkeyPatch) -> None:
    """One salt for every run: one drawn salt in a thousand parts the 700 guests as no fair coin would (mismatch)."""
    monkeypatch.setattr(trials, "token_hex", lambda n: "5a" * n)


def begun(house: House, fitted: Path, **more: Any) -> str:
    """Begin an experiment of what is served and `item_knn`; the name of the control."""
    shutil.copytree(fitted / "item_knn", house.folder / "artifacts" / "item_knn", dirs_exist_ok=True)
    house.post("/v1/versions", name="item_knn", artifact="item_knn")
    control = house.client.get("/health").json()["version"]
    body = {"name": "knn", "variants": {control: 0.5, "item_knn": 0.5}, "window_days": 1e-9, **more}
    assert house.post("/v1/experiments", **body)["ended"] is None
    return str(control)


def clicked(house: House, rates: dict[str, float]) -> None:
    """Every guest is shown one item; a share of each variant's clicks on it."""
    store, at = house.service.store, now_utc()
    variant_of = experiment_of(house.service.trials.running).variant_of
    store.add_exposures([Exposure(f"r-{u}", u, "cake01", 1, 1.0, variant_of(u), at) for u in USERS])
    click = [u for i, u in enumerate(USERS) if i % 100 < 100 * rates[variant_of(u)]]
    store.add_events([Event(f"c-{u}", u, "cake01", "cake", "click", at) for u in click])


def test_each_user_is_answered_from_their_version_and_it_is_kept(house: House, fitted: Path) -> None:
    control = begun(house, fitted)
    variant_of = experiment_of(house.service.trials.running).variant_of
    asked = USERS[:20]
    assert {variant_of(u) for u in asked} == {control, "item_knn"}
    for user in asked:
        assert house.post("/v1/recommend", user=user, k=3)["version"] == variant_of(user)
        assert house.post("/v1/rank", user=user, items=["cake01", "cake02"])["version"] == variant_of(user)
        assert house.post("/v1/explain", user=user, items=["cake01"])["version"] == variant_of(user)
    kept = [e for _, e in house.service.store.exposures()]
    assert [(e.user_id, e.position, e.version, e.propensity) for e in kept] == [
        (u, p, variant_of(u), 1.0) for u in asked for p in (1, 2, 3)
    ]
    assert house.post("/v1/recommend/session", items=["cake01"])["version"] == control


def test_events_new_items_and_people_who_leave_count_in_every_version(house: House, fitted: Path) -> None:
    begun(house, fitted)
    variant_of = experiment_of(house.service.trials.running).variant_of
    user = next(u for u in USERS if variant_of(u) == "item_knn")
    house.post("/v1/events", event_id="e1", user=user, item="cake00")
    assert "cake00" not in house.listed(user, k=24)
    house.put({"item_id": "cake02", "available": False})
    assert "cake02" not in house.listed(user, k=24)
    ids = house.service.live.of(user).shop.user_ids.ids
    known = next(u for u in ids if variant_of(u) == "item_knn")
    assert house.post("/v1/recommend", user=known)["known"]
    assert house.ask("DELETE", f"/v1/users/{known}").status_code == 200
    assert not house.post("/v1/recommend", user=known)["known"]


def test_the_rule_promotes_a_winner(opened: Open, fitted: Path) -> None:
    house = opened(settings=Settings(look_seconds=0.05))
    control = begun(house, fitted, rule={"users": 700})
    clicked(house, {control: 0.4, "item_knn": 0.95})
    for _ in range(200):
        found = house.client.get("/v1/experiments/knn").json()
        if found["ended"]:
            break
        time.sleep(0.05)
    assert (found["result"]["decision"]["word"], found["result"]["ended_by"]) == ("win", "rule")
    assert house.client.get("/health").json()["version"] == "item_knn"
    assert house.post("/v1/recommend", user=USERS[0])["version"] == "item_knn"


def test_harm_keeps_what_was_served(house: House, fitted: Path) -> None:
    control = begun(house, fitted, rule={"users": 700})
    clicked(house, {control: 0.95, "item_knn": 0.4})
    follow_rule(house.service)
    found = house.client.get("/v1/experiments/knn").json()
    assert found["result"]["decision"]["word"] == "harm"
    assert {v["users"] for v in found["result"]["variants"]} == {
        sum(experiment_of(house.service.store.trials()[0]).variant_of(u) == v for u in USERS)
        for v in (control, "item_knn")
    }
    assert house.client.get("/health").json()["version"] == control


def test_a_person_ends_it_with_a_winner(house: House, fitted: Path) -> None:
    begun(house, fitted, end_by_rule=False)
    assert house.client.get("/v1/experiments/knn").json()["result"]["decision"]["word"] == "go on"
    assert house.ask("POST", "/v1/experiments/knn/end", {"winner": "cake"}).status_code == 404
    ended = house.post("/v1/experiments/knn/end", winner="item_knn")
    assert ended["result"]["ended_by"] == "person"
    assert house.client.get("/health").json()["version"] == "item_knn"
    assert house.ask("POST", "/v1/experiments/knn/end", {}).status_code == 404
    assert [e["name"] for e in house.client.get("/v1/experiments").json()["experiments"]] == ["knn"]


def test_versions_stay_while_it_runs(house: House, fitted: Path) -> None:
    control = begun(house, fitted)
    for path in ("/v1/versions/item_knn/promote", "/v1/versions/rollback"):
        answer = house.ask("POST", path)
        assert (answer.status_code, "'knn' is running; end it first" in answer.json()["detail"]) == (409, True)
    again = {"name": "two", "variants": {control: 0.5, "item_knn": 0.5}}
    answer = house.ask("POST", "/v1/experiments", again)
    assert (answer.status_code, "'knn' is running" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("variants", "sentence"),
    [
        ({"item_knn": 0.5, "CONTROL": 0.5}, "the first variant is the control and must be what is served"),
        ({"CONTROL": 0.5, "nobody": 0.5}, "there is no version 'nobody'"),
        ({"CONTROL": 0.5, "item_knn": 0.2}, "at least two above 0 that add up to 1"),
    ],
)
def test_what_cannot_begin(house: House, fitted: Path, variants: dict[str, float], sentence: str) -> None:
    control = house.client.get("/health").json()["version"]
    named = {control if k == "CONTROL" else k: v for k, v in variants.items()}
    answer = house.ask("POST", "/v1/experiments", {"name": "e", "variants": named})
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert house.service.store.trials() == []
    assert house.service.trials.running is None


def test_it_goes_on_after_a_restart(opened: Open, fitted: Path) -> None:
    house = opened()
    begun(house, fitted)
    versions = [house.post("/v1/recommend", user=u)["version"] for u in USERS[:10]]
    house.close()
    again = opened()
    assert [again.post("/v1/recommend", user=u)["version"] for u in USERS[:10]] == versions
    again.close()
    shutil.rmtree(again.folder / "artifacts" / "item_knn")
    last = opened()
    assert {last.post("/v1/recommend", user=u)["version"] for u in USERS[:10]} == set(versions) - {"item_knn"}
    assert last.client.get("/v1/experiments/knn").json()["result"]["ended_by"] == "restart"


def test_what_is_known_of_users_is_kept_and_erased(house: House) -> None:
    body = {"users": [{"user_id": "ann", "attributes": {"language": "fi", "loyal": 1.0}}]}
    assert house.ask("PUT", "/v1/users", body).json() == {"kept": 1}
    assert [u.attributes for u in house.service.store.users()] == [{"language": "fi", "loyal": 1.0}]
    assert house.ask("PUT", "/v1/users", {"users": [{"user_id": "ann"}] * 2}).status_code == 422
    assert house.ask("DELETE", "/v1/users/ann").json()["rows"] == 1
    assert list(house.service.store.users()) == []


def test_what_was_shown_while_its_versions_were_read_does_not_count(
    house: House, fitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*of: Any) -> Any:
        house.post("/v1/recommend", user="guest1", k=1, explore=1.0)
        return opened_from(*of)

    opened_from = trials.opened
    monkeypatch.setattr(trials, "opened", slow)
    begun(house, fitted)
    assert len(house.service.store.exposures()) == 1
    assert {v["users"] for v in house.client.get("/v1/experiments/knn").json()["result"]["variants"]} == {0}


def test_events_from_before_it_began_are_read_once(house: House, fitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house.post("/v1/events", event_id="long ago", user="guest1", item="tea00", timestamp="2020-01-01T12:00:00Z")
    control = begun(house, fitted)
    clicked(house, {control: 0.5, "item_knn": 0.5})
    store, asked = house.service.store, []
    read = type(store).events
    monkeypatch.setattr(type(store), "events", lambda self, **page: asked.append(page["after"]) or read(self, **page))
    first, second = (house.client.get("/v1/experiments/knn").json()["result"]["variants"] for _ in range(2))
    assert first == second
    assert sum(v["users"] for v in first)
    assert asked == [0, read(store, limit=1)[0][0]]
