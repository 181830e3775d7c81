"""What a network's scores go back to: events of the person, and kinds of content of the item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from ..encoders.content import Content, ContentReader
from ..encoders.method import Bools
from ..models.network import Fuse, Network
from ..models.paths import item_parts, level_blocks, user_parts
from ..models.profile import Profiles
from ..types import Doubles, Floats

ANY_ITEM = "any item"
"""What events add to the score of an item that says nothing of itself."""
SOLD = "who bought it"
"""What the target's own purchases add to an item beyond its content."""
PRICE, IDS, ATTRIBUTES, TEXT = "price", "id", "attributes", "text"


def of_events(
    network: Network,
    task: int,
    profiles: Profiles,
    events: sp.csr_matrix,
    inside: Bools,
    levels: Tensor,
    wanted: Floats,
) -> tuple[Doubles, Doubles]:
    """(m,) and (m, events): wanted · (user vector) without events, and what each event of one person adds.

    The two lengths of the profile (elsewhere, and in the domain) are taken as given; what belongs to no event alone,
    such as the mean profile that is taken off, is shared by w².
    """
    codes, weights = events.indices, events.data.astype(np.float32)
    squares = (weights * profiles.rarity[codes]).astype(np.float64) ** 2
    fuse, width = network.user.fuse, profiles.width // 2
    rows = np.zeros((len(codes), 2 * width), dtype=np.float32)
    for number, mask in enumerate((~inside[codes], inside[codes])):
        rows[mask, number * width : (number + 1) * width] = profiles.shares(codes[mask], weights[mask])
    with torch.no_grad():
        nobody = fuse((torch.zeros(1, 2 * width),), levels)
        if not squares.any():
            vectors, _ = network.users(torch.zeros(1, 2 * width), levels, task)
            return (vectors.double().numpy() @ wanted.T)[0], np.zeros((len(wanted), len(codes)))
        amount = torch.from_numpy((squares / squares.sum()).astype(np.float32))
        layer: Any = fuse.dense[0]
        added = torch.from_numpy(rows) @ layer.weight.T + amount[:, None] * layer.bias
    return user_parts(network, task, nobody, added, amount, torch.from_numpy(wanted))


def of_content(network: Network, task: int, shelf: Content, reader: ContentReader) -> dict[str, Floats]:
    """Modality → (n, d), what it adds to the vectors of the items of `shelf` beyond that of an empty item."""
    blocks = _blocks(network.item.fuse, shelf, reader)
    with torch.no_grad():
        made = item_parts(network, task, list(blocks.values()))
    return dict(zip(blocks, made.numpy(), strict=True))


def _blocks(fuse: Fuse, shelf: Content, reader: ContentReader) -> dict[str, Tensor]:
    """Modality → (n, hidden), its term of what the item tower fuses."""
    nothing = torch.zeros(len(shelf), fuse.levels.shape[1])
    blocks = {name: nothing.clone() for name in (TEXT, ATTRIBUTES, PRICE, IDS)}
    layers: Iterator[Any] = iter(fuse.dense)
    with torch.no_grad():
        for values, name in ((shelf.text, TEXT), (shelf.numeric, ATTRIBUTES)):
            if not values.shape[1]:
                continue
            layer, x = next(layers), torch.from_numpy(values)
            priced = _price_columns(reader) if name == ATTRIBUTES else []
            of_price = x[:, priced] @ layer.weight[:, priced].T
            blocks[PRICE] += of_price
            blocks[name] += layer(x) * x.any(dim=1)[:, None] - of_price
        columns = level_blocks(fuse, torch.from_numpy(shelf.levels))
        for number, block in enumerate(columns):
            blocks[ATTRIBUTES if number < len(reader.attributes.sizes) else IDS] += block
    return {name: block for name, block in blocks.items() if block.any()} or {ATTRIBUTES: nothing}


def _price_columns(reader: ContentReader) -> list[int]:
    """Columns of the numbers that say what an item costs."""
    names = reader.attributes.numbers
    return [2 * names.index(PRICE), 2 * names.index(PRICE) + 1] if PRICE in names else []
