"""Benchmarks: places by hand, rows of a small folder, resuming, and what is said to a wrong folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from crossaisle.bench import run, variants
from crossaisle.bench.candidates import lists_of, targets_of
from crossaisle.bench.question import Question
from crossaisle.bench.result import ends, to_markdown, value
from crossaisle.bench.run import places
from crossaisle.bench.sets import SETS, AskedBySplit, BenchSet, Published
from crossaisle.bench.whole import Asking, bench_set, fill_set
from crossaisle.cli import main
from crossaisle.data.load import from_folder
from crossaisle.errors import ConfigError, DataError
from crossaisle.evaluate.spec import Entry, MethodSpec, entries_of
from crossaisle.metrics import place_of
from crossaisle.transfer import stack
from crossaisle.transfer.lists import Lists
from crossaisle.transfer.problem import Problem
from crossaisle.types import Floats, History

SMALL = BenchSet(
    "small",
    (MethodSpec("popularity"), MethodSpec("als", options={"factors": 4})),
    ("popularity", "als"),
    {"min_lists": 20, "trees": 10, "negatives": 5, "hold": "one", "folds": 2},
    (Published("cake", "a paper", 0.5, None, "published"),),
    label_folds=3,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """30 people, 12 cakes and 12 teas; everybody buys the three cakes of their kind; one of them is asked."""
    rows, test, lists = [], [], []
    for person in range(30):
        kind = person % 4
        mine = [f"c{3 * kind + i}" for i in range(3)]
        rows += [(f"u{person}", c, "cake") for c in mine[:2]] + [(f"u{person}", f"t{3 * kind}", "tea")]
        test.append((f"u{person}", mine[2], "cake"))
        others = [f"c{i}" for i in range(12) if i // 3 != kind]
        lists.append((f"u{person}", "cake", mine[2], others[: 9 - (person == 0)]))
    rows += [(f"x{i}", f"c{3 * k + 2}", "cake") for k in range(4) for i in range(4 * k, 4 * k + 3)]
    rows += [(f"x{i}", f"c{3 * k}", "cake") for k in range(4) for i in range(4 * k, 4 * k + 3)]
    for name, part in (("train", rows), ("test", test)):
        frame = pl.DataFrame(part, schema=["user_id", "item_id", "domain"], orient="row")
        frame.with_columns(event=pl.lit("review"), timestamp=pl.lit(None, pl.Datetime("us"))).write_parquet(
            tmp_path / f"{name}.parquet"
        )
    schema = {"user_id": pl.String, "domain": pl.String, "item_id": pl.String, "candidates": pl.List(pl.String)}
    pl.DataFrame(lists, schema=schema, orient="row").write_parquet(tmp_path / "candidates.parquet")
    twin = pl.DataFrame({"user_id": ["u1"], "domain": ["cake"], "item_id": ["c5"], "twin_item_id": ["t3"]})
    twin.write_parquet(tmp_path / "twin.parquet")
    return tmp_path


def test_places_count_ties_by_half() -> None:
    wanted = np.array([2.0, 1.0, 5.0], np.float32)
    others = np.array([[1, 2, 3], [1, 1, 1], [-np.inf, 0, 1]], np.float32)
    assert place_of(wanted, others).tolist() == [2.5, 2.5, 1.0]


def test_values_and_intervals() -> None:
    assert value(np.array([1.0, 2.0, 10.5, 3.0]), "ndcg").tolist() == pytest.approx([1, 1 / np.log2(3), 0, 0.5])
    assert value(np.array([1.0, 10.0, 10.5]), "hit").tolist() == [1, 1, 0]
    low, high = ends(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1]))
    assert (low, high) == (0.5, 0.5)  # both people have the same mean


def test_lists_twins_and_places_of_a_known_scorer(folder: Path) -> None:
    world = from_folder(folder)
    assert targets_of(folder) == ["cake"]
    lists = lists_of(folder, world, "cake")
    assert lists.items.shape == (30, 10)
    assert (lists.items == -1).sum() == 1  # the first list is one shorter
    assert np.flatnonzero(lists.twin).tolist() == [1]
    question = Question.of(folder, world, "cake")

    def perfect(history: History) -> Floats:
        scores = np.zeros((len(history), len(question.problem.catalogue)), dtype=np.float32)
        for row, user in enumerate(history.users):
            scores[row, question.columns[list(lists.users).index(user), 0]] = 1.0
        return scores

    listed, whole = places(question, perfect)
    assert (listed == 1).all()
    assert (whole == 1).all()


def test_a_set_gives_rows_for_every_method_and_is_not_run_twice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    found = bench_set(Asking(SMALL, folder, (0, 1), out, ablation=True))
    parts = ["popularity", "als", "stack", "stack_linear", "stack_without_popularity", "stack_without_als"]
    assert [r.method for r in found.rows if (r.slice, r.metric) == ("all", "ndcg")] == [*parts, "stack_labels"]
    assert {(r.slice, r.lists) for r in found.rows} == {("all", 30), ("full", 30), ("twin_free", 29)}
    assert not [r for r in found.rows if r.method == "stack_labels" and r.slice == "full"]  # lists only
    assert {r.seeds for r in found.rows if r.method == "popularity"} == {1}
    assert {r.seeds for r in found.rows if r.method == "als"} == {2}
    for row in found.rows:
        assert 0 <= row.low <= row.value <= row.high <= 1
    json.dumps(found.to_dict())
    assert "*a paper* (published) | 0.500 | –" in to_markdown(found)
    monkeypatch.setattr("crossaisle.bench.run.judge", lambda *_: pytest.fail("a finished cell was run again"))
    assert bench_set(Asking(SMALL, folder, (0, 1), out, ablation=True)).rows == found.rows
    only = bench_set(Asking(SMALL, folder, (0, 1), out, methods=("als",)))
    assert only.rows == tuple(r for r in found.rows if r.method == "als")


def test_a_method_that_a_set_has_not_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'alz'.*als"):
        Asking(SMALL, folder, (0,), tmp_path, methods=("alz",))


def test_a_method_that_a_later_set_has_not_is_refused_before_the_first_one_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ["disencdr-sport-phone", "amazon-overlap"]
    for name in sets:
        (tmp_path / name).mkdir()  # the first has no files, which would be told when it is read
    assert main(["bench", *sets, "--methods", "lightgcn", "--bench", str(tmp_path)]) == 2
    assert "unknown method of amazon-overlap 'lightgcn'" in capsys.readouterr().err


def test_a_second_process_goes_backward_and_the_first_finds_what_it_did(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, order = Asking(SMALL, folder, (0, 1), tmp_path / "out"), []
    judge = run.judge

    def told(question: Question, entry: Entry, *rest: Any) -> Any:
        order.append(entry.label)
        return judge(question, entry, *rest)

    monkeypatch.setattr(run, "judge", told)
    fill_set(asked)
    assert order == ["stack", "stack", "als", "als", "popularity"]
    back = bench_set(asked)
    assert len(order) == 5
    forward = bench_set(Asking(SMALL, folder, (0, 1), tmp_path / "forward"))
    values = [[(r.method, r.slice, r.metric, r.value, r.low, r.high) for r in found.rows] for found in (back, forward)]
    assert values[0] == values[1]


def test_a_set_by_split_ranks_every_wanted_item_in_the_whole_catalogue(folder: Path, tmp_path: Path) -> None:
    (folder / "candidates.parquet").unlink()
    options = {"share": 0.4, "valid_share": 0.0, "overlapping": True}
    asked = dataclasses.replace(SMALL, split=AskedBySplit("cake", "cold_users", options), label_folds=0)
    found = bench_set(Asking(asked, folder, (0,), tmp_path / "out"))
    assert {(r.slice, r.domain) for r in found.rows} == {("all", "cake")}
    question = Question.of_split(from_folder(folder), "cake", "cold_users", options)
    assert question.problem.target_counts[question.lists.users].nnz == 0
    assert (question.problem.history.counts[question.lists.users].sum(axis=1) > 0).all()  # known in the other domain

    def first(history: History) -> Floats:
        return np.tile(-np.arange(len(question.problem.catalogue), dtype=np.float32), (len(history), 1))

    listed, whole = places(question, first)
    assert np.array_equal(listed, whole)
    for user in np.unique(question.lists.users):
        mine = question.lists.users == user
        column = question.columns[mine, 0]
        before = [sum(c < own and c not in column for c in range(12)) for own in column]
        assert listed[mine].tolist() == [b + 1 for b in before]  # their other wanted items left out


def test_nobody_is_judged_by_parts_that_saw_their_label(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question.of(folder, from_folder(folder), "cake")
    options = stack.StackOptions(
        parts=("popularity", "als"), level="trees", trees=5, min_lists=10, negatives=9, hold="one", folds=2
    )
    everybody, before = set(question.lists.users.tolist()), len(question.problem.split.train)
    fitted, seen_through = stack.fitted, variants.given_lists
    by_parts: list[set[int]] = []
    judged: list[set[int]] = []

    def parts(base: Any, problem: Problem, options: Any, names: Any) -> Any:
        by_parts.append(set(problem.split.train[before:]["user"].to_list()))
        return fitted(base, problem, options, names)

    def lists(problem: Problem, scorers: Any, users: Any, columns: Any) -> Lists:
        judged.append(set(users.tolist()))
        return seen_through(problem, scorers, users, columns)

    prepared = stack.prepare(None, question.problem, options)
    monkeypatch.setattr(stack, "fitted", parts)
    monkeypatch.setattr(variants, "given_lists", lists)
    found = variants.by_labels(question, None, question.problem, options, prepared, 3)
    assert found.places[0].min() >= 1
    assert set.union(*judged) == everybody
    assert by_parts == [everybody - mine for mine in judged]
    assert len(by_parts) == 3


def test_labels_of_others_become_purchases_of_the_target_alone(folder: Path) -> None:
    problem = Question.of(folder, from_folder(folder), "cake").problem
    users = problem.split.test["user"].unique().sort().to_numpy()[:2]
    told = variants.with_labels(problem, users)
    more = (told.target_counts - problem.target_counts).tocoo()
    asked = problem.split.test.filter(pl.col("user").is_in(pl.Series(users).implode()))
    assert set(more.row[more.data > 0].tolist()) == set(users.tolist())
    assert set(problem.catalogue[more.col[more.data > 0]].tolist()) == set(asked["item"].to_list())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bench"], "no set is named; allowed: xmrec-t1"),
        (["bench", "xmrec"], "did you mean 'xmrec-t1'"),
        (["bench", "xmrec-t1", "--bench", "nowhere"], "no folder 'xmrec-t1'"),
        (["bench", "--data", "."], "has no candidates.parquet"),
        (["bench", "--data", ".", "--budget", "soon"], "such as 90s, 10m or 2h"),
    ],
)
def test_wrong_words(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_folder_the_sentence_says_where_to_give_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CROSSAISLE_BENCH", raising=False)
    assert main(["bench", "all"]) == 2
    assert "give --bench FOLDER, or set CROSSAISLE_BENCH" in capsys.readouterr().err


def test_an_unknown_candidate_and_a_missing_column_are_named(folder: Path) -> None:
    world = from_folder(folder)
    table = pl.read_parquet(folder / "candidates.parquet")
    strange = table.with_columns(candidates=pl.lit(["zz"], pl.List(pl.String)))
    strange.write_parquet(folder / "candidates.parquet")
    with pytest.raises(DataError, match="names the item 'zz'"):
        lists_of(folder, world, "cake")
    table.with_columns(candidates=pl.lit(["t0"], pl.List(pl.String))).write_parquet(folder / "candidates.parquet")
    with pytest.raises(DataError, match="'t0' is no item of 'cake'"):
        Question.of(folder, world, "cake")
    table.drop("item_id").write_parquet(folder / "candidates.parquet")
    with pytest.raises(DataError, match="lacks the column 'item_id'"):
        targets_of(folder)


@pytest.mark.parametrize("name", SETS)
def test_public_sets_name_parts_that_exist(name: str) -> None:
    asked = SETS[name]
    assert set(asked.parts) <= {e.label for e in asked.experts}
    entries_of(asked.methods())


def test_a_budget_searches_the_experts_from_the_options_of_the_set(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossaisle.evaluate.search.MOST", 3)
    found = bench_set(Asking(SMALL, folder, (0, 1), tmp_path / "out", budget="1h"))
    tuning = found.facts["cake"]["als, seed 1"]["tuning"]
    assert tuning["trials"] == 3
    assert "factors" in tuning["searched"]  # the set names it, but it is where the search starts
    assert found.facts["cake"]["stack, seed 0"]["tuning"]["why"] == "no option is left to search"
    said = to_markdown(found)
    assert "Options searched on held-out rows:\n\n- popularity: " in said
    assert "- stack: as they were, because no option is left to search (0 trials, 0 s)" in said
    assert list((tmp_path / "out" / "trials").glob("als-*.journal"))
    monkeypatch.setattr("crossaisle.bench.run.judge", lambda *_: pytest.fail("a finished cell was run again"))
    assert bench_set(Asking(SMALL, folder, (0, 1), tmp_path / "out", budget="1h")).rows == found.rows
