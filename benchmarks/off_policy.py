"""Off-policy estimates against the truth: each policy of the Open Bandit Dataset from the other's log.

    CROSSAISLE_BENCH=/data/bench python benchmarks/off_policy.py --write docs/results

Three questions. Whole logs: is the other log's click rate met? Parts of the logs: how do error, coverage and refusals
go with their size? Drawn logs: the same where the truth is known exactly, with click probabilities of (item, place)
taken from both logs and rows drawn from the policies; the limits of `crossaisle.off_policy` are read off there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crossaisle import off_policy
from crossaisle.experiments import estimate, read_log, read_policy
from crossaisle.experiments.candidate import placed
from crossaisle.off_policy import Value, with_interval
from crossaisle.rng import generator

SIZES = (1000, 2000, 5000, 10_000)
DRAWN_SIZES = (*SIZES, 20_000)
PAIRS = (("random", "bts"), ("bts", "random"))
ESTIMATORS = ("ips", "clipped", "snips", "dr")
RESAMPLES = 500
PRIOR = 50.0
BANDS = (0.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, float("inf"))
Row = dict[str, Any]


def logs(path: Path) -> dict[str, pl.DataFrame]:
    """Policy → its log."""
    whole = pl.read_parquet(path)
    return {name: read_log(whole.filter(policy=name), {"click": "reward"}) for name in ("random", "bts")}


def policies(found: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Policy → its probabilities of each item at each place, averaged over the week.

    `bts` learns while it logs and tells the propensity of the shown item alone, so its mean is taken from how often it
    showed what: the shares of the items, without the clicks.
    """
    cells = found["bts"].select("item_id").unique().join(found["bts"].select("position").unique(), how="cross")
    bts = found["bts"].group_by("position", "item_id").agg(n=pl.len())
    bts = bts.select("position", "item_id", probability=pl.col("n") / pl.col("n").sum().over("position"))
    even = cells.with_columns(probability=1.0 / pl.len().over("position"))
    return {"random": read_policy(even), "bts": read_policy(bts)}


def judged(log: pl.DataFrame, policy: pl.DataFrame, seed: int) -> tuple[dict[str, Value], off_policy.Support]:
    """All estimates of one log, one unit a row, with fewer resamples than `estimate` takes."""
    rewards, whole = log["reward"].to_numpy(), placed(log, policy)
    weights, units = whole.probability / log["propensity"].to_numpy(), np.arange(log.height)
    model = off_policy.cross_fitted(rewards, whole.cells, whole.places, units, whole.matrix, whole.contexts, seed)
    terms = {
        "ips": off_policy.ips(rewards, weights),
        "clipped": off_policy.clipped(rewards, weights),
        "snips": off_policy.snips(rewards, weights),
        "dr": off_policy.doubly_robust(rewards, weights, *model),
        "weight": off_policy.Terms(weights, np.ones(len(rewards))),
    }
    drawn = off_policy.draws(terms, units, seed, RESAMPLES)
    values = {
        name: with_interval(off_policy.value_of(pair), drawn[name], off_policy.influence(pair, units))
        for name, pair in terms.items()
    }
    return values, off_policy.support_of(rewards, weights, units, values.pop("weight"), whole.uncovered)


def parts(log: pl.DataFrame, size: int, times: int) -> Iterator[pl.DataFrame]:
    """Samples of `size` rows with replacement."""
    for seed in range(times):
        yield log[generator(seed, "part", str(size)).integers(0, log.height, size)]


