"""Ridge probe: the base stays as it is, and the head of the target is solved for, not trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import torch

from ..metrics import Doubles
from ..models.base import Base
from ..models.network import Network
from ..recommender import Recommender
from ..rng import generator
from ..train.batches import TaskData
from .lift import Choice, Features, Pairs, chosen, matrix
from .method import transfer
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .space import Space
from .tuning import TOO_LITTLE, Tuning, shelf_vectors, target_sampler
from .zero_shot import base_of


@dataclass(frozen=True)
class RidgeProbeOptions:
    """Options of `ridge_probe`."""

    folds: int = 4
    """Parts of the target's people; each judges what the others say."""
    launch: float = 0.5
    """What it counts that people are seen without their history in the target, against with it."""
    max_pairs: int = 100_000
    """Most visible pairs of user and item that are read."""

    search: ClassVar[Space] = {"launch": (0.25, 0.5, 0.75)}

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.folds < 2 or self.max_pairs < 1 or not 0 < self.launch < 1:
            raise ValueError("folds ≥ 2, max_pairs ≥ 1 and launch between 0 and 1 are needed.")


@transfer(
    "ridge_probe",
    options=RidgeProbeOptions,
    paper="ridge regression of lift on features; lift: Levy & Goldberg 2014, Neural Word Embedding as Implicit "
    "Matrix Factorization",
    when="there is little data and little time",
    cost="low",
    needs=("base", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: RidgeProbeOptions) -> Recommender:
    """Frozen features; popularity and a matrix between user and item vectors in closed form."""
    known = base_of(base)
    shop = Shop.open(known, problem)
    target = shop.newcomer()
    sampler = target_sampler(shop, Tuning(1, 1.0, 0.0), target.task)
    people = 0 if sampler is None else len(sampler.tasks[0].active)
    if sampler is None or people < options.folds:
        made = shop.scorer(target, "history")
        return recommender_for(problem, "ridge_probe", made, fusion=known.fusion, pairs=0, why=TOO_LITTLE)
    pairs, features = read(shop, target, sampler.tasks[0], options)
    choice, gained = chosen(pairs, features, problem.seed)
    facts = {"pairs": len(pairs.items), "validation_gain_nats": round(gained, 4), **asdict(choice)}
    if gained > 0:
        fold_in(target, pairs, features, choice)
    else:
        facts["why"] = "validation gained nothing"
    return recommender_for(problem, "ridge_probe", shop.scorer(target, "history"), fusion=known.fusion, **facts)


def read(shop: Shop, target: Target, data: TaskData, options: RidgeProbeOptions) -> tuple[Pairs, Features]:
    """The target's pairs, each twice: user vectors without the history in the target, and without the pair alone."""
    seed = shop.problem.seed
    if len(data.users) > options.max_pairs:
        drawn = generator(seed, "read").choice(len(data.users), options.max_pairs, replace=False)
        data = data.take(np.sort(drawn))
    place, n = data.users, len(data.users)
    inside = data.inside[place] - shop.profiles.sums_of(data.items, data.weights)
    own = np.vstack([np.zeros_like(inside), inside])
    profile = torch.from_numpy(shop.profiles.pair(np.tile(data.elsewhere[place], (2, 1)), own))
    levels = torch.from_numpy(np.tile(shop.levels[data.active[place]], (2, 1)))
    with torch.no_grad():
        users, weight = target.network.eval().users(profile, levels, target.task)
        vectors, biases = (t.numpy().astype(np.float64) for t in shelf_vectors(target, shop))
    folds = generator(seed, "folds").permutation(len(data.active)) % options.folds
    pairs = Pairs(
        users=users.numpy().astype(np.float64),
        people=np.tile(place, 2),
        items=np.tile(np.searchsorted(shop.problem.catalogue, data.items), 2),
        worth=np.repeat([options.launch, 1 - options.launch], n),
        folds=np.tile(folds[place], 2),
        met=data.met[:, shop.problem.catalogue],
    )
    return pairs, Features(vectors, float(weight) * biases, np.average(pairs.users, axis=0, weights=pairs.worth))


def fold_in(target: Target, pairs: Pairs, known: Features, choice: Choice) -> None:
    """Make popularity and W part of the weights, in place: u becomes Wᵀ(u − ū) + γ ū, b_i becomes γ w b_i + β_i.

    β_i = log(1 + n_i / (κ q_i)) is log p_i / q_i up to a constant: so items that come later are scored as those are
    that nobody has, by their content.
    """
    more = pairs.counts() / (choice.strength * known.prior(choice.temper))
    with torch.no_grad():
        turn(target.network, matrix(pairs, known, choice).T, known.middle, choice.temper)
        target.items.bias.copy_(torch.from_numpy(np.log1p(more)))


def turn(network: Network, matrix: Doubles, middle: Doubles, temper: float) -> None:
    """Fold the shared head, `matrix` (d, d) and `middle` (d,) into the user tower, γ `temper` into item biases."""
    heads, last = network.heads, network.user.vector
    scale, shift, weight = (t[0].double() for t in (heads.scale, heads.shift, heads.weight))
    to, mean = torch.from_numpy(matrix), torch.from_numpy(middle)
    last.bias.copy_(to @ ((1 + scale) * last.bias.double() + shift - mean) + temper * mean)
    last.weight.copy_(to @ ((1 + scale)[:, None] * last.weight.double()))
    *_, rate = network.item.bias.children()
    for tensor in rate.parameters():
        tensor.mul_(temper * weight)
    for tensor, value in ((heads.scale, 0.0), (heads.shift, 0.0), (heads.weight, 1.0)):
        tensor[0] = value
