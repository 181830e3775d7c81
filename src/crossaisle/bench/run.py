"""Run the methods of a set: places on the given lists and in the whole catalogue, kept on disk cell by cell."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import crossaisle.transfer

from ..data.splits.from_files import given
from ..data.world import World
from ..errors import DataError, MethodError, TrainingError
from ..evaluate.cells import UNREADABLE, digest_of, read_arrays, world_mark, write_arrays
from ..evaluate.costs import peak_memory
from ..evaluate.spec import Entry
from ..evaluate.tuner import Tuner
from ..metrics import Doubles, place_of
from ..progress import tick
from ..transfer.method import check_needs
from ..transfer.problem import Problem, default_sources
from ..types import Codes, Floats, History
from .candidates import CandidateLists, lists_of

BLOCK = 256


@dataclass(frozen=True, eq=False)
class Places:
    """Where one method put the wanted items under one seed; a tie counts half a place.

    Attributes:
        label: of the method.
        seed: of the method.
        listed: (n,) place among the given candidates, from 1.
        whole: (n,) place in the whole catalogue without what the person has.
        seconds: fit and scoring, without the search of options.
        peak_mb: most memory that the process held meanwhile.
        facts: what the method says of itself.
        skipped: why it could not run; places are empty then.
    """

    label: str
    seed: int
    listed: Doubles
    whole: Doubles
    seconds: float = 0.0
    peak_mb: float = 0.0
    facts: dict[str, object] = dataclasses.field(default_factory=dict)
    skipped: str = ""


@dataclass(frozen=True, eq=False)
class Question:
    """One target of a set.

    Attributes:
        problem: what is visible.
        lists: what is asked.
        columns: `lists.items` as columns of the catalogue, −1 where a list is shorter.
    """

    problem: Problem
    lists: CandidateLists
    columns: Codes

    @classmethod
    def of(cls, folder: Path, world: World, target: str) -> Question:
        """The question about `target` in `folder`.

        Raises:
            DataError: a candidate is in no file as an item of the target.
        """
        problem = Problem(world, target, default_sources(world, target), given(world, target), world.catalogue(target))
        lists = lists_of(folder, world, target)
        place = np.minimum(np.searchsorted(problem.catalogue, lists.items), len(problem.catalogue) - 1)
        strange = (problem.catalogue[place] != lists.items) & (lists.items >= 0)
        if strange.any():
            item = world.item_ids.ids[int(lists.items[strange][0])]
            raise DataError(f"the candidate {item!r} is no item of {target!r}; add it to the items, with that domain.")
        return cls(problem, lists, np.where(lists.items < 0, -1, place))


def run(
    question: Question, entries: tuple[Entry, ...], seeds: tuple[int, ...], out: Path, tuner: Tuner
) -> Iterator[Places]:
    """All methods under all seeds; finished cells in `out` are taken from there.

    Args:
        question: what is asked.
        entries: who is asked.
        seeds: of the methods that draw at random.
        out: takes the cells.
        tuner: searches options, where it has a budget.

    Raises:
        StorageError: the disk refused.
    """
    jobs = [(e, s) for e in entries for s in (seeds if e.random else seeds[:1])]
    mark = digest_of([world_mark(question.problem.world), question.problem.target, _lists_mark(question.lists)])
    budget = [] if tuner.budget is None else [tuner.budget.seconds]
    for done, (entry, seed) in enumerate(jobs, 1):
        key = f"{entry.label}-{digest_of([mark, entry.described(), seed, _code(), *budget])}"
        found = _load(out, key)
        if found is None:
            found = judge(question, entry, seed, tuner)
            if not found.skipped:
                _save(out, key, found)
        yield found
        tick(f"bench: {question.problem.target}, {entry.label}", done, len(jobs))


def judge(question: Question, entry: Entry, seed: int, tuner: Tuner) -> Places:
    """Fit one method and place the wanted items; its options are searched once for all seeds."""
    problem = dataclasses.replace(question.problem, seed=seed)
    try:
        entry, told = tuner.tuned(entry, question.problem)
        start = time.perf_counter()
        with peak_memory() as peak:
            base, _ = tuner.bases.get(entry, problem, seed)
            check_needs(entry.method, base, problem)
            made = entry.method.fit(base, problem, entry.options)
            listed, whole = places(question, made.scorer.score)
    except (MethodError, TrainingError) as error:
        return Places(entry.label, seed, np.zeros(0), np.zeros(0), skipped=str(error))
    facts = {k: v for k, v in made.facts.items() if k != "data"} | ({"tuning": told} if told else {})
    return Places(entry.label, seed, listed, whole, time.perf_counter() - start, peak.mb, facts)


def places(question: Question, score: Callable[[History], Floats]) -> tuple[Doubles, Doubles]:
    """(n,) places among the candidates, and in the catalogue without what the person has in the target.

    Raises:
        TrainingError: a score is not a number.
    """
    lists, problem = question.lists, question.problem
    people, row_of = np.unique(lists.users, return_inverse=True)
    listed, whole = np.empty(len(lists.users)), np.empty(len(lists.users))
    for start in range(0, len(people), BLOCK):
        block = people[start : start + BLOCK]
        scores = np.array(score(problem.history_for(block)), copy=True)
        if np.isnan(scores).any():
            raise TrainingError("a method gave scores that are not numbers (NaN); lower its learning rate.")
        mine = np.flatnonzero((row_of >= start) & (row_of < start + BLOCK))
        rows, columns = row_of[mine] - start, question.columns[mine]
        among = np.where(columns < 0, -np.inf, scores[rows[:, None], columns])
        listed[mine] = place_of(among[:, 0], among[:, 1:])
        had, items = problem.target_counts[block].nonzero()
        scores[had, items] = -np.inf
        whole[mine] = place_of(among[:, 0], scores[rows]) - 0.5  # the item itself is among them
    return listed, whole


def _lists_mark(lists: CandidateLists) -> str:
    return hashlib.blake2b(lists.items.tobytes() + lists.users.tobytes(), digest_size=12).hexdigest()


@cache
def _code() -> str:
    """Hash of all transfer methods: parts of a method may be others."""
    files = sorted(Path(crossaisle.transfer.__path__[0]).glob("*.py"))
    return digest_of([f.read_text(encoding="utf-8") for f in files])


def _save(folder: Path, key: str, found: Places) -> None:
    about = {k: v for k, v in vars(found).items() if k not in ("listed", "whole")}
    write_arrays(folder, key, {"listed": found.listed, "whole": found.whole}, about)


def _load(folder: Path, key: str) -> Places | None:
    try:
        arrays, about = read_arrays(folder, key)
        return Places(listed=arrays["listed"], whole=arrays["whole"], **about)
    except UNREADABLE:
        return None
