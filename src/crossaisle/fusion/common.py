"""What fusion methods and the transfers of networks share: tasks of a World, widths, the ranking loss."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np
import polars as pl
import scipy.sparse as sp
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
        rows = world.interactions.filter(pl.col("domain") == world.domain_code(domain))
        for code in rows["event"].unique().sort().to_list():
            event = world.events.decode(np.array([code]))[0]
            if event not in IGNORED_EVENTS:
                own[len(names)] = event_weights(rows.filter(pl.col("event") == code), world.n_users, world.n_items)
                catalogues[len(names)] = world.catalogue(domain)
                names.append(f"{domain}/{event}")
    return own, catalogues, tuple(names)


def total(own: Mapping[int, sp.csr_matrix]) -> sp.csr_matrix:
    """Event weights of all tasks together."""
    return reduce(lambda a, b: a + b, own.values()).tocsr()


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
        levels=reader.attributes.sizes,
        profile=profiles.width,
        user_levels=people.sizes if people is not None else (),
        dim=dim,
        hidden=hidden,
    )


def rank_loss(network: Network, content: Content, batch: Batch) -> Tensor:
    """Sampled softmax of the batch's task (see `sampled_softmax`)."""
    vectors, biases = network.item(*tensors_of(content, batch.items))
    users, weight = network.users(batch.profile, batch.levels, batch.task)
    scores = users @ vectors[batch.negatives].T + weight * biases[batch.negatives]
    positive = (users * vectors[batch.positive]).sum(dim=1) + weight * biases[batch.positive]
    return sampled_softmax(positive, scores, batch.excluded)
