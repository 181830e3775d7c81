"""The forms of EASE: how well and how fast, beside low rank, on public splits and on up to 100,000 items.

    OMP_NUM_THREADS=1 CROSSAISLE_BENCH=/data/bench python benchmarks/ease_large.py --out docs/results

Three parts: nDCG@10 and HR@10 on the given candidates of xmrec-t1 and disencdr-sport-phone (as in `crossaisle bench`);
seconds and memory on made-up matrices of growing size, each in a process of its own; and the share of time that `ease`
and `graph_filter` spend in BLAS, LAPACK, ARPACK and sparse products. Seconds are processor time on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import scipy
import scipy.sparse as sp
from scipy.sparse import _compressed, _sparsetools
from scipy.sparse.linalg import svds
from scipy.sparse.linalg._eigen import _svds
from scipy.sparse.linalg._eigen.arpack import _arpacklib

from crossaisle.bench.result import value
from crossaisle.bench.run import Question, places
from crossaisle.data.load import from_folder
from crossaisle.evaluate.costs import peak_memory, resident_mb
from crossaisle.transfer import ease, graph_filter
from crossaisle.transfer.common import inputs_of, popularity_of, training_history, weighted, with_popularity
from crossaisle.types import Codes, Floats, History

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "xmrec-t1, target": ("xmrec-t1", "t1", {"regularization": 100.0, "weight": "binary"}),
    "xmrec-t1, all": ("xmrec-t1", "t1", {"regularization": 100.0, "weight": "binary", "scope": "all", "max_items": 1}),
    "phone, all": ("disencdr-sport-phone", "phone", {"scope": "all"}),
    "sport, all": ("disencdr-sport-phone", "sport", {"scope": "all"}),
}
BLOCKS, RANKS = (25, 50, 100, 200), (64, 256, 512)
SIZES = (5_000, 10_000, 18_000, 50_000, 100_000)
EXACT_UP_TO = 18_000
KERNELS: tuple[tuple[Any, str], ...] = (
    *((_sparsetools, n) for n in dir(_sparsetools) if n.endswith(("_matvec", "_matvecs"))),
    (_compressed, "csr_matmat"), (_compressed, "csr_matmat_maxnnz"), (_arpacklib, "ssaupd_wrap"),
    (_arpacklib, "sseupd_wrap"), (_svds, "svd"), (np.linalg, "qr"), (scipy.linalg, "cho_factor"),
    (scipy.linalg, "cho_solve"), (scipy.linalg.lapack, "dpotrf"), (scipy.linalg.lapack, "dpotri"),
)  # fmt: skip
"""Where BLAS, LAPACK, ARPACK and sparse products are called from."""


@dataclass(frozen=True)
class LowRank:
    """EASE with XᵀX = V S² Vᵀ cut at the first singular values: B_ij = (V G Vᵀ)_ij / (1 − d_j), G = S² / (S² + λ)."""

    inputs: Codes
    outputs: Codes
    vectors: Floats
    gain: Floats
    popularity: Floats
    weight: str

    def score(self, history: History) -> Floats:
        x = weighted(history, self.weight)[:, self.inputs]  # type: ignore[arg-type]
        chosen = self.vectors[self.outputs]
        own = (chosen**2) @ self.gain
        scores = (x @ self.vectors) @ (self.gain[:, None] * chosen.T) - x[:, self.outputs].toarray() * own
        return with_popularity(scores / (1.0 - own), self.popularity)


def question_of(folder: str, target: str) -> Question:
    path = Path(os.environ["CROSSAISLE_BENCH"]) / folder
    asked = Question.of(path, from_folder(path), target)
    _ = asked.problem.history, asked.problem.target_counts  # made once, for all
    return asked


def low_rank(question: Question, options: ease.EaseOptions, rank: int) -> LowRank:
    problem = question.problem
    users = weighted(training_history(problem, options.scope), options.weight)
    inputs = inputs_of(users, problem.catalogue, options.scope, options.max_items)
    users = users[np.diff(users.indptr) > 0][:, inputs]
    _, s, right = svds(users, k=rank, v0=np.ones(min(users.shape), dtype=np.float32))
    gain = (s**2 / (s**2 + options.regularization)).astype(np.float32)
    outputs = np.searchsorted(inputs, problem.catalogue)
    return LowRank(inputs, outputs, right.T.astype(np.float32), gain, popularity_of(problem), options.weight)


def accuracy(case: str) -> Iterator[dict[str, Any]]:
    folder, target, chosen = CASES[case]
    question = question_of(folder, target)

    def row(name: str, fit: Callable[[], Any]) -> dict[str, Any]:
        with peak_memory() as peak:
            start = time.process_time()
            made = fit()
            seconds = time.process_time() - start
            listed, _ = places(question, made.score)
        ndcg, hit = (round(float(value(listed, metric).mean()), 4) for metric in ("ndcg", "hit"))
        found = {"case": case, "form": name, "ndcg": ndcg, "hit": hit, "seconds": round(seconds, 1)}
        return {**found, "peak_mb": round(peak.mb)}

    def linear(**more: Any) -> Callable[[], Any]:
        return lambda: ease.fit(None, question.problem, ease.EaseOptions(**chosen, **more)).scorer

    yield row("exact", linear(form="exact"))
    for neighbours in BLOCKS:
        yield row(f"block, {neighbours}", linear(form="block", neighbours=neighbours))
    for rank in RANKS:
        yield row(f"low rank, {rank}", lambda rank=rank: low_rank(question, ease.EaseOptions(**chosen), rank))  # type: ignore[misc]


def made_up(items: int, events: int = 25, seed: int = 0) -> sp.csr_matrix:
    """(2 × items, items) 0 and 1: people like four topics of 200 items; a fifth of events are on what all like."""
    draw = np.random.default_rng(seed)
    people, topics = 2 * items, max(items // 200, 5)
    topic = np.sort(draw.integers(0, topics, items))
    start = np.searchsorted(topic, np.arange(topics + 1))
    user = np.repeat(np.arange(people), np.minimum(draw.geometric(1 / events, people) + 4, 400))
    likes = draw.integers(0, topics, (people, 4))[user, np.minimum(draw.geometric(0.5, len(user)) - 1, 3)]
    size = start[likes + 1] - start[likes]
    item = np.minimum(start[likes] + (size * draw.random(len(user)) ** 3).astype(int), items - 1)
    common = draw.random(len(user)) < 0.2
    item[common] = draw.permutation(items)[(items * draw.random(int(common.sum())) ** 4).astype(int)]
    matrix = sp.csr_matrix((np.ones(len(user), dtype=np.float32), (user, item)), shape=(people, items))
    matrix.data[:] = 1.0
    return matrix


def timed(items: int, form: str) -> dict[str, Any]:
    """One fit in this process."""
    users, outputs = made_up(items), np.arange(items)
    before = resident_mb()
    with peak_memory() as peak:
        start, wall = time.process_time(), time.perf_counter()
        weights = (
            ease.ease_columns(users, outputs, 300.0)
            if form == "exact"
            else ease.block_columns(users, outputs, 300.0, 100)
        )
        seconds, wall = time.process_time() - start, time.perf_counter() - wall
    stored = weights.nnz * 8 if sp.issparse(weights) else weights.nbytes
    start = time.process_time()
    _ = users[:256] @ weights
    asked = time.process_time() - start
    return {
        "items": items, "people": users.shape[0], "events": users.nnz, "form": form,
        "auto": ease.fitting_form(*users.shape, items), "seconds": round(seconds, 1), "wall_seconds": round(wall, 1),
        "peak_mb_over_data": round(peak.mb - before), "weights_mb": round(stored / 1e6),
        "ms_for_256_people": round(1e3 * asked),
    }  # fmt: skip


def scale() -> Iterator[dict[str, Any]]:
    for items in SIZES:
        for form in ("exact", "block") if items <= EXACT_UP_TO else ("block",):
            done = subprocess.run(
                [sys.executable, __file__, "--one", str(items), form], capture_output=True, text=True, check=True
            )
            yield json.loads(done.stdout)


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Seconds of `KERNELS` meanwhile, and of the dense product of `graph_filter.filtered`: what is left of its time."""
    spent: dict[str, float] = defaultdict(float)

    def timer(name: str, work: Callable[..., Any], known: Callable[[], float]) -> Callable[..., Any]:
        def timed_work(*given: Any, **named: Any) -> Any:
            start, before = time.process_time(), known()
            made = work(*given, **named)
            spent[name] += time.process_time() - start - (known() - before)
            return made

        return timed_work

    with ExitStack() as stack:
        for place, name in (*KERNELS, (_compressed, "csr_todense")):
            stack.enter_context(mock.patch.object(place, name, timer(name, getattr(place, name), lambda: 0.0)))
        product = timer("dense product", graph_filter.filtered, lambda: sum(spent.values()))
        stack.enter_context(mock.patch.object(graph_filter, "filtered", product))
        yield spent
    spent.pop("csr_todense", None)


