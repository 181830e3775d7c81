"""Options chosen on held-out rows: budgets, what is held out, the choice, resumption and repetition."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from crossaisle.config import build
from crossaisle.errors import ConfigError, MethodError, StorageError, TrainingError
from crossaisle.evaluate import search as searching
from crossaisle.evaluate.budget import Budget, seconds_of
from crossaisle.evaluate.search import Search, Trial, fits, told, tuned
from crossaisle.evaluate.validation import Protocol, Validation, validation_of
from crossaisle.metrics import ndcg_at
from crossaisle.progress import showing
from crossaisle.testing_world import tiny_problem, without
from crossaisle.transfer.method import METHODS, TransferMethod
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import recommender_for
from crossaisle.transfer.space import Range, Space, space_of
from crossaisle.types import Floats, History

PLENTY = 1e6


@pytest.fixture(scope="module")
def asked() -> Validation:
    return validation_of(tiny_problem())


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), (" 1.5m ", 90)])
def test_budgets(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds
    assert Budget.of(text) == Budget(seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "0s", "-1m", "10 minutes", "1d", "1h30m"])
def test_what_is_no_budget_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 90s, 10m or 2h") as error:
        seconds_of(text)
    assert "\n" not in str(error.value)
    with pytest.raises(ConfigError, match="above 0"):
        Budget(0.0)


def test_without_optuna_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.evaluate.budget.find_spec", lambda _: None)
    with pytest.raises(MethodError, match=r"pip install crossaisle\[tune\]"):
        Budget.of("10m")


@pytest.mark.parametrize("name", [n for n, m in METHODS if getattr(m.options, "search", {})])
def test_stated_spaces_hold_the_defaults_and_are_allowed(name: str) -> None:
    method = METHODS.get(name)
    stated: Space = method.options.search  # type: ignore[attr-defined]
    start: Any = method.options()
    assert dict(space_of(start)) == dict(stated)
    assert not {"scope", "seed"} & set(stated)  # what is read is a question, not an option to choose
    for option, values in stated.items():
        ends = (values.low, values.high) if isinstance(values, Range) else values
        for value in ends:
            assert getattr(build(method.options, {option: value}), option) == value


def test_what_is_kept_or_starts_outside_is_not_searched() -> None:
    options = build(METHODS.get("item_knn").options, {"neighbours": 5000})
    assert set(space_of(options, frozenset({"shrink"}))) == {"similarity", "popularity_exponent", "weight"}
    assert str(Range(0.5, 100)) == "0.5 to 100"


def test_people_are_held_out_and_test_rows_are_not_read(asked: Validation) -> None:
    assert 0 < tiny_problem().split.valid["user"].n_unique() < 20  # too few to judge anything by
    assert asked.origin == "held out"
    assert asked.enough
    pairs = np.stack([asked.users, asked.problem.catalogue[asked.wanted]])
    shown = asked.problem.target_rows.select("user", "item").to_numpy().T
    assert not set(map(tuple, pairs.T)) & set(map(tuple, shown.T))
    assert (np.asarray(asked.had[asked.users, asked.wanted]) > 0).all()  # visible before they were held out
    whole = tiny_problem()
    split = dataclasses.replace(whole.split, test=whole.split.test.clear(), hidden=whole.split.hidden.clear())
    assert validation_of(dataclasses.replace(whole, split=split)).mark == asked.mark


def test_the_part_for_selection_goes_before() -> None:
    problem = tiny_problem()
    rows = problem.split.train.filter(pl.col("domain") == problem.domain_codes[-1])
    split = dataclasses.replace(problem.split, train=pl.concat([
        problem.split.train.filter(pl.col("domain") != problem.domain_codes[-1]), rows[: len(rows) // 2]]),
        valid=rows[len(rows) // 2 :])  # fmt: skip
    parted = dataclasses.replace(problem, split=split)
    found = validation_of(parted)
    assert found.origin == "valid"
    assert found.problem is parted
    pairs = set(zip(found.users.tolist(), problem.catalogue[found.wanted].tolist(), strict=True))
    before, valid = (set(f.select("user", "item").unique().rows()) for f in (parted.target_rows, split.valid))
    assert pairs == valid - before


def test_quality_by_hand(asked: Validation) -> None:
    n_items = len(asked.problem.catalogue)

    def score(history: History) -> Floats:
        return np.tile(-np.arange(n_items, dtype=np.float32), (len(history), 1))

    found, expected = asked.quality(score), []
    for person in asked.people:
        had = set(asked.had[person].indices.tolist())
        places = [
            1.0 + sum(c not in had for c in range(w)) for w in asked.wanted[asked.users == person].tolist()
        ]  # fmt: skip
        expected.append(ndcg_at(np.array(places), 10).mean())
    assert found == pytest.approx(expected)
    with pytest.raises(TrainingError, match="NaN"):
        asked.quality(lambda history: np.full((len(history), n_items), np.nan, dtype=np.float32))


def test_candidates_are_what_the_person_does_not_have() -> None:
    few, all_of_them = (validation_of(tiny_problem(), Protocol("half", (), n)) for n in (5, 99))
    assert few.others is not None
    assert few.others.shape == (len(few.users), 5)
    rows = np.repeat(few.users, 5)
    assert (np.asarray(few.had[rows, few.others.ravel()]) == 0).all()
    assert np.array_equal(few.others, validation_of(tiny_problem(), Protocol("half", (), 5)).others)

    def score(history: History) -> Floats:
        return np.random.default_rng(3).random((len(history), 24)).astype(np.float32)[:, : few.had.shape[1]]

    whole = validation_of(tiny_problem())
    assert all_of_them.quality(score) == pytest.approx(whole.quality(score))  # 99 are more than there are


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(MethodError, match="unknown event"):
        validation_of(tiny_problem(), Protocol(events=("purchse",)))


@dataclasses.dataclass(frozen=True)
class Dial:
    """Options of a method that is as good as `turn` is near 7."""

    turn: float = 1.0
    """What is searched."""
    kind: str = "plain"
    """Searched, too."""
    search: ClassVar[Space] = {"turn": Range(0.0, 10.0), "kind": ("plain", "odd")}


@dataclasses.dataclass(frozen=True)
class Wish:
    """Scores that are right for a share of the people."""

    kind: ClassVar[str] = "test_wish"
    scores: Floats

    def score(self, history: History) -> Floats:
        return self.scores[history.users]

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"scores": self.scores}, {}

    @classmethod
    def restore(cls, tensors: dict[str, Any], meta: dict[str, Any]) -> Wish:
        return cls(tensors["scores"])


class Clock:
    """Each trial takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 0.5
        return self.now


