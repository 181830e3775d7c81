"""What is sent counts in the next answer: events, items, versions, and people who leave."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from serving import House, Open

from crossaisle.recommender import Recommender
from crossaisle.stores.kinds import Event
from crossaisle.stream.diary import now_utc


def test_an_event_changes_the_next_answer_also_of_somebody_unknown(house: House) -> None:
    before = house.post("/v1/recommend", user="new one", k=5)
    house.post("/v1/events", event_id="e1", user="new one", item="tea00", timestamp="2024-05-01T12:00:00+02:00")
    after = house.post("/v1/recommend", user="new one", k=5)
    assert (before["basis"], before["known"]) == ("popularity", False)
    assert (after["basis"], after["known"]) == ("content", True)
    assert after["items"] == house.post("/v1/recommend/session", items=["tea00"], k=5)["items"]
    house.post("/v1/events", event_id="e2", user="new one", item=after["items"][0]["item_id"])
    assert after["items"][0]["item_id"] not in house.listed("new one", k=24)


def test_an_event_counts_once_however_often_it_is_sent(house: House) -> None:
    event = {"event_id": "e1", "user": "new one", "item": "tea00"}
    other = {"event_id": "e2", "user": "new one", "item": "tea01", "event": "view"}
    assert house.post("/v1/events", **event) == {"kept": 1}
    assert house.post("/v1/events/batch", events=[event, event, other]) == {"kept": 3}
    live = house.service.live
    assert live.people.history("new one", live.now).counts.data.tolist() == [1, 1]
    assert [e.event_id for e in house.service.store.events_of("new one")] == ["e1", "e2"]


def test_a_batch_is_kept_whole_or_not_at_all(house: House) -> None:
    good = {"event_id": "e1", "user": "new one", "item": "tea00"}
    bad = {"event_id": "e2", "user": "new one", "item": "日" * 249, "event": "日" * 249, "timestamp": "3000-01-01"}
    assert house.ask("POST", "/v1/events/batch", {"events": [good, bad]}).status_code == 422
    assert house.service.store.events_of("new one") == []


def test_a_new_item_is_recommended_at_once_where_the_method_reads_content(house: House) -> None:
    assert house.put({"item_id": "n", "title": "green cake no 0", "price": 1.0}) == [
        {"item_id": "n", "recommendable": True, "note": None}
    ]
    ranked = house.post("/v1/rank", session=["tea00", "tea04", "cake00"], items=["n", "cake01", "cake03"])["items"]
    assert ranked[0]["item_id"] == "n"
    assert "n" in house.listed("nobody", k=25)
    house.put({"item_id": "n", "title": "now dear", "price": 9.0, "available": False})
    assert "n" not in house.listed("nobody", k=25)
    house.put({"item_id": "n", "price": 9.0})
    shown = {i["item_id"]: i for i in house.post("/v1/recommend", user="nobody", k=25)["items"]}
    assert shown["n"]["price"] == 9.0


def test_an_item_that_cannot_be_scored_yet_says_so(opened: Open) -> None:
    house = opened("als")
    known, new, elsewhere = house.put(
        {"item_id": "cake01", "price": 3.0}, {"item_id": "n", "title": "x"}, {"item_id": "t", "domain": "tea"}
    )
    assert known["recommendable"]
    assert not new["recommendable"]
    assert "next training" in new["note"]
    assert "zero_shot" in new["note"]
    assert "recommends in 'cake'" in elsewhere["note"]
    house.post("/v1/events", event_id="e", user="u20", item="n")
    assert house.listed("u20", max_price=3.0, min_price=3.0, k=24, exclude_seen=False).count("cake01") == 1


def test_an_event_of_an_item_that_comes_later_counts_from_then_on(house: House) -> None:
    house.post("/v1/events", event_id="e", user="new one", item="n")
    assert house.post("/v1/recommend", user="new one")["basis"] == "popularity"
    house.put({"item_id": "n", "title": "green cake no 0", "price": 1.0})
    assert house.post("/v1/recommend", user="new one")["basis"] == "content"
    assert "n" not in house.listed("new one", k=25)


def test_everything_is_there_after_a_restart(opened: Open) -> None:
    house = opened()
    house.post("/v1/events", event_id="e1", user="new one", item="tea00")
    house.put({"item_id": "n", "title": "green cake no 0"}, {"item_id": "cake02", "available": False})
    before = house.post("/v1/recommend", user="new one", k=25)["items"]
    house.close()
    again = opened()
    assert again.post("/v1/recommend", user="new one", k=25)["items"] == before
    assert len(before) == 24


def add_version(house: House, fitted: Path, method: str, **body: object) -> None:
    shutil.copytree(fitted / method, house.folder / "artifacts" / method)
    house.post("/v1/versions", name=method, artifact=method, **body)


def test_versions_are_added_promoted_and_rolled_back(house: House, fitted: Path) -> None:
    house.post("/v1/events", event_id="e1", user="new one", item="cake00")
    first = house.post("/v1/recommend", user="new one")
    add_version(house, fitted, "item_knn")
    assert house.post("/v1/recommend", user="new one")["version"] == first["version"]
    assert house.ask("POST", "/v1/versions/item_knn/promote").json()["state"] == "current"
    second = house.post("/v1/recommend", user="new one")
    assert (second["version"], second["basis"], second["known"]) == ("item_knn", "history", True)
    listed = house.client.get("/v1/versions").json()["versions"]
    assert [(v["name"], v["state"]) for v in listed] == [("item_knn", "current"), (first["version"], "previous")]
    assert house.ask("POST", "/v1/versions/rollback").json()["name"] == first["version"]
    assert house.post("/v1/recommend", user="new one")["items"] == first["items"]
    assert house.ask("POST", "/v1/versions/rollback").status_code == 409


def test_a_promotion_lasts_over_a_restart_and_keeps_answering(opened: Open, fitted: Path) -> None:
    house = opened()
    add_version(house, fitted, "als")
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(house.post, "/v1/recommend", user="u20") for _ in range(60)]
        house.ask("POST", "/v1/versions/als/promote")
        seen = {f.result()["version"] for f in asked}
    assert seen <= {"als", house.client.get("/v1/versions").json()["versions"][1]["name"]}
    house.close()
    assert opened().client.get("/health").json()["version"] == "als"


def test_events_that_a_version_learned_from_are_not_counted_twice(house: House, fitted: Path) -> None:
    house.post("/v1/events", event_id="e1", user="u20", item="cake01")
    house.post("/v1/events", event_id="e2", user="u20", item="cake02")
    numbers = [n for n, _ in house.service.store.events()]
    plain = Recommender.load(fitted / "als")
    old = plain.history.take(plain.user_ids.encode(["u20"])).counts
    add_version(house, fitted, "als", last_event=numbers[0])
    house.ask("POST", "/v1/versions/als/promote")
    live = house.service.live
    now = live.people.history("u20", live.now).counts
    assert now[0, plain.item_ids.code("cake01")] == old[0, plain.item_ids.code("cake01")]
    assert now[0, plain.item_ids.code("cake02")] == old[0, plain.item_ids.code("cake02")] + 1
    house.ask("POST", "/v1/versions/rollback")
    assert live.people.history("u20", live.now).counts.sum() == old.sum() + 2


@pytest.mark.parametrize("artifact", ["ä" * 200, "../fitted/als", "/etc", "no such", ".", "broken"])
def test_only_whole_artifacts_of_the_own_folder_become_versions(house: House, fitted: Path, artifact: str) -> None:
    shutil.copytree(fitted / "als", house.folder / "artifacts" / "broken")
    (house.folder / "artifacts" / "broken" / "tensors.safetensors").write_bytes(b"half")
    answer = house.ask("POST", "/v1/versions", {"name": "v", "artifact": artifact})
    assert answer.status_code == 422
    assert len(house.client.get("/v1/versions").json()["versions"]) == 1
    assert house.ask("POST", "/v1/versions/v/promote").status_code == 404


PERSON = "zoë-4711@example.invalid"


def bytes_of(folder: Path) -> list[str]:
    return [str(p) for p in folder.rglob("*") if p.is_file() and PERSON.encode() in p.read_bytes()]


def ids_in(folder: Path) -> set[str]:
    return {u for p in folder.rglob("users.parquet") for u in pl.read_parquet(p)["user_id"].to_list()}


@pytest.fixture
def with_person(fitted: Path, tmp_path: Path) -> Path:
    """An artifact that knows the person, in place of u20."""
    import dataclasses

    from crossaisle.data.vocab import Vocab

    shop = Recommender.load(fitted / "zero_shot")
    named = Vocab([PERSON if u == "u20" else u for u in shop.user_ids.ids.to_list()])
    dataclasses.replace(shop, user_ids=named).save(tmp_path / "own")
    return tmp_path / "own"


def test_a_person_who_leaves_leaves_no_byte(
    with_person: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from serving import house_in

    from crossaisle.serve import Settings

    house = house_in(tmp_path / "data", with_person, Settings(explore=0.5))
    data = house.folder
    shutil.copytree(data / "artifacts" / house.client.get("/health").json()["version"], data / "artifacts" / "other")
    house.post("/v1/versions", name="other", artifact="other")
    house.post("/v1/events", event_id=f"of {PERSON}", user=PERSON, item="cake00")
    assert house.post("/v1/recommend", user=PERSON)["known"]
    assert bytes_of(data)
    assert PERSON in ids_in(data)
    others = house.post("/v1/recommend", user="u21", explore=0)["items"]

    answer = house.ask("DELETE", f"/v1/users/{PERSON}")
    assert answer.json()["artifacts"] == 2
    assert answer.json()["rows"] > 0
    assert bytes_of(data) == []
    assert PERSON not in ids_in(data)
    found = house.post("/v1/recommend", user=PERSON, explore=0)
    assert (found["known"], found["basis"]) == (False, "popularity")
    assert house.post("/v1/recommend", user="u21", explore=0)["items"] == others
    assert house.ask("POST", "/v1/versions/other/promote").status_code == 200
    assert not house.post("/v1/recommend", user=PERSON, explore=0)["known"]

    shutil.copytree(with_person, data / "artifacts" / "late")  # an artifact that was made before, and comes now
    house.post("/v1/versions", name="late", artifact="late")
    assert PERSON not in ids_in(data)
    house.close()
    assert bytes_of(data) == []
    assert PERSON not in capfd.readouterr().err

    again = house_in(data, with_person, Settings())
    assert not again.post("/v1/recommend", user=PERSON)["known"]
    again.post("/v1/events", event_id="back", user=PERSON, item="tea00")
    assert again.post("/v1/recommend", user=PERSON)["basis"] == "content"
    again.close()


def test_who_left_and_came_back_is_known_after_the_next_version_and_a_restart(opened: Open, fitted: Path) -> None:
    house = opened()
    assert house.ask("DELETE", "/v1/users/u20").status_code == 200
    house.post("/v1/events", event_id="back", user="u20", item="tea00")
    add_version(house, fitted, "als", last_event=house.service.store.marks().events)
    house.ask("POST", "/v1/versions/als/promote")
    assert house.post("/v1/recommend", user="u20")["known"]
    house.close()
    assert opened().post("/v1/recommend", user="u20")["known"]


def test_erasing_somebody_unknown_is_no_error(house: House) -> None:
    answer = house.ask("DELETE", "/v1/users/no%2Fbody")
    assert (answer.status_code, answer.json()["rows"], answer.json()["artifacts"]) == (200, 0, 0)


def test_an_artifact_that_cannot_be_read_does_not_stop_the_others(house: House, fitted: Path) -> None:
    broken = house.folder / "artifacts" / "broken"
    shutil.copytree(fitted / "als", broken)
    (broken / "users.parquet").write_bytes(b"half")
    answer = house.ask("DELETE", "/v1/users/u20")
    assert (answer.status_code, "broken" in answer.json()["detail"]) == (422, True)
    assert not house.post("/v1/recommend", user="u20")["known"]
    shutil.rmtree(broken)
    assert house.ask("DELETE", "/v1/users/u20").status_code == 200
    assert "u20" not in ids_in(house.folder)


def test_what_another_service_is_writing_is_in_nobodys_way(opened: Open) -> None:
    first = opened()
    part = first.folder / "artifacts" / ".learned-7.0123"
    part.mkdir()
    (part / "manifest.json").write_bytes(b"half")
    opened().close()
    assert part.is_dir()
    assert first.ask("DELETE", "/v1/users/u20").status_code == 200


def test_what_a_power_failure_left_is_tidied(opened: Open) -> None:
    house = opened()
    version = house.client.get("/health").json()["version"]
    house.close()
    artifacts = house.folder / "artifacts"
    (artifacts / version).rename(artifacts / f".{version}.replaced")  # the failure came between two renames
    (artifacts / ".other.0123").mkdir()
    (artifacts / ".other.0123" / "users.parquet").write_bytes(b"half")
    (artifacts / ".of-a-file-manager").touch()
    assert opened().listed("u20")
    assert {p.name for p in artifacts.iterdir()} == {version, ".of-a-file-manager"}


def test_people_who_wait_to_be_forgotten_are_in_nobodys_way(house: House) -> None:
    with ThreadPoolExecutor(60) as pool:
        with house.service.changing:  # as while a great artifact is read
            waiting = [pool.submit(house.ask, "DELETE", f"/v1/users/u{i}") for i in range(50)]
            while house.service.metrics.working._value.get() < len(waiting):
                pass
            others = pool.submit(house.put, {"item_id": "n", "title": "green cake no 0", "price": 1.0})
            placed = others.result(timeout=30)
        assert placed[0]["recommendable"]
        assert {w.result().status_code for w in waiting} == {200}


def test_what_is_built_at_the_first_look_is_built_before_a_request_waits(house: House) -> None:
    def built() -> tuple[bool, bool]:
        shop = house.service.live.now.shop
        return "_hashes" in vars(shop.user_ids), {"_nobody", "places"} <= vars(vars(shop)["ranker"]).keys()

    house.put({"item_id": "n", "title": "green cake no 0", "price": 1.0})
    assert built() == (True, True)
    assert house.ask("DELETE", "/v1/users/u20").status_code == 200
    assert built() == (True, True)


def test_events_are_taken_while_those_of_all_are_read_anew(house: House) -> None:
    people, store = house.service.live.people, house.service.store
    event = Event("e1", "new one", "tea00", "tea", "view", now_utc())
    read, sent = type(store).events, []

    class Slow(type(store)):  # type: ignore[misc]
        def events(self, **page: int) -> list[tuple[int, Event]]:
            found: list[tuple[int, Event]] = read(self, **page)
            if not sent:
                sent.append(True)
                pool.submit(people.record, [event]).result(timeout=10)
            return found

    store.__class__ = Slow
    with ThreadPoolExecutor(1) as pool:
        people.forget_erased()
    assert people.knows("new one", house.service.live.now)
