import json
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sqlalchemy", reason="the room stream reads rows of a store: pip install crossaisle[serve]")

from crossaisle.api import Recommender, transfer
from crossaisle.cli import main
from crossaisle.errors import DataError
from crossaisle.stream.growth import ids_of, without_target
from crossaisle.stream.lesson import Teaching
from crossaisle.stream.replay import Tape, replayed
from crossaisle.testing_world import LATE, START, tiny_world

WHOLE = tiny_world()
CUT = START + timedelta(weeks=LATE)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the World until the cut, a file with what came since, and a recommender."""
    folder = tmp_path / "shop"
    folder.mkdir()
    rows = ids_of(WHOLE, WHOLE.interactions.sort("timestamp"))
    rows.filter(pl.col("timestamp") < CUT).write_csv(folder / "interactions.csv")
    names = pl.DataFrame({"item_id": WHOLE.item_ids.ids.gather(WHOLE.items["item"]),
                          "domain": WHOLE.domains.ids.gather(WHOLE.items["domain"])})  # fmt: skip
    names.hstack(WHOLE.items.select("title", "brand", "price")).write_csv(folder / "items.csv")
    rows.filter(pl.col("timestamp") >= CUT).write_csv(tmp_path / "new.csv")
    transfer(WHOLE.until(CUT), "cake", method="popularity").save(tmp_path / "cake")
    return tmp_path


def test_update_writes_what_holds_and_says_so(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["update", str(shop / "cake"), str(shop / "new.csv"), "--data", str(shop / "shop"), "--people", "10"]
    out = ["--out", str(shop / "next"), "--margin", "10", "--method", "user_kernel"]
    assert main([*words, *out]) == 0
    said = capsys.readouterr().out
    assert "promoted: " in said
    assert "nDCG@10 of" in said
    made = Recommender.load(shop / "next")
    assert made.facts["update"]["judgement"]["users"] >= 10
    assert main([*words, *out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["promote"] is True


def test_update_keeps_what_cannot_be_judged(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = pl.read_csv(shop / "new.csv").filter(pl.col("user_id").is_in(["u11", "u12"]))
    rows.write_csv(shop / "few.csv")
    words = ["update", str(shop / "cake"), str(shop / "few.csv"), "--data", str(shop / "shop")]
    assert main([*words, "--out", str(shop / "next")]) == 0
    assert "kept: nothing was written" in capsys.readouterr().out
    assert not (shop / "next").exists()
    rows.head(1).write_csv(shop / "few.csv")
    assert main([*words, "--out", str(shop / "next")]) == 2
    assert "nothing is left to learn" in capsys.readouterr().err


def test_replay_prints_a_line_a_day_and_keeps_the_curve(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("vl_convert", reason="no plots: pip install crossaisle[report]")
    words = ["replay", str(shop / "shop"), "--target", "cake", "--from", "2024-03-04", "--days", "4", "--people", "10"]
    assert main([*words, "--opened", "2024-02-01", "--out", str(shop / "run")]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("day ")]
    assert [line.split()[1] for line in lines] == ["1", "2", "3", "4"]
    document = json.loads((shop / "run" / "replay.json").read_text())
    assert len(document["days"]) == 4
    picture = (shop / "run" / "replay.svg").read_text()
    assert all(f">{word}</text>" in picture for word in ("frozen", "live", "day", "nDCG@10", "1", "4"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "1999-01-01"], "nothing came before or after"),
        (["--from", "2024-03-04", "--days", "0"], "at least 1"),
        (["--from", "2024-03-04", "--speed", "0"], "above 0"),
        (["--from", "2024-03-04", "--method", "user_kernle"], "did you mean"),
    ],
)
def test_replay_refuses_in_a_sentence(
    shop: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["replay", str(shop / "shop"), "--target", "cake", *words]) == 2
    assert said in capsys.readouterr().err


def test_each_day_is_asked_before_it_is_learned() -> None:
    tape = Tape(WHOLE, "cake", CUT, 14)
    how = Teaching(people=10, margin=10.0)
    days = list(replayed(tape, how))
    assert np.array_equal(*days[0].each)
    assert [d.version for d in days] == sorted(d.version for d in days)
    assert days[-1].version > 0
    assert sum(d.events for d in days) == len(tape.rows(0, 14))
    # What comes after the replay changes nothing of what was said in it.
    later_rows = pl.col("timestamp") >= CUT + timedelta(days=14)
    later = Tape(WHOLE.until(CUT + timedelta(days=14)), "cake", CUT, 14)
    assert WHOLE.interactions.filter(later_rows).height > 0
    again = list(replayed(later, how))
    assert all(np.array_equal(a.each[1], b.each[1]) for a, b in zip(again, days, strict=True))


def test_a_department_without_a_row_begins_with_what_sells() -> None:
    tape = Tape(without_target(WHOLE, "cake", CUT), "cake", CUT, 16)
    days = list(replayed(tape, Teaching(people=10, margin=10.0)))
    assert days[0].version == 0
    assert days[-1].version > 0
    with pytest.raises(DataError):
        Tape(WHOLE, "pie", CUT, 1)


def test_speed_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("crossaisle.stream.replay.time.sleep", waited.append)
    list(replayed(Tape(WHOLE, "cake", CUT, 2), Teaching(), speed=8_640.0))
    assert len(waited) == 2
    assert all(0 < seconds <= 10 for seconds in waited)


class Counter(BaseHTTPRequestHandler):
    """Takes batches; the first is told to come again, a wrong key is refused."""

    took: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(self.path)
        code = 401 if self.headers["authorization"] != "Bearer secret" else 429 if len(self.asked) == 1 else 200
        if code == 200:
            self.took.extend(body["events"])
        self.send_response(code)
        self.send_header("Retry-After", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Nothing on the terminal."""


def test_replay_sends_each_event_once(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    words = ["replay", str(shop / "shop"), "--target", "cake", "--from", "2024-03-04", "--days", "2", "--url", url]
    monkeypatch.setenv("CROSSAISLE_KEY", "secret")
    assert main(words) == 0
    monkeypatch.setenv("CROSSAISLE_KEY", "wrong")
    assert main(words) == 2
    server.shutdown()
    server.server_close()
    assert "answered 401" in capsys.readouterr().err
    assert set(Counter.asked) == {"/v1/events/batch"}
    first = datetime(2024, 3, 4)
    times = pl.col("timestamp")
    sent = WHOLE.interactions.filter((times >= first) & (times < first + timedelta(days=2)))
    assert len({e["event_id"] for e in Counter.took}) == len(Counter.took) == len(sent)
    assert Counter.took[0].keys() >= {"user", "item", "domain", "event", "timestamp"}
    assert main([*words[:-1], "ftp://shop"]) == 2
