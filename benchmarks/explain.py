"""Explanations of the demo: sums, deletion tests, time. Writes docs/results/explain.json.

    python benchmarks/explain.py [--users 200] [--out docs/results] [--methods blend als]

Methods that are not named keep their numbers.

NUTRITION, eight weeks open at the demo's cut; every method is fitted on the same rows, default options but for the text
fields of the demo. For each of the users drawn (seed 0) among those with at least ten items in their history, the three
best items that they do not have are explained.

* sum: greatest |start + Σ contributions − score|.
* deletion: |change of the score| when the three items with the greatest contributions are taken out of the history,
  against three random ones (mean of ten draws); the ratio is of the means over users, its interval by bootstrap. The
  stricter ratio draws among the items that the method reads, for people who have at least three of these.
* ceiling, of `als`: the greatest change that any three of these items make (all threes tried where there are at most
  `MOST_TRIPLES`; else taken out one after the other, each time the one that changes most), against the random ones.
* time: of `explain`, counterfactual and sentence included, divided by the recommendations; of one recommendation asked
  for by itself; and of the first call, which prepares what is kept.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from crossaisle.api import World, explain, fuse, transfer
from crossaisle.attribution import coalitions, contributions_of, keeping
from crossaisle.data.demo import CUT
from crossaisle.explain.person import Asking
from crossaisle.recommender import Recommender
from crossaisle.resampling import resampled
from crossaisle.types import History

METHODS = ("user_kernel", "als", "als@all", "shared_bottom", "blend", "emcdr")
CEILING = ("als", "als@all")
"""Of these the best three are looked for, which takes thousands of scores for each person."""
MOST_TRIPLES = 2_000
FEW = {"emcdr": 50}
"""Users of methods that are asked by sampled Shapley values, which takes seconds for each."""
TARGET, WEEKS, TOP, DRAWS = "NUTRITION", 8.0, 3, 10
TEXT = {"text_fields": ("product_type", "category")}


def drawn(shop: Recommender, users: int) -> np.ndarray:
    full = np.flatnonzero(np.diff(shop.history.counts.indptr) >= 10)
    return np.sort(np.random.default_rng(0).choice(full, min(users, len(full)), replace=False))


def deletion(shop: Recommender, user: int, draw: np.random.Generator, ceiling: bool) -> tuple[float, ...]:
    """Greatest error of the sum, and mean changes of the scores of the three best without the top three of the history,
    without a random three, without a random three of those that the method reads, and without those three of them that
    change it most (NaN unless `ceiling` asks)."""
    history = shop.history.take(np.array([user]))
    asking = Asking(shop, history)
    scores = asking.scores
    places = asking.best(scores, TOP)
    asked = np.zeros((TOP, len(scores)))
    asked[np.arange(TOP), places] = 1.0
    found = contributions_of(shop.scorer, history, asked)
    error = float(np.abs(found.start + found.parts.sum(axis=1) - scores[places]).max())
    events = history.counts.nnz

    def changed(out: np.ndarray, place: int) -> float:
        kept = np.setdiff1d(np.arange(events), out)
        return float(abs(shop.scorer.score(keeping(history, kept))[0, place] - scores[place]))

    told = [changed(np.argsort(-found.parts[row], kind="stable")[:3], p) for row, p in enumerate(places)]
    read = np.flatnonzero(np.abs(found.parts).sum(axis=0))
    chance, among = (
        float(np.mean([changed(draw.choice(those, 3, replace=False), p) for p in places for _ in range(DRAWS)]))
        if len(those) >= 3
        else np.nan
        for those in (np.arange(events), read)
    )
    most = [greatest(shop, history, p, read) for p in places] if ceiling and len(read) >= 3 else [np.nan]
    return error, float(np.mean(told)), chance, among, float(np.mean(most))


def greatest(shop: Recommender, history: History, place: int, read: np.ndarray) -> float:
    """The greatest |change of the score| at `place` without three of the events `read`."""
    events = history.counts.nnz

    def without(rows: np.ndarray) -> np.ndarray:
        kept = np.ones((len(rows) + 1, events), dtype=np.bool_)
        np.put_along_axis(kept[1:], rows, False, axis=1)
        scores = shop.scorer.score(coalitions(history, kept))[:, place].astype(np.float64)
        return np.abs(scores[1:] - scores[0])

    if math.comb(len(read), TOP) <= MOST_TRIPLES:
        return float(without(np.array(list(itertools.combinations(read, TOP)))).max())
    gone: list[int] = []
    for _ in range(TOP):
        left = np.setdiff1d(read, gone)
        changes = without(np.array([[*gone, e] for e in left]))
        gone.append(int(left[changes.argmax()]))
    return float(changes.max())


def ratio(told: np.ndarray, chance: np.ndarray) -> dict[str, float]:
    """Ratio of the means, and its 95 % interval over users."""
    means = resampled(np.stack([told, chance]))
    low, high = np.quantile(means[0] / means[1], [0.025, 0.975])
    return {"value": float(told.mean() / chance.mean()), "low": float(low), "high": float(high)}


def seconds(shop: Recommender, user: str, k: int) -> tuple[float, float]:
    """Of the clock, and of the processor, which other programs on the same machine do not lengthen so much."""
    start = time.perf_counter(), time.process_time()
    explain(shop, user, k=k)
    return time.perf_counter() - start[0], time.process_time() - start[1]


def measured(shop: Recommender, users: np.ndarray, ceiling: bool) -> dict[str, Any]:
    ids, draw = shop.user_ids.decode(users), np.random.default_rng(0)
    start = time.perf_counter()
    explain(shop, ids[0], k=TOP)
    first = time.perf_counter() - start
    spent = np.array([(*seconds(shop, user, TOP), *seconds(shop, user, 1)) for user in ids]) * 1000
    error, told, chance, among, most = np.array([deletion(shop, int(u), draw, ceiling) for u in users]).T
    readers = ~np.isnan(among)
    best = {"ratio_of_best_three": ratio(most[readers], among[readers])} if ceiling else {}
    return best | {
        "users": len(users),
        "events_median": float(np.median(np.diff(shop.history.counts.indptr)[users])),
        "catalogue": len(shop.catalogue),
        "max_error": float(error.max()),
        "change_top3": float(told.mean()),
        "change_random3": float(chance.mean()),
        "ratio": ratio(told, chance),
        "users_who_are_read": int(readers.sum()),
        "ratio_among_read": ratio(told[readers], among[readers]),
        "ms_median": float(np.median(spent[:, 0]) / TOP),
        "ms_p95": float(np.quantile(spent[:, 0], 0.95) / TOP),
        "cpu_ms_median": float(np.median(spent[:, 1]) / TOP),
        "cpu_ms_p95": float(np.quantile(spent[:, 1], 0.95) / TOP),
        "ms_one_median": float(np.median(spent[:, 2])),
        "cpu_ms_one_median": float(np.median(spent[:, 3])),
        "ms_first": float(1000 * first / TOP),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--methods", nargs="+", default=METHODS)
    asked = parser.parse_args()
    world = World.demo()
    sources = tuple(d for d in world.domains.ids.to_list() if d != TARGET)
    base = fuse(world, sources, cut=CUT, content=TEXT) if {"shared_bottom", "blend"} & set(asked.methods) else None
    path = asked.out / "explain.json"
    found: dict[str, Any] = json.loads(path.read_text())["methods"] if path.exists() else {}
    for method in asked.methods:
        start = time.perf_counter()
        name, _, scope = method.partition("@")
        options = {"scope": scope} if scope else {}
        shop = transfer(world, TARGET, method=name, base=base, cut=CUT, weeks=WEEKS, **options)
        print(f"{method}: fitted in {time.perf_counter() - start:.0f} s", flush=True)
        found[method] = measured(shop, drawn(shop, FEW.get(method, asked.users)), method in CEILING)
        print(json.dumps(found[method]), flush=True)
    document = {"target": TARGET, "weeks": WEEKS, "cut": CUT.isoformat(), "top": TOP, "draws": DRAWS, "methods": found}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