@pytest.fixture
def dial(asked: Validation, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Search]:
    """A Search of a method of which it is known what is best; ``fits`` counts its fits, a trial takes a second."""
    clock = Clock()
    monkeypatch.setattr(searching.time, "perf_counter", clock.perf_counter)

    def make(
        fail: Callable[[Dial], bool] = lambda _: False, kept: frozenset[str] = frozenset(), **start: Any
    ) -> Search:
        runs: list[Dial] = []

        def fit(base: Any, problem: Problem, options: Dial) -> Any:
            if fail(options):
                raise TrainingError("it did not go well.")
            runs.append(options)
            clock.now += 0.5
            right = np.random.default_rng(0).random(problem.world.n_users) < 1 - abs(options.turn - 7.0) / 10
            scores = np.zeros((problem.world.n_users, len(problem.catalogue)), np.float32)
            scores[asked.users, asked.wanted] = np.where(right[asked.users], 1.0, -1.0)
            return recommender_for(problem, "dial", Wish(scores))

        search = Search(TransferMethod("dial", fit, Dial, "a test"), Dial(**start), asked, kept=kept)
        vars(search)["runs"] = runs
        return search

    return make


def test_the_best_that_beats_the_start_is_used(dial: Callable[..., Search]) -> None:
    search = dial()
    found = tuned(search, Budget(30.0))
    assert search.runs[0] == Dial()  # type: ignore[attr-defined]
    assert abs(found.options.turn - 7.0) < 1.0
    assert found.facts["changed"]["turn"] == found.options.turn
    assert found.facts["ndcg"] > found.facts["ndcg_start"]
    assert 25 <= found.facts["trials"] <= 30
    assert found.facts["trials"] == len(search.runs)  # type: ignore[attr-defined]
    assert found.facts["seconds"] <= 30.0
    assert "→" in told(found.facts)


def test_where_nothing_is_better_the_start_stays(dial: Callable[..., Search]) -> None:
    found = tuned(dial(turn=7.0), Budget(20.0))
    assert found.options == Dial(7.0)
    assert found.facts["why"] == "no trial was better than the start beyond noise"
    assert "as they were, because no trial" in told(found.facts)


def test_a_search_goes_on_where_it_was_and_repeats(dial: Callable[..., Search], tmp_path: Path) -> None:
    whole = tuned(dial(), Budget(12.0))

    def stop(task: str, done: int, total: int) -> None:
        if task.endswith("trial 5"):
            raise KeyboardInterrupt

    first = dial(fail=lambda o: False)
    with pytest.raises(KeyboardInterrupt), showing(stop):
        tuned(first, Budget(12.0, tmp_path))
    (journal,) = tmp_path.glob("*.journal")
    with journal.open("ab") as file:
        file.write(b'{"op_code": 4, "wor')  # the machine went down in the middle of a line
    second = dial()
    again = tuned(second, Budget(12.0, tmp_path))
    assert again == whole
    assert len(first.runs) + len(second.runs) == whole.facts["trials"]  # type: ignore[attr-defined]
    third = dial()
    assert tuned(third, Budget(12.0, tmp_path)) == whole
    assert not third.runs  # type: ignore[attr-defined]
    longer = tuned(third, Budget(14.0, tmp_path))
    assert longer.facts["trials"] == whole.facts["trials"] + len(third.runs)  # type: ignore[attr-defined]
    assert third.runs  # type: ignore[attr-defined]


