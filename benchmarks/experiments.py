"""Do experiments that are looked at after every user keep their promise? False alarms, power and duration, simulated.

    python benchmarks/experiments.py --write docs/results

Users enter one after the other, half of them in each variant. After every pair the interval of the difference is
computed by `crossaisle.experiments.sequences`; an experiment stops at the first that excludes 0. Beside it the usual
test at 5 % at the end, and the usual test looked at after every pair.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from crossaisle.experiments.decision import MISMATCH
from crossaisle.experiments.sequences import MIN_EFFECTIVE, Moments, difference
from crossaisle.metrics import Doubles
from crossaisle.rng import generator

ALPHA = 0.05
BLOCK = 50
Row = dict[str, Any]
Draw = Callable[[np.random.Generator, tuple[int, int], float], tuple[Doubles, Doubles]]
"""Generator, shape (experiments, users) and relative gain → what is counted and what it is divided by, per user."""


def conversion(rate: float) -> Draw:
    """0 or 1 for each user."""

    def draw(rng: np.random.Generator, shape: tuple[int, int], gain: float) -> tuple[Doubles, Doubles]:
        return (rng.random(shape) < rate * (1 + gain)).astype(np.float64), np.ones(shape)

    return draw


def clicks(rng: np.random.Generator, shape: tuple[int, int], gain: float) -> tuple[Doubles, Doubles]:
    """Clicks over exposures: 1 to many exposures (geometric, mean 10), each user's own click rate (Beta, mean 4 %)."""
    exposures = rng.geometric(0.1, shape)
    own = rng.beta(0.4, 9.6, shape) * (1 + gain)
    return rng.binomial(exposures, np.minimum(own, 1.0)).astype(np.float64), exposures.astype(np.float64)


def revenue(rng: np.random.Generator, shape: tuple[int, int], gain: float) -> tuple[Doubles, Doubles]:
    """5 % buy, for a log-normal sum with σ = 1: a tenth of the buyers brings 39 % of the revenue."""
    return (rng.random(shape) < 0.05 * (1 + gain)) * rng.lognormal(3.0, 1.0, shape), np.ones(shape)


METRICS: dict[str, Draw] = {
    "cvr 1 %": conversion(0.01),
    "cvr 5 %": conversion(0.05),
    "cvr 30 %": conversion(0.30),
    "ctr 4 %": clicks,
    "revenue": revenue,
}


def running(y: Doubles, x: Doubles) -> Moments:
    """Moments after each user, (experiments, users)."""
    n = np.broadcast_to(np.arange(1.0, y.shape[1] + 1), y.shape)
    return Moments(n, *(np.cumsum(part, axis=1) for part in (x, y, x * x, x * y, y * y)))


def first_stop(outside: np.ndarray) -> np.ndarray:
    """(experiments,) pair at which each stopped, from 1; 0 where none did."""
    return np.where(outside.any(axis=1), outside.argmax(axis=1) + 1, 0)


def simulated(name: str, gain: float, pairs: int, runs: int, best_at: float, ratio: int = 1) -> Row:
    """`runs` experiments of up to `pairs` users of the variant and `ratio` times that of the control, in turns."""
    draw = METRICS[name]
    stops, peeked, fixed, better = [], [], [], []
    for block in range(runs // BLOCK):
        rng = generator(block, "experiments", name, str(gain))
        a, b = running(*draw(rng, (BLOCK, pairs * ratio), 0.0)), running(*draw(rng, (BLOCK, pairs), gain))
        a = Moments(*(part[:, ratio - 1 :: ratio] for part in a))
        found = difference(a, b, ALPHA, best_at)
        outside = (found.low > 0) | (found.high < 0)
        stop = first_stop(outside)
        stops.append(stop)
        better.append(found.value[np.arange(BLOCK), stop - 1] > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.abs(b.rate - a.rate) / np.sqrt(a.variance / a.n + b.variance / b.n)
        enough = np.minimum(a.effective, b.effective) >= MIN_EFFECTIVE
        far = score > norm.ppf(1 - ALPHA / 2)
        peeked.append((far & enough).any(axis=1))
        fixed.append(far[:, -1])
    stop, right = np.concatenate(stops), np.concatenate(better)
    taken = np.where(stop > 0, stop, pairs)
    return {
        "metric": name,
        "gain": gain,
        "share": 1 / (1 + ratio),
        "users": (1 + ratio) * pairs,
        "experiments": len(stop),
        "stopped": float((stop > 0).mean()),
        "wrong_way": float(((stop > 0) & ~right).mean()) if gain else None,
        "mean_users": float((1 + ratio) * taken.mean()),
        "median_users": float((1 + ratio) * np.median(taken)),
        "fixed": float(np.concatenate(fixed).mean()),
        "peeking": float(np.concatenate(peeked).mean()),
    }


def horizon(draw: Draw, gain: float, power: float = 0.8) -> int:
    """Users in each variant that the usual test needs at 5 % and `power`, from the moments of 400,000 users each."""
    rng = generator(0, "horizon")
    a, b = (Moments.of(*(part[0] for part in draw(rng, (1, 400_000), g))) for g in (0.0, gain))
    z = norm.ppf(1 - ALPHA / 2) + norm.ppf(power)
    return int(np.ceil(z**2 * float(a.variance + b.variance) / (gain * float(a.rate)) ** 2))


def lost(share: float, pairs: int, runs: int) -> Row:
    """Sample-ratio test after every 100 users, where `share` of the users of one variant is lost."""
    rng = generator(0, "lost", str(share))
    looks = np.arange(100, 2 * pairs + 1, 100)
    chance = (1 - share) / (2 - share)
    in_b = np.cumsum(rng.binomial(100, chance, (runs, len(looks))), axis=1)
    statistic = (2 * in_b - looks) ** 2 / looks
    warned = first_stop(statistic > norm.isf(MISMATCH / 2) ** 2)
    return {
        "lost": share,
        "users": 2 * pairs,
        "experiments": runs,
        "warned": float((warned > 0).mean()),
        "median_users": float(np.median(looks[warned[warned > 0] - 1])) if warned.any() else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=20_000, help="users in each variant where there is no difference")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    began = time.perf_counter()
    none, some = [], []
    for name, ratio in (*((name, 1) for name in METRICS), ("cvr 5 %", 9), ("revenue", 9)):
        none.append(simulated(name, 0.0, 2 * given.pairs // (1 + ratio), given.runs, 10_000, ratio))
        print(json.dumps(none[-1]), flush=True)
    for name, gain in (("cvr 5 %", 0.2), ("cvr 30 %", 0.1), ("ctr 4 %", 0.2), ("revenue", 0.3)):
        needed = horizon(METRICS[name], gain)
        for times in (1, 2):
            row = simulated(name, gain, times * needed, given.runs // 4, 2 * needed)
            some.append(row | {"fixed_users": 2 * needed})
            print(json.dumps(some[-1]), flush=True)
    ratio = [lost(share, given.pairs, given.runs) for share in (0.0, 0.02, 0.05, 0.1)]
    result = {"none": none, "some": some, "ratio": ratio, "seconds": time.perf_counter() - began}
    if given.write:
        (given.write / "experiments.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
