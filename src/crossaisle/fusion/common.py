"""What fusion methods and the transfers of networks share: tasks of a World, widths, the ranking loss."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy.sparse as sp
import torch
from torch import Tensor

from ..data.world import World
from ..encoders.attributes import AttributeEncoder
from ..encoders.content import Content, ContentReader
from ..models.base import SHARED, tensors_of
from ..models.network import Network, Sizes
from ..models.profile import Profiles
from ..objectives.rank import sampled_softmax
from ..train.batches import Batch
from ..types import Codes

IGNORED_EVENTS = ("return",)
"""Events that say no liking; networks do not train on them."""


def liked_rows(world: World, domains: tuple[str, ...]) -> pl.DataFrame:
    """Interactions of `domains` without those that say no liking."""
    codes = [world.domain_code(name) for name in domains]
    ignored = world.events.encode(list(IGNORED_EVENTS)).tolist()
    return world.interactions.filter(pl.col("domain").is_in(codes) & ~pl.col("event").is_in(ignored))


def event_weights(rows: pl.DataFrame, n_users: int, n_items: int) -> sp.csr_matrix:
    """(users, items) CSR float32: log(1 + count) of coded `rows`."""
    pairs = (rows["user"].to_numpy(), rows["item"].to_numpy())
    counts = sp.coo_matrix((np.ones(len(rows), dtype=np.float32), pairs), shape=(n_users, n_items)).tocsr()
    counts.data = np.log1p(counts.data)
    return counts


def tasks_of(
    world: World, domains: tuple[str, ...]
) -> tuple[dict[int, sp.csr_matrix], dict[int, Codes], tuple[str, ...]]:
    """The tasks (domain, event) of `domains` with visible interactions.

    Returns:
        Event weights by task number, catalogue by task number, names of all heads (``shared`` is number 0).
    """
    names, own, catalogues = [SHARED], dict[int, sp.csr_matrix](), dict[int, Codes]()
    for domain in domains:
        rows = liked_rows(world, (domain,))
        for code in rows["event"].unique().sort().to_list():
            own[len(names)] = event_weights(rows.filter(pl.col("event") == code), world.n_users, world.n_items)
            catalogues[len(names)] = world.catalogue(domain)
            names.append(f"{domain}/{world.events.decode(np.array([code]))[0]}")
    return own, catalogues, tuple(names)


def sizes_of(
    content: Content,
    reader: ContentReader,
    profiles: Profiles,
    people: AttributeEncoder | None,
    dim: int,
    hidden: int,
) -> Sizes:
    """Widths of a network for what was read."""
    return Sizes(
        text=content.text.shape[1],
        numeric=content.numeric.shape[1],
        levels=reader.levels,
        profile=profiles.width,
        user_levels=people.sizes if people is not None else (),
        dim=dim,
        hidden=hidden,
    )


def rank_loss(network: Network, content: Content, batch: Batch) -> Tensor:
    """Sampled softmax of the batch's task, items by their content."""
    return loss_of(network, batch, *network.items(*tensors_of(content, batch.items), batch.task))


def loss_of(network: Network, batch: Batch, vectors: Tensor, biases: Tensor) -> Tensor:
    """Sampled softmax (see `sampled_softmax`) with vectors (m, d) and biases (m,) of the batch's items."""
    return sampled_softmax(*scores_of(network, batch, vectors, biases), batch.excluded)


def scores_of(network: Network, batch: Batch, vectors: Tensor, biases: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (n,) of what was met and (n, k) of what was drawn, with vectors (m, d) and biases (m,) of the items."""
    users, weight = network.users(batch.profile, batch.levels, batch.task)
    drawn, met = (  # index_select: its gradient costs a tenth of that of vectors[…]
        (vectors.index_select(0, p), weight * biases.index_select(0, p)) for p in (batch.negatives, batch.positive)
    )
    return (users * met[0]).sum(dim=1) + met[1], torch.addmm(drawn[1], users, drawn[0].T)