def shares(case: str) -> Iterator[dict[str, Any]]:
    """Share of the time of fit and scoring that arithmetic takes; the second of two runs."""
    folder, target, chosen = CASES[case]
    question = question_of(folder, target)
    asked = np.unique(question.lists.users)
    blocks = [question.problem.history_for(asked[s : s + 256]) for s in range(0, len(asked), 256)]
    filtering = graph_filter.GraphFilterOptions(scope=chosen.get("scope", "target"))
    fits: dict[str, Callable[[], Any]] = {
        "ease, exact": lambda: ease.fit(None, question.problem, ease.EaseOptions(**chosen, form="exact")),
        "ease, block": lambda: ease.fit(None, question.problem, ease.EaseOptions(**chosen, form="block")),
        "graph_filter": lambda: graph_filter.fit(None, question.problem, filtering),
    }
    for name, fit in fits.items():
        for _ in range(2):
            with watched() as spent:
                start = time.process_time()
                made = fit()
                for block in blocks:
                    made.scorer.score(block)
                total = time.process_time() - start
        found = {"case": case, "method": name, "seconds": round(total, 2)}
        dearest = dict(sorted(((n, round(s, 2)) for n, s in spent.items()), key=lambda p: -p[1])[:4])
        yield {**found, "share": round(sum(spent.values()) / total, 3), "dearest": dearest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("accuracy", "scale", "shares"), help="one part alone")
    parser.add_argument("--one", nargs=2, metavar=("ITEMS", "FORM"), help="one made-up size in this process")
    parser.add_argument("--out", type=Path, help="folder for ease-large.json, whose other parts stay")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(timed(int(asked.one[0]), asked.one[1])))
        return
    parts: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "accuracy": lambda: [shown(r) for c in CASES for r in accuracy(c)],
        "scale": lambda: [shown(r) for r in scale()],
        "shares": lambda: [shown(r) for c in ("xmrec-t1, all", "phone, all") for r in shares(c)],
    }
    path = asked.out / "ease-large.json" if asked.out else None
    found = json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {}
    for name in [asked.part] if asked.part else parts:
        found[name] = parts[name]()
        found[f"{name}_about"] = {
            "threads": os.environ.get("OMP_NUM_THREADS"), "load_of_machine": round(os.getloadavg()[0], 1),
            "python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__,
        }  # fmt: skip
        if path:
            path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def shown(row: dict[str, Any]) -> dict[str, Any]:
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
