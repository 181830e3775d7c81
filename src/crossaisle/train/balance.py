"""Balancing of several losses: what each may say about the step (Balance ◆).

A balance leaves in `.grad` of the parameters what the losses together ask for; taking the step is up to the loop. One
with parameters or a state of its own is an `nn.Module`: the loop then trains these with the model, without weight
decay, and keeps them in its checkpoints.

Below, g_i is the gradient of loss L_i, m their number, J (m, p) the matrix of all g_i and G = J Jᵀ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor, nn

from ..errors import MethodError
from ..registry import Registry

Balance = Callable[[Mapping[str, Tensor], Sequence[nn.Parameter]], None]
"""``({name: scalar}, parameters) → None``; leaves `.grad` of each parameter."""
Make = Callable[[Sequence[str]], Balance]
"""Names of all losses that may come → a balance for one training; a step may show it some of them."""


@dataclass(frozen=True)
class BalanceMethod:
    """A registered balance.

    Attributes:
        name: how users call it.
        make: see `Make`.
        paper: the paper or formula it implements.
        summary: first line of its docstring.
        when: when to use it.
    """

    name: str
    make: Make
    paper: str
    summary: str
    when: str


BALANCES: Registry[BalanceMethod] = Registry(
    "balance", "crossaisle.balance", "`crossaisle methods shared_bottom` lists them under balance."
)


def balance(name: str, *, paper: str, when: str) -> Callable[[Make], Make]:
    """Register the decorated class or function as balance `name` (see `BalanceMethod`)."""

    def wrap(make: Make) -> Make:
        summary = (make.__doc__ or "").strip().split("\n")[0]
        BALANCES.add(name, BalanceMethod(name, make, paper, summary, when))
        return make

    return wrap


@balance("sum", paper="the sum of the losses", when="domains agree, or speed matters")
def total(names: Sequence[str]) -> Balance:
    """Every loss counts alike: Σ_i L_i."""
    return lambda terms, parameters: leave(parameters, _gradients(torch.stack(list(terms.values())).sum(), parameters))


@balance(
    "uncertainty",
    paper="Kendall, Gal & Cipolla 2018, Multi-Task Learning Using Uncertainty, arXiv:1705.07115, eq. 10",
    when="losses differ in scale or noise",
)
class Uncertainty(nn.Module):
    """Noisy losses count less: Σ_i exp(−s_i) L_i + s_i / 2, s_i = log σ_i² learned with the model."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.place = {name: number for number, name in enumerate(names)}
        self.log_variance = nn.Parameter(torch.zeros(len(names)))

    def forward(self, terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]) -> None:
        """See `Balance`."""
        noise = self.log_variance[[self.place[name] for name in terms]]
        loss = (torch.exp(-noise) * torch.stack(list(terms.values())) + noise / 2).sum()
        trained = [*parameters, self.log_variance]
        leave(trained, _gradients(loss, trained))


@balance(
    "gradnorm",
    paper="Chen et al. 2018, GradNorm, arXiv:1711.02257",
    when="some tasks learn much faster than others",
)
class GradNorm(nn.Module):
    """Slow tasks count more: ‖w_i g_i‖ is drawn to its mean times r_i^α, r_i the relative L_i / L_i(first step).

    w = n softmax(λ) over the n names, so weights stay positive with mean 1; λ is learned by Σ_i |‖w_i g_i‖ − target_i|.
    """

    first: Tensor

    def __init__(self, names: Sequence[str], alpha: float = 1.5) -> None:
        super().__init__()
        self.place, self.alpha = {name: number for number, name in enumerate(names)}, alpha
        self.log_weight = nn.Parameter(torch.zeros(len(names)))
        self.register_buffer("first", torch.zeros(len(names)))

    def forward(self, terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]) -> None:
        """See `Balance`."""
        rows = jacobian(terms, parameters)
        place = torch.tensor([self.place[name] for name in terms])
        losses = torch.stack([t.detach() for t in terms.values()]).clamp_min(1e-12)
        fresh = self.first[place] == 0
        self.first[place[fresh]] = losses[fresh]
        pace = losses / self.first[place]
        weights = len(self.place) * torch.softmax(self.log_weight, dim=0)[place]
        norms = weights * rows.norm(dim=1)
        target = (norms.mean() * (pace / pace.mean()) ** self.alpha).detach()
        (self.log_weight.grad,) = torch.autograd.grad((norms - target).abs().sum(), [self.log_weight])
        leave(parameters, weights.detach() @ rows)


