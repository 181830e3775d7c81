"""One fit of crossaisle's own method: `python ours.py NAME FOLDER TARGET test|valid SETTINGS SCORES.npy`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from questions import question_of
from watched import memory_mb, own_peak_mb

import crossaisle.transfer  # noqa: F401  registers the methods
from crossaisle.config import build
from crossaisle.transfer.method import METHODS

_BLOCK = 256


def main() -> None:
    name, folder, target, part, settings, scores = sys.argv[1:]
    asked = question_of(Path(folder), target, part)
    method = METHODS.get(name)
    options = build(method.options, {"scope": "all", **json.loads(settings)})
    before, start = memory_mb("self", "VmRSS"), time.process_time()
    made = method.fit(None, asked.problem, options)
    fitted = time.process_time()
    found = []
    for begin in range(0, len(asked.users), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        people, rows = np.unique(asked.users[block], return_inverse=True)
        whole = made.scorer.score(asked.problem.history_for(people))
        columns = asked.columns[block]
        found.append(np.where(columns < 0, -np.inf, whole[rows[:, None], columns]))
    seconds = {"fit": round(fitted - start, 2), "score": round(time.process_time() - fitted, 2)}
    np.save(scores, np.concatenate(found).astype(np.float32))
    print(json.dumps({"seconds": seconds, "before_mb": round(before), "most_mb": round(own_peak_mb())}))


if __name__ == "__main__":
    main()
