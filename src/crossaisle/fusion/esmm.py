"""Entire-space multi-task model: beside ranking, how likely what is shown is clicked, and what is clicked is bought."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ..data.world import World
from ..encoders.content import Content
from ..errors import MethodError
from ..models.base import Base, tensors_of
from ..models.network import Network
from ..objectives.multitask import esmm
from ..rng import seeded
from ..train.batches import task_data
from ..train.exposures import PAIR, Chain, Exposures, ExposureSampler, Shown, outcomes
from ..train.loop import train
from .common import rank_loss
from .ground import Ground, NetworkOptions
from .method import fusion
from .multitask import balance_of
from .needs import chain_of
from .rates import CTR, CVR

BOTH = "ctcvr"
"""Name of the loss of a click and a purchase together."""


@dataclass(frozen=True)
class EsmmOptions(NetworkOptions):
    """Options of `esmm`."""

    exposure: str = "view"
    """Event that says an item was shown."""
    click: str = "click"
    """Event that says it was clicked."""
    purchase: str = "purchase"
    """Event that says it was bought."""
    rank: float = 1.0
    """Weight of ranking in each (domain, event), as in `shared_bottom`."""
    chain: float = 1.0
    """Weight of what exposures lead to."""
    entire: bool = True
    """Whether purchases are learned over all that was shown; false learns them from what was clicked alone."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if self.rank < 0 or self.chain <= 0:
            raise ValueError("rank must be 0 or more and chain above 0.")
        if len({self.exposure, self.click, self.purchase}) < 3:
            raise ValueError("exposure, click and purchase must be three different events.")


@fusion(
    "esmm",
    options=EsmmOptions,
    paper="Ma et al. 2018, Entire Space Multi-Task Model, arXiv:1804.07931, eq. 3",
    when="views or clicks are logged beside purchases, and how likely a click or a purchase is has to be known",
    needs=("exposures",),
)
def fit(world: World, sources: tuple[str, ...], options: EsmmOptions, seed: int) -> Base:
    """Ranking, and calibrated probabilities of click and purchase learned over everything that was shown."""
    ground, chains = opened(world, sources, options, seed)
    sampler = ExposureSampler(ground.sampler(), chains)
    with seeded(seed, "esmm"):
        network = Network(ground.sizes(), len(ground.tasks))

        def terms(batch: Shown, progress: float) -> dict[str, Tensor]:
            return losses(network, ground.content, options, batch)

        groups = [{"params": list(network.parameters())}]
        balance = balance_of(options, lambda: names_of(options, chains))
        done = train(options.phase(), network, groups, sampler, terms, balance=balance)
    return ground.base("esmm", network, done, exposures={ground.tasks[c.pairs.task]: len(c.bought) for c in chains})


def names_of(options: EsmmOptions, chains: tuple[Chain, ...]) -> list[str]:
    """Names of all terms that may come."""
    several = [CTR, BOTH if options.entire else CVR]
    found = {name: None for c in chains for name in (several if c.ctr else [CVR])}
    return ["rank"] * bool(options.rank) + list(found)


def losses(network: Network, content: Content, options: EsmmOptions, batch: Shown) -> dict[str, Tensor]:
    """Ranking of one task, and what the exposures of one domain led to."""
    made = {"rank": options.rank * rank_loss(network, content, batch.rank)} if options.rank else {}
    return made | {n: options.chain * loss for n, loss in chain_losses(network, content, options, batch.exposures)}


def chain_losses(
    network: Network, content: Content, options: EsmmOptions, shown: Exposures
) -> list[tuple[str, Tensor]]:
    """Named terms: clicks and purchases where both are known, else purchases alone."""
    cvr = logits(network, content, shown, shown.cvr)
    if not shown.ctr:
        return [(CVR, binary_cross_entropy_with_logits(cvr, shown.bought))]
    ctr = logits(network, content, shown, shown.ctr)
    click, both = esmm(ctr, cvr, shown.clicked, shown.bought)
    if options.entire:
        return [(CTR, click), (BOTH, both)]
    alone = binary_cross_entropy_with_logits(cvr, shown.bought, shown.clicked, reduction="sum")
    return [(CTR, click), (CVR, alone / shown.clicked.sum().clamp(min=1.0))]


def logits(network: Network, content: Content, shown: Exposures, task: int) -> Tensor:
    """(n,) scores of the pairs that were shown: the log-odds of `task`."""
    vectors, biases = network.items(*tensors_of(content, shown.items), task)
    users, weight = network.users(shown.profile, shown.levels, task)
    scores: Tensor = (users * vectors[shown.place]).sum(dim=1) + weight * biases[shown.place]
    return scores


def opened(world: World, sources: tuple[str, ...], options: EsmmOptions, seed: int) -> tuple[Ground, tuple[Chain, ...]]:
    """What is read, with heads of clicks and purchases after those of ranking, and the chain of each domain.

    Raises:
        MethodError: an event has the name of a head.
    """
    ground = Ground.open(world, sources, options, seed)
    tasks, chains = list(ground.tasks), list[Chain]()
    for domain in sources:
        steps = chain_of(world, domain, (options.exposure, options.click, options.purchase))
        if not steps:
            continue
        heads = [f"{domain}/{name}" for name in (CTR, CVR)[3 - len(steps) :]]
        if set(heads) & set(tasks):
            raise MethodError(
                f"esmm calls its heads {' and '.join(heads)}: rename the events ctr and cvr in {domain!r}."
            )
        numbers = [0, *range(len(tasks), len(tasks) + len(heads))]
        tasks += heads
        rows = world.interactions.filter(pl.col("domain") == world.domain_code(domain))
        chains.append(_chain(ground, outcomes(rows, steps), numbers[-2], numbers[-1], domain))
    return dataclasses.replace(ground, tasks=tuple(tasks)), tuple(chains)


def _chain(ground: Ground, shown: pl.DataFrame, ctr: int, cvr: int, domain: str) -> Chain:
    places = tuple(shown[name].to_numpy().astype(np.int64) for name in PAIR)
    own = sp.csr_matrix((np.ones(len(shown), dtype=np.float32), places), shape=ground.events.shape)
    (pairs,) = task_data({cvr: own}, {cvr: ground.world.catalogue(domain)}, ground.events, ground.profiles)
    bought = shown[shown.columns[-1]].to_numpy()
    return Chain(pairs, ctr, shown["step1"].to_numpy() if ctr else np.ones_like(bought), bought)
