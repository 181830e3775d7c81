"""`diffusion` beside the baselines it was published with, on disencdr-sport-phone: docs/results/diffusion.json.

    OMP_NUM_THREADS=1 CROSSAISLE_BENCH=/data/bench python benchmarks/diffusion.py --out docs/results

nDCG@10 and HR@10 on the given candidates, default options, and how far `diffusion` is above LightGCN and MultiVAE in
per cent, with 95 % by bootstrap over people (means over seeds, paired). MultiVAE as published (Liang et al. 2018,
arXiv:1802.05814: 600 tanh, 200 latent, dropout .5, β up to .2), in as many steps of as many people as `diffusion`;
other rates and a smaller β were worse on held-out rows of phone.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, log_softmax, normalize

from crossaisle.bench.question import Question
from crossaisle.bench.run import places
from crossaisle.data.load import from_folder
from crossaisle.evaluate.steps import with_seed
from crossaisle.resampling import resampled
from crossaisle.rng import seeded
from crossaisle.train.loop import Losses, Phase, train
from crossaisle.train.rows import RowBatch, RowSampler
from crossaisle.transfer.common import inputs_of, popularity_of, training_history, with_popularity
from crossaisle.transfer.diffusion import DiffusionOptions
from crossaisle.transfer.diffusion_scorer import rows_of
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.problem import Problem
from crossaisle.types import Codes, Doubles, Floats, History

SET, TARGETS = "disencdr-sport-phone", ("phone", "sport")
K, METRICS = 10, ("ndcg", "hr")
OURS, BASELINES = "diffusion", ("lightgcn", "multi_vae")
HIDDEN, LATENT, RATE, BETA, DROPOUT = 600, 200, 1e-3, 0.2, 0.5


class MultiVae(nn.Module):
    """Rows of people → logits of items, through a latent that is drawn while training."""

    def __init__(self, items: int) -> None:
        super().__init__()
        self.read = nn.Sequential(nn.Linear(items, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 2 * LATENT))
        self.say = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, items))
        for layer in (*self.read, *self.say):
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

    def losses(self, batch: RowBatch, progress: float) -> Losses:
        """Multinomial likelihood, and the divergence from a standard normal times β, which rises to the middle."""
        mean, log_variance = self.read(dropout(normalize(batch.rows, dim=1), DROPOUT)).chunk(2, dim=1)
        drawn = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        items = -(batch.rows * log_softmax(self.say(drawn), dim=1)).sum(dim=1).mean()
        return {"items": items, "divergence": min(1.0, 2 * progress) * BETA * divergence}

    @torch.no_grad()
    def logits(self, rows: Tensor) -> Tensor:
        logits: Tensor = self.say(self.read(normalize(rows, dim=1)).chunk(2, dim=1)[0])
        return logits


@dataclass(frozen=True)
class VaeScorer:
    """Logits of the catalogue for a history."""

    model: MultiVae
    inputs: Codes
    columns: Codes
    popularity: Floats

    def score(self, history: History) -> Floats:
        rows = rows_of(history, self.inputs, "binary")
        logits = self.model.logits(torch.from_numpy(rows.toarray())).numpy()[:, self.columns]
        logits[np.diff(rows.indptr) == 0] = 0
        return with_popularity(logits, self.popularity)


def multi_vae(problem: Problem) -> VaeScorer:
    """Trained on the rows that `diffusion` sees, in as many steps."""
    like = DiffusionOptions()
    history = training_history(problem, like.scope)
    inputs = inputs_of(history.counts, problem.catalogue, like.scope, like.max_items)
    rows = rows_of(history, inputs, "binary")
    rows = rows[np.diff(rows.indptr) > 0]
    with seeded(problem.seed, "multi_vae"):
        model = MultiVae(len(inputs))
        phase = Phase("multi_vae", like.steps, RATE, decay=0.0)
        groups = [{"params": list(model.parameters())}]
        train(phase, model, groups, RowSampler(rows, problem.seed, like.batch), model.losses)
    return VaeScorer(model, inputs, np.searchsorted(inputs, problem.catalogue), popularity_of(problem))


def fit(method: str, problem: Problem) -> Any:
    """A scorer: MultiVAE, or a method of ours with its defaults."""
    if method == "multi_vae":
        return multi_vae(problem)
    ours = METHODS.get(method)
    return ours.fit(None, problem, ours.options()).scorer


def found_by(method: str, question: Question, seeds: list[int]) -> Doubles:
    """(2, n) nDCG@10 and hits of every list, means over `seeds`."""
    every = []
    for seed in seeds:
        start = time.perf_counter()
        scorer = fit(method, with_seed(question.problem, seed))
        seconds = time.perf_counter() - start
        place, _ = places(question, scorer.score)
        hit = place <= K
        every.append(np.stack([np.where(hit, 1 / np.log2(place + 1), 0), hit]))
        ndcg, hr = every[-1].mean(axis=1)
        print(f"{question.problem.target}, {method}, seed {seed}: {ndcg:.4f} / {hr:.4f}, {seconds:.0f} s", flush=True)
    return np.mean(every, axis=0)


def above(ours: Doubles, theirs: Doubles) -> list[float]:
    """By how many per cent the mean of `ours` is above that of `theirs`, low and high."""
    means = resampled(np.stack([ours, theirs]))
    low, high = np.quantile(means[0] / means[1], [0.025, 0.975])
    return [round(100 * (float(x) - 1), 1) for x in (ours.mean() / theirs.mean(), low, high)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", type=Path, help="folder for diffusion.json")
    asked = parser.parse_args()
    folder = Path(os.environ["CROSSAISLE_BENCH"]) / SET
    world, document = from_folder(folder), dict[str, Any](seeds=asked.seeds)
    for target in TARGETS:
        question = Question.of(folder, world, target)
        found = {m: found_by(m, question, asked.seeds) for m in (OURS, *BASELINES)}
        rows = {m: dict(zip(METRICS, map(rounded, v.mean(axis=1)), strict=True)) for m, v in found.items()}
        per_cent = {b: {m: above(found[OURS][i], found[b][i]) for i, m in enumerate(METRICS)} for b in BASELINES}
        document[target] = {"lists": len(question.lists.users), "rows": rows, "per_cent_above": per_cent}
    print(json.dumps(document, indent=1))
    if asked.out is not None:
        (asked.out / "diffusion.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def rounded(number: float) -> float:
    return round(float(number), 4)


if __name__ == "__main__":
    main()
