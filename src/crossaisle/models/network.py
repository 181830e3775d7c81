"""The network: item tower over content and ids, user tower over a profile of the history, a head for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    """Widths of a network.

    Attributes:
        text: t, width of text vectors (0: no text).
        numeric: p, width of numeric vectors.
        levels: number of codes of each level column.
        profile: q, width of user profiles.
        user_levels: number of codes of each user attribute.
        dim: d, width of item and user vectors.
        hidden: width of the hidden layers.
    """

    text: int
    numeric: int
    levels: tuple[int, ...]
    profile: int
    user_levels: tuple[int, ...] = ()
    dim: int = 64
    hidden: int = 128

    def to_meta(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Sizes:
        """The inverse of `to_meta`."""
        lists = {n: tuple(meta[n]) for n in ("levels", "user_levels")}
        return cls(**{**meta, **lists})


class Fuse(nn.Module):
    """Modalities → one hidden vector (n, hidden); a modality that is absent, or dropped while training, adds nothing.

    h = Σ_m keep_m · W_m x_m + Σ_c keep_c · E_c[level_c], scaled by the share of modalities that are there.
    """

    def __init__(self, dense: Sequence[int], levels: Sequence[int], hidden: int, drop: float) -> None:
        super().__init__()
        self.dense = nn.ModuleList(nn.Linear(width, hidden) for width in dense if width)
        self.levels = nn.ModuleList(nn.Embedding(size, hidden, padding_idx=0) for size in levels)
        for table in self.levels:
            nn.init.normal_(table.weight, std=0.1)  # type: ignore[arg-type]
            nn.init.zeros_(table.weight[:1].detach())  # type: ignore[index]
        self.drop = drop

    def forward(self, dense: Sequence[Tensor], levels: Tensor) -> Tensor:
        """`dense`: one (n, width) per modality, zero rows where absent; `levels`: (n, c) codes, 0 where absent."""
        given = [x for x in dense if x.shape[1]]
        parts = [layer(x) * self._kept(x.any(dim=1)) for layer, x in zip(self.dense, given, strict=True)]
        parts += [table(levels[:, c]) * self._kept(levels[:, c] > 0) for c, table in enumerate(self.levels)]
        total: Tensor = torch.stack(parts).sum(dim=0)
        return total

    def _kept(self, there: Tensor) -> Tensor:
        kept = there.to(torch.float32)
        if self.training and self.drop:
            kept = kept * (torch.rand_like(kept) >= self.drop)
        return kept[:, None]


class ItemTower(nn.Module):
    """Content (text, numbers, levels) → item vector (n, d) and bias (n,)."""

    def __init__(self, sizes: Sizes, drop: float = 0.1) -> None:
        super().__init__()
        self.fuse = Fuse((sizes.text, sizes.numeric), sizes.levels, sizes.hidden, drop)
        self.body = nn.Sequential(nn.LayerNorm(sizes.hidden), nn.GELU(), nn.Dropout(drop))
        self.vector = nn.Linear(sizes.hidden, sizes.dim)
        self.bias = nn.Sequential(
            nn.Linear(sizes.hidden, sizes.hidden // 2), nn.GELU(), nn.Linear(sizes.hidden // 2, 1)
        )

    def forward(self, text: Tensor, numeric: Tensor, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (n, d), biases (n,)."""
        hidden = self.body(self.fuse((text, numeric), levels))
        return self.vector(hidden), self.bias(hidden).squeeze(1)


class UserTower(nn.Module):
    """Profile of the history and user attributes → user vector (n, d)."""

    def __init__(self, sizes: Sizes, drop: float = 0.1) -> None:
        super().__init__()
        self.fuse = Fuse((sizes.profile,), sizes.user_levels, sizes.hidden, drop)
        self.body = nn.Sequential(nn.LayerNorm(sizes.hidden), nn.GELU(), nn.Dropout(drop))
        self.vector = nn.Linear(sizes.hidden, sizes.dim)

    def forward(self, profile: Tensor, levels: Tensor) -> Tensor:
        """(n, d)."""
        vectors: Tensor = self.vector(self.body(self.fuse((profile,), levels)))
        return vectors


class Heads(nn.Module):
    """One head per task (domain, event): u_t = u ∘ (1 + scale_t) + shift_t, and a weight of the item bias.

    Task 0 is the shared head that a domain without a head of its own uses.
    """

    def __init__(self, tasks: int, dim: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(tasks, dim))
        self.shift = nn.Parameter(torch.zeros(tasks, dim))
        self.weight = nn.Parameter(torch.ones(tasks))

    def forward(self, users: Tensor, task: int) -> tuple[Tensor, Tensor]:
        """User vectors (n, d) of the task, weight () of the bias."""
        scale, shift, weight = self.scale[0], self.shift[0], self.weight[0]
        if task:
            scale, shift, weight = scale + self.scale[task], shift + self.shift[task], weight * self.weight[task]
        return users * (1 + scale) + shift, weight


class Network(nn.Module):
    """Scores s(u, i, t) = u_t · v_i + w_t b_i."""

    def __init__(self, sizes: Sizes, tasks: int, drop: float = 0.1) -> None:
        super().__init__()
        self.item = ItemTower(sizes, drop)
        self.user = UserTower(sizes, drop)
        self.heads = Heads(tasks, sizes.dim)

    def users(self, profile: Tensor, levels: Tensor, task: int) -> tuple[Tensor, Tensor]:
        """User vectors (n, d) for `task` and the weight of item biases."""
        made: tuple[Tensor, Tensor] = self.heads(self.user(profile, levels), task)
        return made
