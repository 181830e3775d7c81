"""How much the top-k costs beside the matrix product it cannot do without.

    OMP_NUM_THREADS=1 python benchmarks/top_k.py [--items 100000] [--dimensions 128] [--k 10] [--out docs/results]

Times are the best of five on one thread; ratios are to the bare product of the same queries and vectors.
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

from crossaisle.index import ApproximateIndex, ExactIndex


def best_of(work: Callable[[], object], times: int = 5) -> float:
    work()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def measure(n_items: int, dimensions: int, k: int) -> dict[str, object]:
    draw = np.random.default_rng(0)
    vectors = draw.standard_normal((n_items, dimensions), dtype=np.float32)
    exact = ExactIndex(vectors)
    start = time.perf_counter()
    approximate = ApproximateIndex(vectors)
    built = time.perf_counter() - start
    rows = []
    for n in (1, 128):
        queries = draw.standard_normal((n, dimensions), dtype=np.float32)
        seen = sp.random(n, n_items, density=100 / n_items, format="csr", random_state=0, dtype=np.float32)
        out = np.empty((n, n_items), dtype=np.float32)
        here = torch.from_numpy(queries), torch.from_numpy(vectors), torch.from_numpy(out)
        bare = best_of(lambda q=queries, o=out: np.matmul(q, vectors.T, out=o))
        torch_bare = best_of(lambda h=here: torch.matmul(h[0], h[1].T, out=h[2]))
        torch_top = best_of(lambda h=here: torch.topk(torch.matmul(h[0], h[1].T, out=h[2]), k))
        sorted_ = best_of(lambda q=queries, o=out: np.argpartition(np.matmul(q, vectors.T, out=o), -k, axis=1), 1)
        found = best_of(lambda q=queries: exact.top(q, k))
        filtered = best_of(lambda q=queries, s=seen: exact.top(q, k, s))
        near = best_of(lambda q=queries: approximate.top(q, k))
        truth, guess = exact.top(queries, k)[1], approximate.top(queries, k)[1]
        recall = np.mean([len(np.intersect1d(t, g)) / k for t, g in zip(truth, guess, strict=True)])
        ratio = {
            "torch product": torch_bare,
            "product + torch.topk": torch_top,
            "product + numpy.argpartition": sorted_,
            "ExactIndex": found,
            "ExactIndex, 100 seen items a user": filtered,
            "ApproximateIndex": near,
        }
        rows.append(
            {
                "queries": n,
                "bare_product_ms": round(1e3 * bare, 3),
                "ratio": {name: round(seconds / bare, 3) for name, seconds in ratio.items()},
                "approximate_recall": round(float(recall), 4),
            }
        )
    size = {"items": n_items, "dimensions": dimensions, "k": k}
    return {**size, "approximate_build_s": round(built, 1), "threads": torch.get_num_threads(), "rows": rows}


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
