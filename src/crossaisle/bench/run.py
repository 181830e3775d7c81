"""Run the methods of a set: places on the given lists and in the whole catalogue, kept on disk cell by cell."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

import crossaisle.transfer

from ..errors import MethodError, TrainingError
from ..evaluate.cells import UNREADABLE, digest_of, read_arrays, world_mark, write_arrays
from ..evaluate.costs import Peak, peak_memory
from ..evaluate.spec import Entry
from ..evaluate.tuner import Tuner
from ..metrics import Doubles, place_of
from ..progress import tick
from ..recommender import Recommender
from ..transfer import stack
from ..transfer.method import check_needs
from ..types import Floats, History
from .question import Question
from .variants import NONE, Judged, Variants

BLOCK = 256
Made = Recommender | Judged


@dataclass(frozen=True, eq=False)
class Places:
    """Where one method put the wanted items under one seed; a tie counts half a place.

    Attributes:
        label: of the method.
        seed: of the method.
        listed: (n,) place among the given candidates, from 1.
        whole: (n,) place in the whole catalogue, see `places`; empty where only lists were ranked.
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


def run(
    question: Question,
    entries: tuple[Entry, ...],
    seeds: tuple[int, ...],
    out: Path,
    tuner: Tuner,
    variants: Variants = NONE,
    back: bool = False,
) -> Iterator[Places]:
    """All methods under all seeds; finished cells in `out` are taken from there.

    Args:
        question: of one target.
        entries: methods.
        seeds: of those that draw at random.
        out: folder of the cells.
        tuner: searches options, where it has a budget.
        variants: further stacks to make of the parts of each stack.
        back: the last one first, for a second process on the same `out`.

    Raises:
        StorageError: the disk refused.
    """
    jobs = [(e, s) for e in entries for s in (seeds if e.random else seeds[:1])][:: -1 if back else 1]
    mark = digest_of([world_mark(question.problem.world), question.mark()])
    budget = [] if tuner.budget is None else [tuner.budget.seconds]
    for done, (entry, seed) in enumerate(jobs, 1):
        about = digest_of([mark, entry.described(), seed, _code(), *budget])
        labels = (entry.label, *variants.labels_of(entry))
        stored = [_load(out, f"{label}-{about}") for label in labels]
        found = [s for s in stored if s is not None]
        if len(found) < len(labels):
            found = []
            for one in judge(question, entry, seed, tuner, variants):
                found.append(one)
                if not one.skipped:
                    _save(out, f"{one.label}-{about}", one)
        yield from found
        tick(f"bench: {question.problem.target}, {entry.label}", done, len(jobs))


def judge(question: Question, entry: Entry, seed: int, tuner: Tuner, variants: Variants = NONE) -> Iterator[Places]:
    """Fit one method, and variants of a stack, and place the wanted items; options are searched once for all seeds."""
    problem = dataclasses.replace(question.problem, seed=seed)
    try:
        entry, told = tuner.tuned(entry, question.problem)
        place = partial(_placed, question, seed, told)
        start = time.perf_counter()
        with peak_memory() as peak:
            base, _ = tuner.bases.get(entry, problem, seed)
            check_needs(entry.method, base, problem)
            if entry.method.name != "stack":
                yield place(entry.label, entry.method.fit(base, problem, entry.options), start, peak)
                return
            prepared = stack.prepare(base, problem, entry.options)
            shared = time.perf_counter() - start
            yield place(entry.label, stack.stacked(problem, entry.options, prepared), start, peak)
            made = variants.of(entry, question, base, problem, prepared)
            for done, (label, make) in enumerate(made, 1):
                start = time.perf_counter() - shared  # what they share is counted in each
                yield place(label, make(), start, peak)
                tick(f"bench: {problem.target}, {label}", done, len(variants.labels_of(entry)))
    except (MethodError, TrainingError) as error:
        yield Places(entry.label, seed, np.zeros(0), np.zeros(0), skipped=str(error))


def _placed(
    question: Question, seed: int, told: dict[str, object], label: str, made: Made, start: float, peak: Peak
) -> Places:
    listed, whole = made.places if isinstance(made, Judged) else places(question, made.scorer.score)
    facts = {k: v for k, v in made.facts.items() if k != "data"} | ({"tuning": told} if told else {})
    return Places(label, seed, listed, whole, time.perf_counter() - start, peak.mb, facts)


def places(question: Question, score: Callable[[History], Floats]) -> tuple[Doubles, Doubles]:
    """(n,) places among the candidates, and in the catalogue.

    In the catalogue a wanted item is ranked without what the person has in the target, and without other wanted items
    of the same person. Where no candidates are given both are the place in the catalogue.

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
        scores[problem.target_counts[block].nonzero()] = -np.inf
        scores[rows, columns[:, 0]] = -np.inf
        whole[mine] = place_of(among[:, 0], scores[rows])
        listed[mine] = place_of(among[:, 0], among[:, 1:]) if question.candidates else whole[mine]
    return listed, whole


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
