"""What is asked of everybody: rows that are visible, and lists of one wanted item and its candidates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossaisle.bench.question import Question
from crossaisle.bench.sets import SETS
from crossaisle.data.load import from_folder
from crossaisle.evaluate.validation import validation_of
from crossaisle.transfer.problem import Problem
from crossaisle.types import Codes


@dataclass(frozen=True, eq=False)
class Asked:
    """Lists on a problem.

    Attributes:
        problem: what is visible.
        users: (n,) codes, ascending.
        columns: (n, 1 + m) catalogue columns, the wanted one first; −1 fills.
    """

    problem: Problem
    users: Codes
    columns: Codes

    def save(self, path: Path) -> None:
        """For `peer.py`: the matrix of all domains, with the items of the lists as columns of it."""
        counts = self.problem.history.counts
        items = np.where(self.columns < 0, -1, self.problem.catalogue[self.columns])
        matrix = {"data": counts.data, "indices": counts.indices, "indptr": counts.indptr, "shape": counts.shape}
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **matrix, users=self.users, columns=items)


def question_of(folder: Path, target: str, part: str) -> Asked:
    """The ``test`` lists of a set, or its ``valid`` ones: what `crossaisle bench --budget` would hold out."""
    question = Question.of(folder, from_folder(folder), target)
    if part == "test":
        order = np.argsort(question.lists.users, kind="stable")
        return Asked(question.problem, question.lists.users[order], question.columns[order])
    held = validation_of(question.problem, SETS[folder.name].protocol(question.columns.shape[1] - 1))
    others = held.others if held.others is not None else np.zeros((len(held.users), 0), dtype=np.int64)
    return Asked(held.problem, held.users, np.concatenate([held.wanted[:, None], others], axis=1))