def _by_gramian(weigh: Callable[[Tensor], Tensor]) -> Balance:
    """The balance Jᵀ w with w (m,) = `weigh` (G)."""

    def balanced(terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]) -> None:
        rows = jacobian(terms, parameters)
        leave(parameters, weigh(rows @ rows.T) @ rows)

    return balanced


@balance(
    "pcgrad",
    paper="Yu et al. 2020, Gradient Surgery for Multi-Task Learning, arXiv:2001.06782",
    when="domains conflict now and then",
)
def pcgrad(names: Sequence[str]) -> Balance:
    """Each gradient loses what goes against another's, one after the other in random order; then they are added."""
    return _by_gramian(_torchjd("pcgrad").PCGradWeighting())


@balance(
    "mgda",
    paper="Sener & Koltun 2018, Multi-Task Learning as Multi-Objective Optimization, arXiv:1810.04650",
    when="no domain may get worse, however slow the others learn",
)
def mgda(names: Sequence[str]) -> Balance:
    """The shortest vector among the averages of the gradients: min ‖Σ_i w_i g_i‖, w ≥ 0, Σ w = 1."""
    return _by_gramian(_torchjd("mgda").MGDAWeighting())


@balance(
    "alignedmtl",
    paper="Senushkin et al. 2023, Independent Component Alignment for Multi-Task Learning, arXiv:2305.19000",
    when="one domain's gradient drowns the others",
)
def alignedmtl(names: Sequence[str]) -> Balance:
    """Gradients are made orthogonal and of one length, that of their weakest common direction; then averaged."""
    return _by_gramian(_torchjd("alignedmtl").AlignedMTLWeighting())


@balance(
    "upgrad",
    paper="Quinton & Rey 2024, Jacobian Descent for Multi-Objective Optimization, arXiv:2406.16232",
    when="domains conflict and the smallest must not pay",
)
def upgrad(names: Sequence[str]) -> Balance:
    """Each gradient is projected to where no loss rises, the least change that does it; then they are averaged."""
    return _by_gramian(upgrad_weights)


def upgrad_weights(gramian: Tensor) -> Tensor:
    """Weights (m,) of UPGrad: the mean over i of argmin_{v ≥ e_i} vᵀ G v (proposition 1 of the paper).

    With v = e_i + z and G = AᵀA this is the non-negative least squares min_{z ≥ 0} ‖A z + A e_i‖, which SciPy solves
    exactly by active sets (Lawson & Hanson 1974).

    Args:
        gramian: (m, m) G.
    """
    values, vectors = np.linalg.eigh(gramian.detach().double().numpy())
    roots = np.sqrt(np.maximum(values, 0.0))
    side = (roots / max(float(roots.max(initial=0.0)), 1e-30))[:, None] * vectors.T
    whole = sum(row + nnls(side, -side @ row)[0] for row in np.eye(len(side)))
    return torch.from_numpy(np.asarray(whole / len(side))).to(gramian.dtype)


def jacobian(terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]) -> Tensor:
    """J (m, p): the gradient of each of `terms`, zero where it does not reach."""
    return torch.stack([_gradients(term, parameters) for term in terms.values()])


def _gradients(loss: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """(p,) gradient of `loss`; the graph stays, as other losses may share it."""
    found = torch.autograd.grad(loss, list(parameters), retain_graph=True, allow_unused=True)
    return torch.cat(
        [(torch.zeros_like(p) if g is None else g).reshape(-1) for p, g in zip(parameters, found, strict=True)]
    )


def leave(parameters: Sequence[nn.Parameter], gradient: Tensor) -> None:
    """Leave the parts of `gradient` (p,) in `.grad` of the parameters."""
    parts = torch.split(gradient, [p.numel() for p in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.reshape(parameter.shape)


def _torchjd(name: str) -> Any:
    try:
        import torchjd.aggregation
    except ImportError as error:
        raise MethodError(f"{name} needs TorchJD, which is not installed: pip install crossaisle[train].") from error
    return torchjd.aggregation
