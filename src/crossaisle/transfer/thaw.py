"""Which weights of an adapted network move, at what rate, and from which step on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from .network import Target
from .tuning import parameters

Part = Literal["head", "items", "user", "item", "bias"]
_LAYERS: Mapping[str, int] = {"fuse": 2, "body": 2, "vector": 0, "bias": 0}
"""Modules of a tower by their distance from its end; what stands between them is 1."""


@dataclass(frozen=True)
class Pace:
    """How fast layers move.

    Attributes:
        rate: of the head and the item corrections.
        tower: rate of the last layer of a tower as a share of `rate`.
        layer: rate of a layer as a share of the one after it (Howard & Ruder 2018, section 3.2: 1 / 2.6).
        stage: steps after which the next layer is unfrozen: the target's own, then the last one (section 3.3); 0: all
            at once.
    """

    rate: float
    tower: float = 1.0
    layer: float = 1.0
    stage: int = 0


def thawed(target: Target, parts: Sequence[Part], pace: Pace) -> list[Mapping[str, Any]]:
    """Parameter groups (see `train.loop.train`) of `parts` of a target; no parameter comes twice.

    ``head`` is the target's own row, not the one that all tasks share, so that no other task moves with it.
    ``bias`` stands for the terms that are added, and the LayerNorms, of both towers (Zaken et al. 2022, BitFit).
    """
    groups: list[Mapping[str, Any]] = []
    first = pace.stage if {"head", "items"} & set(parts) else 0
    for part in dict.fromkeys(parts):
        if part == "head":
            groups.append({"params": own_head(target)})
        elif part == "items":
            groups.append({"params": list(parameters(target.items))})
        elif part == "bias":
            for name in ("user", "item"):
                if name not in parts:
                    groups += _layers(getattr(target.network, name), pace, first, True)
        else:
            groups += _layers(getattr(target.network, part), pace, first, False)
    return groups


def own_head(target: Target) -> list[nn.Parameter]:
    """The head's parameters; of their rows only that of the target will move, not the one that all tasks share."""
    found = list(parameters(target.network.heads))
    for table in found:
        own = torch.zeros_like(table)
        own[target.task] = 1.0
        table.register_hook(own.mul)  # type: ignore[no-untyped-call]
    return found


def _layers(tower: nn.Module, pace: Pace, first: int, added_only: bool) -> list[Mapping[str, Any]]:
    """Groups of a tower, from its first layer to its last, which has depth 0 and starts after `first` steps."""
    layers: dict[int, list[nn.Parameter]] = {}
    for name, module in tower.named_children():
        found = list(_added(module) if added_only else module.parameters())
        if found:
            layers.setdefault(_LAYERS.get(name, 1), []).extend(found)
    depth = {layer: d for d, layer in enumerate(sorted(layers))}
    return [
        {
            "params": found,
            "lr": pace.rate * pace.tower * pace.layer ** depth[layer],
            "start": first + pace.stage * depth[layer],
        }
        for layer, found in layers.items()
    ]


def _added(module: nn.Module) -> Iterator[nn.Parameter]:
    for part in module.modules():
        for name, parameter in part.named_parameters(recurse=False):
            if isinstance(part, nn.LayerNorm) or name.endswith("bias"):
                yield parameter
