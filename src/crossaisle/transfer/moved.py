"""Which layers of a base moved while it was adapted, and how far."""

from __future__ import annotations

from collections import defaultdict

import torch

from .network import Shop, Target
from .tuning import shelf_vectors


def layers_moved(shop: Shop, target: Target) -> dict[str, float]:
    """Layer → ‖w − w⁰‖ / ‖w⁰‖ against the base, its tensors taken together; what a method added is left out.

    ``items`` is the size of the items' own corrections beside the vectors that content gives them.
    """
    start, now = shop.newcomer().network.state_dict(), target.network.state_dict()
    moved: dict[str, float] = defaultdict(float)
    whole: dict[str, float] = defaultdict(float)
    for name in start.keys() & now.keys():
        layer = ".".join(name.split(".")[:2]) if name.split(".")[0] in ("user", "item") else name.split(".")[0]
        moved[layer] += float((now[name] - start[name]).square().sum())
        whole[layer] += float(start[name].square().sum())
    with torch.no_grad():
        moved["items"] = float(target.items.vector.square().sum())
        whole["items"] = float(shelf_vectors(target, shop)[0].square().sum())
    return {layer: round((moved[layer] / whole[layer]) ** 0.5, 4) for layer in sorted(moved) if whole[layer] > 0}
