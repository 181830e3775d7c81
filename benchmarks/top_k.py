"""How much the top-k costs beside the matrix product it cannot do without.

    OMP_NUM_THREADS=1 python benchmarks/top_k.py [--items 100000] [--dimensions 128] [--k 10] [--out docs/results]

Times are processor time, the best of ten, on one thread; ratios are to NumPy's bare product of the same queries and
vectors. Vectors are like trained ones: 24 directions and some noise (the product does not mind, the graph does).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch

from crossaisle.index import ApproximateIndex
from crossaisle.types import Floats


def best_of(work: Callable[[], object], times: int = 10) -> float:
    work()
    seconds = []
    for _ in range(times):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def vectors_of(n_items: int, dimensions: int, n_queries: int) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(0)
    directions = draw.standard_normal((24, dimensions), dtype=np.float32) / 5
    items = draw.standard_normal((n_items, 24), dtype=np.float32) @ directions
    noise = 0.3 * draw.standard_normal(items.shape, dtype=np.float32)
    return items + noise, draw.standard_normal((n_queries, 24), dtype=np.float32) @ directions


def measure(n_items: int, dimensions: int, k: int) -> dict[str, object]:
    vectors, queries = vectors_of(n_items, dimensions, 128)
    start = time.process_time()
    approximate = ApproximateIndex(vectors)
    built = time.process_time() - start
    rows = [compare(approximate, queries[:n], k) for n in (1, 16, 128)]
    size = {"items": n_items, "dimensions": dimensions, "k": k, "threads": torch.get_num_threads()}
    return {**size, "approximate_build_s": round(built, 1), "rows": rows}


def compare(approximate: ApproximateIndex, queries: Floats, k: int) -> dict[str, object]:
    exact = approximate.exact
    vectors, n = exact.vectors, len(queries)
    out = np.empty((n, len(vectors)), dtype=np.float32)
    seen = sp.random(n, len(vectors), density=100 / len(vectors), format="csr", random_state=0, dtype=np.float32)
    here = torch.from_numpy(queries), torch.from_numpy(vectors).T, torch.from_numpy(out)
    bare = best_of(lambda: np.matmul(queries, vectors.T, out=out))
    works: dict[str, Callable[[], object]] = {
        "torch product": lambda: torch.matmul(here[0], here[1], out=here[2]),
        "product + torch.topk": lambda: torch.topk(torch.matmul(here[0], here[1], out=here[2]), k),
        "product + numpy.argpartition": lambda: np.argpartition(np.matmul(queries, vectors.T, out=out), -k, axis=1),
        "ExactIndex": lambda: exact.top(queries, k),
        "ExactIndex, 100 seen items a user": lambda: exact.top(queries, k, seen),
        "ApproximateIndex": lambda: approximate.top(queries, k),
        "ApproximateIndex, 100 seen items a user": lambda: approximate.top(queries, k, seen),
    }
    ratios = {name: round(best_of(work) / bare, 3) for name, work in works.items()}
    truth, guess = exact.top(queries, k)[1], approximate.top(queries, k)[1]
    recall = np.mean([np.isin(t, g).mean() for t, g in zip(truth, guess, strict=True)])
    ms = round(1e3 * bare, 3)
    return {"queries": n, "bare_product_ms": ms, "ratio": ratios, "approximate_recall": round(float(recall), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--out", type=Path, help="folder for top_k.json")
    asked = parser.parse_args()
    text = json.dumps(measure(asked.items, asked.dimensions, asked.k), indent=1)
    print(text)
    if asked.out:
        (asked.out / "top_k.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
