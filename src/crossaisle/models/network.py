"""The network: item tower over content and ids, user tower over a profile of the history, a head for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from .adapters import Bottleneck
from .mixing import Shared, mixing_of


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
        design: what of the towers a task has of its own (see `mixing.DESIGNS`).
        experts: number of experts of a design that has some.
        own: number of tasks that have experts of their own, in a design that has such.
        bottleneck: width of the adapters that every task but the shared one has (0: none).
    """

    text: int
    numeric: int
    levels: tuple[int, ...]
    profile: int
    user_levels: tuple[int, ...] = ()
    dim: int = 64
    hidden: int = 128
    design: str = "shared"
    experts: int = 0
    own: int = 0
    bottleneck: int = 0

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

    h = Σ_m keep_m · (W_m x_m + c_m) + Σ_l keep_l · E_l[level_l]; the towers bring h to one length (LayerNorm), however
    many modalities are there.
    """

    first: Tensor

    def __init__(self, dense: Sequence[int], levels: Sequence[int], hidden: int, drop: float) -> None:
        super().__init__()
        self.dense = nn.ModuleList(nn.Linear(width, hidden) for width in dense if width)
        self.levels = nn.Parameter(torch.randn(sum(levels), hidden) * 0.1)
        self.register_buffer("first", torch.tensor([0, *levels]).cumsum(0)[:-1], persistent=False)
        self.drop = drop

    def forward(self, dense: Sequence[Tensor], levels: Tensor) -> Tensor:
        """`dense`: one (n, width) per modality, zero rows where absent; `levels`: (n, c) codes, 0 where absent."""
        total = torch.zeros(len(levels), self.levels.shape[1])
        if levels.shape[1]:  # one table for all columns: column l starts at row first[l]
            kept = self._kept(levels > 0)
            total = embedding_bag(levels + self.first, self.levels, mode="sum", per_sample_weights=kept)
        for layer, x in zip(self.dense, [x for x in dense if x.shape[1]], strict=True):
            total = total + layer(x) * self._kept(x.any(dim=1))[:, None]
        return total

    def _kept(self, there: Tensor) -> Tensor:
        kept = there.to(torch.float32)
        if self.training and self.drop:
            kept = kept * (torch.rand_like(kept) >= self.drop)
        return kept


class ItemTower(nn.Module):
    """Content (text, numbers, levels) → item vector (n, d) and bias (n,)."""

    def __init__(self, sizes: Sizes, tasks: int, drop: float = 0.1) -> None:
        super().__init__()
        self.fuse = Fuse((sizes.text, sizes.numeric), sizes.levels, sizes.hidden, drop)
        self.body = nn.Sequential(nn.LayerNorm(sizes.hidden), nn.GELU(), nn.Dropout(drop))
        self.mixing = mixing_of(sizes.design, sizes.hidden, tasks, sizes.experts, sizes.own)
        self.adapter = Bottleneck(tasks, sizes.hidden, sizes.bottleneck) if sizes.bottleneck else Shared()
        self.vector = nn.Linear(sizes.hidden, sizes.dim)
        self.bias = nn.Sequential(
            nn.Linear(sizes.hidden, sizes.hidden // 2), nn.GELU(), nn.Linear(sizes.hidden // 2, 1)
        )

    def forward(self, text: Tensor, numeric: Tensor, levels: Tensor, task: int) -> tuple[Tensor, Tensor]:
        """Vectors (n, d), biases (n,) as `task` sees them."""
        hidden = self.hidden(text, numeric, levels, task)
        return self.vector(hidden), self.bias(hidden).squeeze(1)

    def hidden(self, text: Tensor, numeric: Tensor, levels: Tensor, task: int) -> Tensor:
        """(n, h) what the last layers read."""
        made: Tensor = self.adapter(self.mixing(self.body(self.fuse((text, numeric), levels)), task), task)
        return made


class UserTower(nn.Module):
    """Profile of the history and user attributes → user vector (n, d)."""

    def __init__(self, sizes: Sizes, tasks: int, drop: float = 0.1) -> None:
        super().__init__()
        self.fuse = Fuse((sizes.profile,), sizes.user_levels, sizes.hidden, drop)
        self.body = nn.Sequential(nn.LayerNorm(sizes.hidden), nn.GELU(), nn.Dropout(drop))
        self.mixing = mixing_of(sizes.design, sizes.hidden, tasks, sizes.experts, sizes.own)
        self.adapter = Bottleneck(tasks, sizes.hidden, sizes.bottleneck) if sizes.bottleneck else Shared()
        self.vector = nn.Linear(sizes.hidden, sizes.dim)

    def forward(self, profile: Tensor, levels: Tensor, task: int) -> Tensor:
        """(n, d) as `task` sees them, before its head."""
        vectors: Tensor = self.vector(self.hidden(profile, levels, task))
        return vectors

    def hidden(self, profile: Tensor, levels: Tensor, task: int) -> Tensor:
        """(n, h) what the last layer reads."""
        made: Tensor = self.adapter(self.mixing(self.body(self.fuse((profile,), levels)), task), task)
        return made


class Heads(nn.Module):
    """One head per task (domain, event): u_t = u ∘ (1 + scale_t) + shift_t, and a weight of the item bias.

    Task 0 is the shared head that a domain without a head of its own uses.
    """

    fresh: ClassVar[Mapping[str, float]] = {"scale": 0.0, "shift": 0.0, "weight": 1.0}

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
        self.sizes, self.tasks = sizes, tasks
        self.item = ItemTower(sizes, tasks, drop)
        self.user = UserTower(sizes, tasks, drop)
        self.heads = Heads(tasks, sizes.dim)

    def items(self, text: Tensor, numeric: Tensor, levels: Tensor, task: int) -> tuple[Tensor, Tensor]:
        """Item vectors (n, d) and biases (n,) for `task`."""
        made: tuple[Tensor, Tensor] = self.item(text, numeric, levels, task)
        return made

    def users(self, profile: Tensor, levels: Tensor, task: int) -> tuple[Tensor, Tensor]:
        """User vectors (n, d) for `task` and the weight of item biases."""
        made: tuple[Tensor, Tensor] = self.heads(self.user(profile, levels, task), task)
        return made

    def grown(self) -> Network:
        """The same weights with one more task at the end, equal to task 0.

        A module with a row for each task says in `fresh` which value of its tensors makes a row neutral.
        """
        made, state = Network(self.sizes, self.tasks + 1), self.state_dict()
        for prefix, module in self.named_modules():
            for name, value in getattr(module, "fresh", {}).items():
                table = state[f"{prefix}.{name}"]
                state[f"{prefix}.{name}"] = torch.cat([table, torch.full_like(table[:1], value)])
        made.load_state_dict(state)
        return made
