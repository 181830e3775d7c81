"""Contrastive fusion: users, items and texts that belong together are near, across domains."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.world import World
from ..encoders.content import Content
from ..models.base import Base, tensors_of
from ..models.network import Network
from ..objectives.contrast import aligned, in_batch, same
from ..rng import seeded
from ..train.loop import train
from ..train.pairs import Mixed, Pairs, PairSampler, Views
from .common import rank_loss
from .ground import Ground, NetworkOptions
from .method import fusion
from .multitask import balance_of


@dataclass(frozen=True)
class ContrastiveOptions(NetworkOptions):
    """Options of `contrastive`; a term of weight 0 is left out."""

    rank: float = 1.0
    """Weight of ranking in each (domain, event), as in `shared_bottom`."""
    pairs: float = 0.5
    """Weight of users against the items of the batch, of all domains."""
    bought: float = 0.2
    """Weight of items that the same person has, of two domains where there are such."""
    text: float = 0.1
    """Weight of an item by its text alone against the same item without its text."""
    views: float = 0.1
    """Weight of two views of the same user, and of the same item."""
    temperature: float = 0.2
    """Of the cosines; lower looks at the nearest negatives alone."""
    pairs_temperature: float = 1.0
    """Of the scores of users and items."""
    kept: float = 0.6
    """Share of the events that a view of a user keeps."""
    dropped: float = 0.1
    """Share of the kinds of an item's content that training leaves out, so that views of an item differ."""
    log_q: bool = True
    """Whether scores of users and items are corrected for how often an item is a negative."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        weights = (self.rank, self.pairs, self.bought, self.text, self.views)
        if min(weights) < 0 or not (self.rank or self.pairs):
            raise ValueError("rank, pairs, bought, text and views must be 0 or more, and rank or pairs above 0.")
        if min(self.temperature, self.pairs_temperature) <= 0 or not 0 < self.kept <= 1:
            raise ValueError("temperatures must be above 0, and kept a share above 0.")
        if not 0 <= self.dropped < 1:
            raise ValueError("dropped must be a share below 1.")


@fusion(
    "contrastive",
    options=ContrastiveOptions,
    paper="Yi et al. 2019, log-Q; Chen et al. 2020, SimCLR; Radford et al. 2021, CLIP; Wu et al. 2021, SGL",
    when="the same people buy in several domains, and the target is judged on its launch day",
    cost="high",
)
def fit(world: World, sources: tuple[str, ...], options: ContrastiveOptions, seed: int) -> Base:
    """One network that also brings together what belongs together, across domains and kinds of content."""
    ground = Ground.open(world, sources, options, seed)
    sampler = PairSampler(ground.sampler(), ground.events, options.kept if options.views else 0.0)
    with seeded(seed, "contrastive"):
        network = Network(ground.sizes(), len(ground.tasks))
        network.item.fuse.drop = options.dropped
        groups = [{"params": list(network.parameters())}]

        def terms(batch: Mixed, progress: float) -> dict[str, Tensor]:
            return losses(network, ground.content, options, batch)

        balance = balance_of(options, lambda: terms(sampler(1), 0.0))
        done = train(options.phase(), network, groups, sampler, terms, balance=balance)
    return ground.base("contrastive", network, done)


def losses(network: Network, content: Content, options: ContrastiveOptions, batch: Mixed) -> dict[str, Tensor]:
    """The terms whose weight is above 0. Items and users are those of task 0, which a new domain gets."""
    o, pairs, made = options, batch.pairs, dict[str, Tensor]()
    vectors, biases = network.items(*tensors_of(content, pairs.items), 0)
    if o.rank:
        made["rank"] = o.rank * rank_loss(network, content, batch.rank)
    if o.pairs:
        users, weight = network.users(pairs.profile, pairs.levels, 0)
        scores = torch.addmm(weight * biases, users, vectors.T)
        log_q = pairs.log_q if o.log_q else None
        made["pairs"] = o.pairs * in_batch(scores, o.pairs_temperature, log_q, pairs.has)
    if o.bought:
        made["bought"] = o.bought * bought_loss(network, content, pairs, vectors, o.temperature)
    if o.text and content.text.shape[1] and content.numeric.shape[1] + content.levels.shape[1]:
        made["text"] = o.text * text_loss(network, content, pairs, o.temperature)
    if o.views and pairs.views is not None:
        made["users"] = o.views * user_loss(network, pairs, pairs.views, o.temperature)
        made["items"] = o.views * item_loss(network, content, pairs, vectors, o.temperature)
    return made


def bought_loss(network: Network, content: Content, pairs: Pairs, vectors: Tensor, temperature: float) -> Tensor:
    """Items of the same person. No log-Q: a cosine has no place for popularity, and is to say what goes together."""
    rows = torch.nonzero(pairs.paired).squeeze(1)
    if not len(rows):
        return vectors.sum() * 0
    others, _ = network.items(*tensors_of(content, pairs.more[rows.numpy()]), 0)
    # Row a: items[a] of user a. Column b: more[b] of user b; a false negative where a has it, or b has items[a].
    known = pairs.has_more[rows][:, rows] | pairs.has[rows][:, rows].T
    return aligned(vectors[rows], others, temperature, known)


def text_loss(network: Network, content: Content, pairs: Pairs, temperature: float) -> Tensor:
    """Items by their text alone against the same items by all but their text."""
    text, numeric, levels = tensors_of(content, pairs.items)
    rows = torch.nonzero(text.any(dim=1) & (numeric.any(dim=1) | levels.any(dim=1))).squeeze(1)
    if not len(rows):
        return text.sum() * 0
    text, numeric, levels = text[rows], numeric[rows], levels[rows]
    told, _ = network.items(text, torch.zeros_like(numeric), torch.zeros_like(levels), 0)
    rest, _ = network.items(torch.zeros_like(text), numeric, levels, 0)
    return aligned(told, rest, temperature, same(torch.from_numpy(pairs.items)[rows]))


def user_loss(network: Network, pairs: Pairs, views: Views, temperature: float) -> Tensor:
    """Two parts of the same history."""
    one, other = (network.users(view, pairs.levels, 0)[0] for view in (views.one, views.other))
    return aligned(one, other, temperature, same(torch.from_numpy(pairs.users)))


def item_loss(network: Network, content: Content, pairs: Pairs, vectors: Tensor, temperature: float) -> Tensor:
    """The same items with other kinds of content dropped (see `Fuse`)."""
    other, _ = network.items(*tensors_of(content, pairs.items), 0)
    return aligned(vectors, other, temperature, same(torch.from_numpy(pairs.items)))
