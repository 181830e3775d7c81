"""fuse, transfer, recommend, similar, validate, methods, doctor: what people get, and every mistake's sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from crossaisle.cli.flags import options_of

from .conftest import Cli


@pytest.fixture(scope="session")
def ease(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from crossaisle.cli import main

    folder = tmp_path_factory.mktemp("artifacts") / "ease"
    words = ["transfer", str(shop), "--target", "cake", "--method", "ease", "--no-cache", "--out", str(folder)]
    assert main(words) == 0
    return folder


def test_recommend_from_a_run_folder(cli: Cli, finished: Path) -> None:
    said = cli("recommend", finished, "--user", "u12", "--domain", "cake", "-k", "5", "--json")
    (answer,) = said.json
    assert said.code == 0
    assert [r["rank"] for r in answer["items"]] == [1, 2, 3, 4, 5]
    assert all(r["title"] and r["price"] for r in answer["items"])
    assert (answer["known"], answer["basis"]) == (True, "history")
    assert any(r["because"] for r in answer["items"])


def test_recommend_prints_titles_and_the_basis(cli: Cli, finished: Path) -> None:
    said = cli("recommend", finished, "--user", "u12", "-k", "3")
    assert "cake no" in said.out
    assert "Basis: this rests on what user 'u12' bought before." in said.out


def test_a_stranger_gets_an_honest_answer(cli: Cli, ease: Path) -> None:
    said = cli("recommend", ease, "--user", "stranger", "-k", "3")
    assert said.code == 0
    assert "user 'stranger' is not in the data" in said.out
    (answer,) = cli("recommend", ease, "--user", "stranger", "-k", "3", "--json").json
    assert (answer["known"], answer["basis"], len(answer["items"])) == (False, "popularity", 3)


def test_several_users_seen_items_and_the_shelf(cli: Cli, ease: Path) -> None:
    two = cli("recommend", ease, "--user", "u12", "u13", "-k", "2", "--json").json
    assert [a["user"] for a in two] == ["u12", "u13"]
    shelf = cli("recommend", ease, "--user", "u12", "-k", "2", "--available", "cake05", "cake09", "--json").json
    assert {r["item_id"] for r in shelf[0]["items"]} <= {"cake05", "cake09"}
    fresh, seen = (
        {r["item_id"] for r in cli("recommend", ease, "--user", "u12", "-k", "10", "--json", *more).json[0]["items"]}
        for more in ((), ("--with-seen",))
    )
    assert seen - fresh


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--user", "u12", "--domain", "caek"], "unknown domain 'caek': did you mean 'cake'?"),
        (["--user", "u12", "-k", "25"], "k is 25, but 'cake' has 24 items"),
        (["--user", "u12", "-k", "0"], "k is 0"),
        (["--user", "u12", "--item-title", "a pie"], "cannot score items it has not seen"),
    ],
)
def test_wrong_questions(cli: Cli, ease: Path, words: list[str], sentence: str) -> None:
    said = cli("recommend", ease, *words)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err


def test_no_artifact_there(cli: Cli, tmp_path: Path) -> None:
    said = cli("recommend", tmp_path, "--user", "u12")
    assert said.code == 2
    assert "not a crossaisle artifact" in said.err
    (tmp_path / "config.toml").write_text("")
    assert "run folder without a finished recommender" in cli("recommend", tmp_path, "--user", "u12").err


def test_a_truncated_artifact_is_refused(cli: Cli, shop: Path, tmp_path: Path) -> None:
    words = ["--target", "cake", "--method", "popularity", "--out", tmp_path / "a"]
    assert cli("transfer", shop, *words).code == 0
    tensors = tmp_path / "a" / "tensors.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-9])
    said = cli("recommend", tmp_path / "a", "--user", "u12")
    assert said.code == 2
    assert "damaged" in said.err


def test_similar(cli: Cli, ease: Path) -> None:
    said = cli("similar", ease, "--item", "cake01", "-k", "3", "--json")
    assert said.json["item_id"] == "cake01"
    assert len(said.json["items"]) == 3
    assert "cake no" in cli("similar", ease, "--item", "cake01", "-k", "3").out


def test_nothing_is_like_what_nobody_bought(cli: Cli, shop: Path, tmp_path: Path) -> None:
    lonely = tmp_path / "shop"
    shutil.copytree(shop, lonely)
    with (lonely / "items.csv").open("a", encoding="utf-8") as file:
        columns = (shop / "items.csv").read_text(encoding="utf-8").split("\n")[0].split(",")
        words = {"title": "lonely cake", "item_id": "cake99", "domain": "cake", "brand": "x", "price": "1.0"}
        file.write(",".join(words[c] for c in columns) + "\n")
    made = tmp_path / "made"
    assert cli("transfer", lonely, "--target", "cake", "--method", "ease", "--out", made).code == 0
    said = cli("similar", made, "--item", "cake99", "-k", "3")
    assert (said.code, "No item is known to be like 'cake99'" in said.out) == (0, True)
    assert cli("similar", made, "--item", "cake99", "-k", "3", "--json").json["items"] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--item", "cake0x"], "unknown item 'cake0x': did you mean"),
        ([], "either --item ID or --item-title TITLE"),
        (["--item", "cake01", "--item-title", "x"], "either --item ID or --item-title TITLE"),
        (["--item-title", "a pie"], "cannot score items it has not seen"),
    ],
)
def test_wrong_items(cli: Cli, ease: Path, words: list[str], sentence: str) -> None:
    said = cli("similar", ease, *words)
    assert said.code == 2
    assert sentence in said.err


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["a=1", "b=2.5", "c=true", "d=word", "e='1'"], {"a": 1, "b": 2.5, "c": True, "d": "word", "e": "1"}),
        (["parts=[ease, als]", "sizes=[1,2]", "empty=[]"], {"parts": ["ease", "als"], "sizes": [1, 2], "empty": []}),
        (["content.text=", "content.text_dim=8"], {"content": {"text": "", "text_dim": 8}}),
    ],
)
def test_options_are_spelled_as_in_toml(words: list[str], options: dict[str, object]) -> None:
    assert options_of(words) == options


def test_transfer_takes_options_and_says_what_is_next(cli: Cli, shop: Path, tmp_path: Path) -> None:
    words = ["--target", "cake", "--method", "popularity", "-o", "scope=all", "-o", "half_life_weeks=2", "--weeks", "3"]
    said = cli("transfer", shop, *words, "--out", tmp_path / "a")
    assert said.code == 0, said.err
    assert "next: crossaisle recommend" in said.out
    assert cli("transfer", shop, *words, "--out", tmp_path / "a", "--json").json["domain"] == "cake"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--target", "caek"], "unknown domain 'caek': did you mean 'cake'?"),
        (["--target", "cake", "--sources", "te"], "unknown domain 'te': did you mean 'tea'?"),
        (["--target", "cake", "-o", "unit=weeks"], "allowed: 'users', 'events'"),
        (["--target", "cake", "-o", "units=users"], "unknown key 'units': did you mean 'unit'?"),
        (["--target", "cake", "-o", "unit"], "not of the form key=value"),
        (["--target", "cake", "-o", "unit=users", "-o", "unit=users"], "give each once"),
        (["--target", "cake", "-o", "seed=1"], "write --seed 1"),
        (["--target", "cake", "-o", "half_life_weeks=-1"], "above 0"),
        (["--target", "cake", "--weeks", "-1"], "weeks is -1"),
        (["--target", "cake", "--cut", "soon"], "a time such as"),
        (["--target", "cake", "--base", "nowhere"], "nowhere"),
        (["--target", "cake", "--method", "ease", "--weeks", "0"], "needs target_interactions"),
    ],
)
def test_wrong_transfers(cli: Cli, shop: Path, tmp_path: Path, words: list[str], sentence: str) -> None:
    method = [] if "--method" in words else ["--method", "popularity"]
    said = cli("transfer", shop, *words, *method, "--out", tmp_path / "a")
    assert said.code == 2, said.err
    assert sentence in said.err
    assert not (tmp_path / "a").exists()


def test_from_base_to_an_item_that_nobody_has_seen(cli: Cli, shop: Path, tmp_path: Path) -> None:
    small = [f"-o{name}=8" for name in ("dim", "hidden", "collaborative", "steps")]
    base, made = tmp_path / "base", tmp_path / "made"
    fused = cli("fuse", shop, "--sources", "tea", "coffee", "--out", base, *small, "-ocontent.text=", "--json")
    assert (fused.code, fused.json["sources"]) == (0, ["tea", "coffee"])
    words = ["--target", "cake", "--base", base, "--method", "finetune", "-osteps=8", "-ounfreeze=[head,items]"]
    said = cli("transfer", shop, *words, "--out", made)
    assert said.code == 0, said.err
    (answer,) = cli("recommend", made, "--user", "u12", "-k", "3", "--item-title", "green cake", "--json").json
    (new,) = answer["new_items"]
    assert new["of"] == 25
    assert 1 <= new["place"] <= 25
    assert "place" in cli("recommend", made, "--user", "u12", "-k", "3", "--item-title", "green cake").out
    like = cli("similar", made, "--item-title", "green cake", "-k", "3", "--json").json["items"]
    assert len(like) == 3
    wrong = cli("recommend", base, "--user", "u12")
    assert (wrong.code, "holds a base, not a recommender" in wrong.err) == (2, True)


def test_fuse_with_a_design_and_a_balance(cli: Cli, shop: Path, tmp_path: Path) -> None:
    small = [f"-o{name}=8" for name in ("dim", "hidden", "collaborative", "steps")]
    words = ["--method", "mmoe", "-o", "experts=4", "-o", "balance=pcgrad", *small, "-ocontent.text="]
    said = cli("fuse", shop, "--sources", "tea", "coffee", "--out", tmp_path / "base", *words, "--json")
    assert said.code == 0, said.err
    about = json.loads((tmp_path / "base" / "artifact.json").read_text(encoding="utf-8"))["meta"]
    assert (about["fusion"], about["sizes"]["experts"], about["facts"]["balance"]) == ("mmoe", 4, "pcgrad")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--method", "sharedbottom"], "unknown fusion method 'sharedbottom': did you mean 'shared_bottom'?"),
        (["--sources", "tae"], "unknown domain 'tae': did you mean 'tea'"),
        (["-o", "step=5"], "unknown key 'step': did you mean 'steps'"),
        (["-o", "content.txt=5"], "unknown key 'txt': did you mean 'text'"),
        (["-o", "steps=0"], "at least 1"),
        (["--method", "mmoe", "-o", "experts=1"], "experts must be at least 2"),
        (["--method", "mmoe", "-o", "experts=two"], "experts is 'two'; int is needed"),
        (["-o", "balance=pcgrd"], "unknown balance 'pcgrd': did you mean 'pcgrad'"),
        (["--cut", "1999-01-01"], "no visible interactions"),
    ],
)
def test_wrong_fusions(cli: Cli, shop: Path, tmp_path: Path, words: list[str], sentence: str) -> None:
    said = cli("fuse", shop, *words, "--out", tmp_path / "base")
    assert said.code == 2, said.err
    assert sentence in said.err
    assert not (tmp_path / "base").exists()


def test_validate(cli: Cli, shop: Path) -> None:
    said = cli("validate", shop)
    assert said.code == 0
    assert "80 users" in said.out
    document = cli("validate", shop, "--json").json
    assert {d["name"] for d in document["domains"]} == {"tea", "coffee", "cake"}
    assert document["timed"] is True


def test_validate_lists_every_problem_at_once(cli: Cli, tmp_path: Path) -> None:
    bad = "user_id,item_id,domain,timestamp,price\nu1,i1,d,2024-01-01,1\n,i2,d,2024-01-02,x\nu3,i3,d,someday,2\n"
    (tmp_path / "interactions.csv").write_text(bad)
    said = cli("validate", tmp_path, "--json")
    assert said.code == 2
    assert len(said.json["error"]["problems"]) == 3
    assert all(column in said.err for column in ("user_id", "price", "timestamp"))


def test_validate_can_set_bad_rows_aside_and_rename(cli: Cli, tmp_path: Path) -> None:
    rows = "who,item_id,timestamp\nu1,i1,2024-01-01\nu2,i2,2024-01-02\nu2,i1,someday\n"
    (tmp_path / "interactions.csv").write_text(rows)
    words = ["--rename.who", "user_id", "--domain", "books", "--lenient", "--quarantine", tmp_path / "bad.jsonl"]
    said = cli("validate", tmp_path, *words)
    assert said.code == 0, said.err
    assert "1 bad rows were set aside" in said.out
    assert (tmp_path / "bad.jsonl").exists()


def test_validate_nothing_there(cli: Cli, tmp_path: Path) -> None:
    said = cli("validate", tmp_path / "none")
    assert said.code == 2
    assert "none" in said.err


def test_methods_lists_all_and_explains_one(cli: Cli) -> None:
    listed = {m["name"]: m for m in cli("methods", "--json").json}
    assert listed["ease"]["kind"] == "control"
    assert listed["user_kernel"]["needs"] == ["warm_items"]
    assert "Steck" in cli("methods").out
    (one,) = cli("methods", "als", "--json").json
    assert {"factors", "alpha"} <= {o["name"] for o in one["options"]}
    assert all(o["help"] for o in one["options"])
    assert "example: crossaisle transfer" in cli("methods", "als").out
    assert listed["esmm"]["needs"] == ["exposures"]
    assert "\nneeds: exposures\n" in cli("methods", "esmm").out


def test_the_examples_of_methods_name_real_options(cli: Cli, shop: Path, tmp_path: Path) -> None:
    (one,) = cli("methods", "ease", "--json").json
    words = one["example"].replace("shop/", str(shop)).replace("bakery", "cake").split()[1:]
    words[words.index("--out") + 1] = str(tmp_path / "a")
    assert cli(*words).code == 0


def test_doctor(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = cli("doctor", "--json")
    assert (said.code, said.json["usable"]) == (0, True)
    found = {f["name"]: f for f in said.json["findings"]}
    assert found["torch works"]["state"] == "ok"
    assert all(f["mend"] for f in found.values() if f["state"] != "ok")
    assert "crossaisle is usable." in cli("doctor").out


def test_doctor_says_how_to_mend(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("CROSSAISLE_CACHE", str(tmp_path / "file" / "inside"))
    monkeypatch.setattr("crossaisle.cli.doctor.find_spec", lambda name: None)
    said = cli("doctor", "--json")
    found = {f["name"]: f for f in said.json["findings"]}
    assert said.code == 1
    assert "CROSSAISLE_CACHE" in found["cache folder"]["mend"]
    assert found["demo data"]["mend"] == "pip install crossaisle[demo]"
    assert found["text model"]["mend"] == "pip install crossaisle[text]"
