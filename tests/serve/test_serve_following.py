"""Several processes over one store: what one takes, the others serve."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from serving import House, Open

from crossaisle.errors import ArtifactError
from crossaisle.serve import Settings
from crossaisle.serve.following import Follower

ASLEEP = Settings(follow_seconds=3600.0)


@pytest.fixture
def two(opened: Open) -> tuple[House, House, Follower]:
    """The second one looks when it is told to."""
    first, second = opened(settings=ASLEEP), opened(settings=ASLEEP)
    return first, second, Follower(second.service)


Two = tuple[House, House, Follower]


def test_events_and_items(two: Two) -> None:
    first, second, follower = two
    first.post("/v1/events", event_id="e1", user="new one", item="tea00")
    first.put({"item_id": "n", "title": "green cake no 0", "price": 1.0}, {"item_id": "cake02", "available": False})
    assert not second.post("/v1/recommend", user="new one")["known"]
    follower.look()
    answers = [h.post("/v1/recommend", user="new one", k=25) for h in (first, second)]
    assert answers[0]["items"] == answers[1]["items"]
    assert "n" in {i["item_id"] for i in answers[1]["items"]}
    assert "cake02" not in {i["item_id"] for i in answers[1]["items"]}


def trying(house: House, fitted: Path) -> str:
    """Begin the experiment ``e`` of what is served and `item_knn`; the name of the control."""
    control = str(house.client.get("/health").json()["version"])
    shutil.copytree(fitted / "item_knn", house.folder / "artifacts" / "item_knn")
    house.post("/v1/versions", name="item_knn", artifact="item_knn")
    house.post("/v1/experiments", name="e", variants={control: 0.5, "item_knn": 0.5})
    return control


def test_versions_and_experiments(two: Two, fitted: Path) -> None:
    first, second, follower = two
    control = trying(first, fitted)
    follower.look()
    users = [f"guest{i}" for i in range(20)]
    split = [[h.post("/v1/recommend", user=u)["version"] for u in users] for h in (first, second)]
    assert split[0] == split[1]
    assert set(split[1]) == {control, "item_knn"}
    first.post("/v1/experiments/e/end", winner="item_knn")
    follower.look()
    assert {second.post("/v1/recommend", user=u)["version"] for u in users} == {"item_knn"}
    assert second.client.get("/health").json()["version"] == "item_knn"
    second.ask("POST", "/v1/versions/rollback")
    Follower(first.service)._follow_versions(first.service.store.marks())
    assert first.client.get("/health").json()["version"] == control


def test_what_is_promoted_here_during_a_look_stays(two: Two, fitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second, follower = two
    shutil.copytree(fitted / "item_knn", second.folder / "artifacts" / "item_knn")
    second.post("/v1/versions", name="item_knn", artifact="item_knn")
    second.post("/v1/events", event_id="e1", user="new one", item="tea00")
    store, looks = second.service.store, []
    marks = type(store).marks

    def promoted_after(self: object) -> object:
        found = marks(self)  # type: ignore[arg-type]
        if not looks:
            looks.append(found)
            second.post("/v1/versions/item_knn/promote")
        return found

    monkeypatch.setattr(type(store), "marks", promoted_after)
    follower.look()
    assert second.client.get("/health").json()["version"] == "item_knn"


def test_people_who_leave_and_come_back(two: Two) -> None:
    first, second, follower = two
    for house in (first, second):
        house.post("/v1/events", event_id=f"e{house is first}", user="new one", item="tea00")
    follower.look()
    assert first.ask("DELETE", "/v1/users/new one").status_code == 200
    assert first.ask("DELETE", "/v1/users/u20").status_code == 200
    first.post("/v1/events", event_id="back", user="u20", item="tea00")
    follower.look()
    assert not second.post("/v1/recommend", user="new one")["known"]
    live = second.service.live
    assert live.people.history("u20", live.now).counts.sum() == 1  # what came since


def test_nothing_is_remembered_of_lists_of_people_who_left_elsewhere(two: Two) -> None:
    first, second, follower = two
    shown = second.listed("u20", k=1)[0]
    follower.look()
    assert first.ask("DELETE", "/v1/users/u20").status_code == 200
    follower.look()
    second.post("/v1/events", event_id="e", user="u20", item=shown, event="click")
    assert 'items_total{what="clicked"}' not in second.client.get("/metrics").text


def test_what_others_do_while_one_starts_is_seen_by_the_first_look(opened: Open, fitted: Path) -> None:
    first, second = opened(settings=ASLEEP), opened(settings=ASLEEP)
    first.put({"item_id": "cake02", "available": False})
    first.post("/v1/events", event_id="e1", user="u20", item="tea00")
    assert first.ask("DELETE", "/v1/users/u20").status_code == 200
    Follower(second.service).look()  # begins after all this, as a service does whose artifact takes long to read
    assert not second.post("/v1/recommend", user="u20")["known"]
    assert "cake02" not in second.listed("nobody", k=24)


def test_a_version_that_cannot_be_read_here_changes_nothing(two: Two, fitted: Path) -> None:
    first, second, _ = two
    shutil.copytree(fitted / "als", first.folder / "artifacts" / "als")
    first.post("/v1/versions", name="als", artifact="als")
    before = second.client.get("/health").json()["version"]
    first.ask("POST", "/v1/versions/als/promote")
    shutil.rmtree(first.folder / "artifacts" / "als")
    with pytest.raises(ArtifactError):
        Follower(second.service)._follow_versions(second.service.store.marks())
    assert second.client.get("/health").json()["version"] == before
    assert second.post("/v1/recommend", user="u20")["version"] == before


def test_it_looks_by_itself(opened: Open) -> None:
    first, second = opened(settings=ASLEEP), opened(settings=Settings(follow_seconds=0.02))
    first.post("/v1/events", event_id="e1", user="new one", item="tea00")
    for _ in range(500):
        if second.post("/v1/recommend", user="new one")["known"]:
            return
    raise AssertionError("it did not look")


def test_a_look_that_fails_in_an_unforeseen_way_is_not_the_last(
    opened: Open, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    look, looks = Follower.look, []

    def failing(self: Follower) -> None:
        looks.append(self)
        if len(looks) == 1:
            raise ValueError("of ann")
        look(self)

    monkeypatch.setattr(Follower, "look", failing)
    first, second = opened(settings=ASLEEP), opened(settings=Settings(follow_seconds=0.02))
    first.post("/v1/events", event_id="e1", user="new one", item="tea00")
    assert any(second.post("/v1/recommend", user="new one")["known"] for _ in range(500))
    said = capsys.readouterr().err
    assert '"error": "ValueError"' in said
    assert "of ann" not in said


def test_what_others_did_a_moment_ago_is_not_undone(two: Two, fitted: Path) -> None:
    first, second, follower = two
    control = trying(first, fitted)
    assert second.ask("POST", "/v1/versions/item_knn/promote").status_code == 409
    follower.look()
    first.post("/v1/experiments/e/end")
    assert second.ask("POST", "/v1/experiments/e/end", {"winner": "item_knn"}).status_code == 404
    assert first.service.store.marks().current == control


def test_a_service_that_is_behind_ends_nobodys_experiment(two: Two, fitted: Path) -> None:
    first, second, follower = two
    control = first.client.get("/health").json()["version"]
    shutil.copytree(fitted / "item_knn", first.folder / "artifacts" / "item_knn")
    first.post("/v1/versions", name="item_knn", artifact="item_knn")
    first.ask("POST", "/v1/versions/item_knn/promote")
    first.post("/v1/experiments", name="e", variants={"item_knn": 0.5, control: 0.5})
    second.service.trials.resume()  # as it starts, with the version that was current when it began to read
    assert second.client.get("/v1/experiments/e").json()["ended"] is None
    follower.look()
    users = [f"guest{i}" for i in range(20)]
    split = [[h.post("/v1/recommend", user=u)["version"] for u in users] for h in (first, second)]
    assert split[0] == split[1]


def test_an_experiment_that_cannot_be_read_here_goes_on_elsewhere(two: Two, fitted: Path) -> None:
    first, second, follower = two
    control = first.client.get("/health").json()["version"]
    folder = first.folder / "artifacts" / "item_knn"
    shutil.copytree(fitted / "item_knn", folder)
    first.post("/v1/versions", name="item_knn", artifact="item_knn")
    first.post("/v1/experiments", name="e", variants={control: 0.5, "item_knn": 0.5})
    first.post("/v1/events", event_id="e1", user="new one", item="tea00")
    folder.rename(folder.with_name(".aside"))  # as for a moment while somebody is forgotten there
    with pytest.raises(ArtifactError):
        follower.look()
    assert second.client.get("/v1/experiments/e").json()["ended"] is None
    assert second.post("/v1/recommend", user="new one")["known"]
    folder.with_name(".aside").rename(folder)
    follower.look()
    assert {second.post("/v1/recommend", user=f"guest{i}")["version"] for i in range(20)} == {control, "item_knn"}