def world(found: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Cell → click probability: clicks of both logs, drawn towards the mean of the place with the weight of 50 rows."""
    both = pl.concat(list(found.values())).group_by("item_id", "position").agg(n=pl.len(), c=pl.col("reward").sum())
    mean = pl.col("c").sum().over("position") / pl.col("n").sum().over("position")
    return both.with_columns(rate=(pl.col("c") + PRIOR * mean) / (pl.col("n") + PRIOR)).sort("position", "item_id")


def drawn(cells: pl.DataFrame, policy: pl.DataFrame, size: int, times: int) -> Iterator[pl.DataFrame]:
    """Logs of `size` rows of a known world: a place at random, an item by the policy, a click by its probability."""
    table = cells.join(policy, on=["item_id", "position"]).sort("position", "item_id")
    chance = (table["probability"] / table["position"].n_unique()).to_numpy()
    for seed in range(times):
        draw = generator(seed, "drawn", str(size))
        row = draw.choice(table.height, size, p=chance / chance.sum())
        clicked = (draw.random(size) < table["rate"].to_numpy()[row]).astype(np.float64)
        yield table[row].select("item_id", "position", propensity="probability").with_columns(reward=pl.Series(clicked))


def on_policy(log: pl.DataFrame) -> Value:
    """The truth: the mean reward of a policy's own log, with its interval."""
    rewards = log["reward"].to_numpy()
    terms = off_policy.Terms(rewards, np.ones(len(rewards)))
    return off_policy.interval(terms, np.arange(len(rewards)))


def measured(
    samples: Iterator[pl.DataFrame], policy: pl.DataFrame, truth: float
) -> tuple[Row, list[tuple[float, bool, dict[str, bool]]]]:
    """Error, coverage and refusals over `samples`, and each sample's (effective rewards, kept, covered)."""
    each = [judged(sample, policy, seed) for seed, sample in enumerate(samples)]
    kept = np.array([off_policy.refusal(support) is None for _, support in each])
    row: Row = {
        "samples": len(each),
        "refused": float(1 - kept.mean()),
        "effective_units": float(np.median([s.effective_units for _, s in each])),
        "effective_rewards": float(np.median([s.effective_rewards for _, s in each])),
    }
    for name in ESTIMATORS:
        values = np.array([v[name] for v, _ in each])
        covered = (values[:, 1] <= truth) & (truth <= values[:, 2])
        error = values[:, 0] / truth - 1
        row[name] = {
            "bias": float(np.nanmean(error)),
            "rmse": float(np.sqrt(np.nanmean(error**2))),
            "covered": float(covered.mean()),
            "covered_kept": float(covered[kept].mean()) if kept.any() else None,
        }
    notes = [
        (support.effective_rewards, bool(ok), {n: bool(v[n].low <= truth <= v[n].high) for n in ESTIMATORS})
        for (v, support), ok in zip(each, kept, strict=True)
    ]
    return row, notes


def bands(notes: list[tuple[float, bool, dict[str, bool]]]) -> list[Row]:
    """Coverage by effective number of rewarded rows."""
    rows = []
    for low, high in itertools.pairwise(BANDS):
        here = [covered for size, _, covered in notes if low <= size < high]
        if here:
            shares = {n: float(np.mean([c[n] for c in here])) for n in ESTIMATORS}
            rows.append({"from": low, "to": high if high < float("inf") else None, "logs": len(here)} | shares)
    return rows


def run(path: Path, times: int, draws: int) -> Row:
    """Everything."""
    found = logs(path)
    known, cells = policies(found), world(found)
    whole, partial, synthetic, notes = [], [], [], []
    for logged, candidate in PAIRS:
        pair = {"log": logged, "candidate": candidate}
        made, truth = estimate(found[logged], known[candidate]), on_policy(found[candidate])
        whole.append(
            pair | {"truth": truth._asdict(), "clicks": int(found[candidate]["reward"].sum())} | made.to_document()
        )
        exact = cells.join(known[candidate], on=["item_id", "position"])
        exact_truth = float((exact["rate"] * exact["probability"]).sum()) / exact["position"].n_unique()
        for size in SIZES:
            row, _ = measured(parts(found[logged], size, times), known[candidate], truth.value)
            partial.append(pair | {"rows": size} | row)
        for size in DRAWN_SIZES:
            row, more = measured(drawn(cells, known[logged], size, draws), known[candidate], exact_truth)
            synthetic.append(pair | {"rows": size, "truth": exact_truth} | row)
            notes += more
            print(logged, candidate, size, json.dumps(synthetic[-1]), flush=True)
    return {"whole": whole, "parts": partial, "drawn": synthetic, "bands": bands(notes)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CROSSAISLE_BENCH", "bench")))
    parser.add_argument("--times", type=int, default=100, help="parts of each log and size")
    parser.add_argument("--draws", type=int, default=200, help="drawn logs of each policy and size")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    began = time.perf_counter()
    result = run(given.data / "obd-men" / "logged.parquet", given.times, given.draws)
    result |= {
        "times": given.times,
        "draws": given.draws,
        "resamples": RESAMPLES,
        "seconds": time.perf_counter() - began,
    }
    if given.write:
        (given.write / "off-policy.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