def test_an_interruption_within_a_trial_leaves_no_trace(
    dial: Callable[..., Search], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = tuned(dial(), Budget(8.0)), []

    def judge(self: Search, options: Any) -> Any:
        calls.append(options)
        if len(calls) in (1, 4):
            raise KeyboardInterrupt
        return real(self, options)

    real = Search.judge
    monkeypatch.setattr(Search, "judge", judge)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tuned(dial(), Budget(8.0, tmp_path))
    assert tuned(dial(), Budget(8.0, tmp_path)).options == whole.options


def test_a_damaged_file_begins_again(dial: Callable[..., Search], tmp_path: Path) -> None:
    found = tuned(dial(), Budget(5.0, tmp_path))
    (journal,) = tmp_path.glob("*.journal")
    journal.write_text("no journal\nat all\n")
    assert tuned(dial(), Budget(5.0, tmp_path)) == found


def test_a_folder_that_cannot_be_made(dial: Callable[..., Search], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot keep trials"):
        tuned(dial(), Budget(5.0, tmp_path / "file" / "trials"))


def test_a_budget_too_small_for_a_trial_says_so(dial: Callable[..., Search]) -> None:
    search = dial()
    found = tuned(search, Budget(0.1))
    assert found.options == Dial()
    assert len(search.runs) == 1  # type: ignore[attr-defined]
    assert "leaves no time for a trial beside the start, which took 1.0 s" in found.facts["why"]


def test_the_next_trial_has_to_fit() -> None:
    assert fits([], Budget(0.1))
    two = [Trial({}, 2.0, 0.1), Trial({}, 4.0, 0.1)]
    assert fits(two, Budget(9.0))
    assert not fits(two, Budget(8.9))


def test_options_that_fail_are_passed_over(dial: Callable[..., Search]) -> None:
    found = tuned(dial(fail=lambda o: o.kind == "odd"), Budget(12.0))
    assert found.options.kind == "plain"
    assert found.facts["ndcg"] > found.facts["ndcg_start"]


def test_a_start_that_fails_ends_the_search(dial: Callable[..., Search]) -> None:
    found = tuned(dial(fail=lambda o: o.turn == 1.0), Budget(PLENTY))
    assert found.options == Dial()
    assert found.facts["why"].endswith("it did not go well.")
    assert found.facts["trials"] == 1


def test_few_values_are_tried_once_each(dial: Callable[..., Search]) -> None:
    search = dial(kept=frozenset({"turn"}))
    found = tuned(search, Budget(PLENTY))
    assert sorted(o.kind for o in search.runs) == ["odd", "plain"]  # type: ignore[attr-defined]
    assert found.facts["searched"] == ["kind"]
    assert found.facts["trials"] == 2


def test_a_search_ends_after_so_many_trials(dial: Callable[..., Search], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST", 4)
    assert tuned(dial(), Budget(PLENTY)).facts["trials"] <= 4


def test_nothing_to_search_and_nobody_to_ask(asked: Validation) -> None:
    blend = METHODS.get("blend")
    found = tuned(Search(blend, blend.options(), asked), Budget(PLENTY))
    assert found.facts == {"trials": 0, "seconds": 0.0, "why": "no option is left to search"}
    empty = validation_of(without(tiny_problem(), "target_interactions"))
    ease = METHODS.get("ease")
    found = tuned(Search(ease, ease.options(), empty), Budget(PLENTY))
    assert found.facts["why"].startswith("fewer than 20 people")


@pytest.mark.parametrize("name", ["popularity", "item_knn", "als"])
def test_the_same_seed_gives_the_same_trials(
    name: str, asked: Validation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(searching, "MOST", 6)
    method = METHODS.get(name)
    kept: list[list[dict[str, Any]]] = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        search = Search(method, method.options(), asked)
        tuned(search, Budget(PLENTY, folder))
        trials = searching._finished(searching._open(search, folder))
        kept.append([dataclasses.asdict(dataclasses.replace(t, seconds=0.0)) for t in trials])
    assert kept[0] == kept[1]
    assert kept[0][0]["changed"] == {n: getattr(method.options(), n) for n in method.options.search}  # type: ignore[attr-defined]
