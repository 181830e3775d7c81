"""Balances: answers worked by hand, a second way of computing, and that training with them can be trusted."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from crossaisle.errors import MethodError
from crossaisle.progress import showing
from crossaisle.train import balance
from crossaisle.train.balance import BALANCES, Balance, upgrad_weights
from crossaisle.train.checkpoint import keeping
from crossaisle.train.loop import Phase, Trained, train

LEFT, RIGHT = (1.0, 0.0), (-1.0, 1.0)
"""Two gradients that go against each other: their product is −1."""
ALL = BALANCES.names()


def made(name: str, names: Sequence[str] = ("a", "b")) -> Balance:
    return BALANCES.get(name).make(names)


def balanced(chosen: Balance, *gradients: Sequence[float], losses: Sequence[float] = (2.0, 3.0)) -> list[float]:
    """What `chosen` leaves for linear losses of those gradients and values, spread over two parameters."""
    parts = [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(len(gradients[0]) - 1))]
    terms = {
        name: torch.cat(parts) @ torch.tensor(gradient) + loss
        for name, gradient, loss in zip("abcdef", gradients, losses, strict=False)
    }
    chosen(terms, parts)
    return torch.cat([p.grad for p in parts if p.grad is not None]).tolist()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("sum", [0.0, 1.0]),
        # LEFT loses −1/2 RIGHT and becomes (½, ½), RIGHT loses −1 LEFT and becomes (0, 1); added.
        ("pcgrad", [0.5, 1.5]),
        # The same projections, averaged.
        ("upgrad", [0.25, 0.75]),
        # (2a − 1, 1 − a) is shortest at a = 3/5.
        ("mgda", [0.2, 0.4]),
        # The rotation next to [LEFT, RIGHT] is [[2, 1], [−1, 2]] / √5; the least singular value is (√5 − 1) / 2.
        ("alignedmtl", [(math.sqrt(5) - 1) / 2 / math.sqrt(5) * part for part in (0.5, 1.5)]),
    ],
)  # fmt: skip
def test_two_gradients_in_conflict_worked_by_hand(name: str, wanted: list[float]) -> None:
    assert balanced(made(name), LEFT, RIGHT) == pytest.approx(wanted, abs=2e-3 if name == "mgda" else 1e-6)


@pytest.mark.parametrize(("name", "wanted"), [("pcgrad", [1.0, 2.0]), ("upgrad", [0.5, 1.0]), ("sum", [1.0, 2.0])])
def test_gradients_that_agree_are_left_alone(name: str, wanted: list[float]) -> None:
    assert balanced(made(name), (1.0, 0.0), (0.0, 2.0)) == pytest.approx(wanted)


def test_uncertainty_follows_its_formula() -> None:
    chosen = made("uncertainty")
    assert isinstance(chosen, balance.Uncertainty)
    with torch.no_grad():
        chosen.log_variance[1] = math.log(2)
    assert balanced(chosen, LEFT, RIGHT) == pytest.approx([1 - 0.5, 0.5])
    assert chosen.log_variance.grad is not None
    assert chosen.log_variance.grad.tolist() == pytest.approx([0.5 - 2.0, 0.5 - 3.0 / 2])  # ½ − exp(−s) L


def test_gradnorm_draws_norms_to_their_mean_and_favours_the_slow() -> None:
    chosen = made("gradnorm")
    assert isinstance(chosen, balance.GradNorm)
    assert balanced(chosen, LEFT, RIGHT) == pytest.approx([0.0, 1.0])  # weights are 1 at first
    pull = (1 + math.sqrt(2)) / 2  # ∂w_i/∂λ_j = ±½, ∂/∂w = −1 and +√2: λ of the short gradient is to rise
    assert chosen.log_weight.grad is not None
    assert chosen.log_weight.grad.tolist() == pytest.approx([-pull, pull], abs=1e-6)
    balanced(chosen, LEFT, RIGHT, losses=(2.0, 0.3))  # b learned ten times as much: now a is to be heard far more
    pace = [(part / 0.55) ** 1.5 for part in (1.0, 0.1)]
    assert pace[0] * (1 + math.sqrt(2)) / 2 > 1  # the target of a is above its norm, that of b below
    assert chosen.log_weight.grad.tolist() == pytest.approx([-pull, pull], abs=1e-6)
    balanced(chosen, LEFT, RIGHT, losses=(0.2, 3.0))  # the other way round
    assert chosen.log_weight.grad.tolist() == pytest.approx([pull, -pull], abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_upgrad_is_the_constrained_minimum_that_another_solver_finds(seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(5, 4 + 2 * seed)) + draw.normal(size=4 + 2 * seed) * 0.3
    gram = rows @ rows.T
    found = upgrad_weights(torch.from_numpy(gram)).numpy()
    wanted = np.zeros(5)
    for own in np.eye(5):
        best = minimize(
            lambda v: v @ gram @ v, own + 1.0, jac=lambda v: 2 * gram @ v, bounds=[(low, None) for low in own],
            method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000},
        )  # fmt: skip
        wanted += best.x / 5
    assert rows.T @ found == pytest.approx(rows.T @ wanted, abs=1e-4)
    assert (gram @ found > -1e-9 * np.abs(gram).max()).all()  # no loss rises


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("gradients", [[(0.0, 0.0), (1.0, 2.0)], [(0.0, 0.0)] * 2, [LEFT, LEFT], [LEFT, (-1.0, 0.0)]])
def test_gradients_that_vanish_or_coincide_leave_numbers(name: str, gradients: list[tuple[float, float]]) -> None:
    assert np.isfinite(balanced(made(name), *gradients)).all()


@pytest.mark.parametrize("name", ["mgda", "upgrad"])
def test_no_loss_rises(name: str) -> None:
    rows = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    rows[3] = -rows[0] + 0.2 * rows[3]
    left = torch.tensor(balanced(made(name, "abcd"), *rows.tolist(), losses=(1.0,) * 4))
    assert (rows @ left > -1e-2 * left.norm()).all()
    plain = torch.tensor(balanced(made("sum", "abcd"), *rows.tolist(), losses=(1.0,) * 4))
    assert (rows @ plain < 0).any()


@pytest.mark.parametrize("name", ALL)
def test_a_step_may_show_some_losses_only_and_parameters_none_reads(name: str) -> None:
    read, unread = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
    made(name, ("a", "b", "c"))({"c": read.square().sum(), "a": read.sum()}, [read, unread])
    assert read.grad is not None
    assert read.grad.abs().sum() > 0
    assert unread.grad is None or not unread.grad.any()


def batch_of(step: int) -> Tensor:
    return torch.randn(8, 3, generator=torch.Generator().manual_seed(step))


def run(chosen: Balance | None, **changes: object) -> tuple[nn.Linear, Trained]:
    """Two losses of one line that want different slopes."""
    torch.manual_seed(0)
    model = nn.Linear(3, 1)

    def losses(batch: Tensor, progress: float) -> dict[str, Tensor]:
        made = nn.functional.dropout(model(batch)).squeeze(1)
        return {"a": (made - batch[:, 0]).square().mean(), "b": (made + batch[:, 0] - batch[:, 1]).square().mean()}

    phase = Phase("line", 100, 0.05, every=20, **changes)  # type: ignore[arg-type]
    return model, train(phase, model, [{"params": model.parameters()}], batch_of, losses, balance=chosen)


class Interrupt(Exception):
    pass


@pytest.mark.parametrize("name", ALL)
def test_resumed_is_as_if_never_interrupted_and_the_same_seed_gives_the_same(name: str, tmp_path: Path) -> None:
    def stop(task: str, step: int, total: int) -> None:
        if step == 50:
            raise Interrupt

    chosen, again = made(name), made(name)
    whole, done = run(chosen)
    with keeping(tmp_path):
        with pytest.raises(Interrupt), showing(stop):
            run(made(name), resumable=True)
        steps: list[int] = []
        with showing(lambda task, step, total: steps.append(step)):
            resumed, finished = run(again, resumable=True)
    assert steps[0] == 41
    assert torch.equal(resumed.weight, whole.weight)
    assert finished.losses == done.losses
    if isinstance(chosen, nn.Module) and isinstance(again, nn.Module):
        assert all(torch.equal(t, again.state_dict()[n]) for n, t in chosen.state_dict().items())
    assert torch.equal(run(made(name))[0].weight, whole.weight)


@pytest.mark.parametrize("name", ["uncertainty", "gradnorm"])
def test_what_a_balance_learns_is_trained(name: str) -> None:
    chosen = made(name)
    assert isinstance(chosen, nn.Module)
    before = [p.detach().clone() for p in chosen.parameters()]
    run(chosen)
    assert all((p - b).abs().min() > 1e-3 for p, b in zip(chosen.parameters(), before, strict=True))


@pytest.mark.parametrize("start", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("name", ["pcgrad", "upgrad"])
def test_a_loss_that_three_others_outvote_pays_less(name: str, start: float) -> None:
    """Three losses want (1, 0), one wants (−1, 0); from (0, start) their sum goes to (½, 0), where the one is 9/4.

    Along the first axis the gradients are opposite. It is not left alone altogether: Adam takes long steps along what
    little of it numbers leave.
    """
    wanted = {"a": 1.0, "b": 1.0, "c": 1.0, "odd": -1.0}

    def reached(chosen: str) -> float:
        torch.manual_seed(0)
        model = nn.ParameterList([nn.Parameter(torch.zeros(1)), nn.Parameter(torch.full((1,), start))])

        def losses(batch: Tensor, progress: float) -> dict[str, Tensor]:
            return {n: ((model[0] - w) ** 2 + model[1] ** 2).sum() for n, w in wanted.items()}

        phase = Phase("vote", 300, 0.02, decay=0.0)
        train(phase, model, [{"params": list(model)}], batch_of, losses, balance=made(chosen, list(wanted)))
        return losses(torch.zeros(0), 1.0)["odd"].item()

    assert reached("sum") == pytest.approx(2.25, abs=0.05)
    assert reached(name) < 1.95


def test_sum_is_what_the_loop_does_without_a_balance() -> None:
    assert torch.allclose(run(made("sum"))[0].weight, run(None)[0].weight, atol=1e-6)


def test_anybody_can_register_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BALANCES, "_items", dict(BALANCES._items))

    @balance.balance("first_only", paper="a test", when="never")
    def first_only(names: Sequence[str]) -> Balance:
        """The first loss alone."""

        def left(terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]) -> None:
            balance.leave(parameters, balance.jacobian(terms, parameters)[0])

        return left

    assert balanced(made("first_only"), LEFT, RIGHT) == list(LEFT)
    assert BALANCES.get("first_only").summary == "The first loss alone."
    model, _ = run(made("first_only"))
    wanted = torch.tensor([[0.5, 0.0, 0.0]])  # by a alone; dropping half of what is made halves the slope
    assert (model.weight - wanted).abs().max() < 0.1
    assert (run(made("sum"))[0].weight - wanted).abs().max() > 0.2


def test_an_unknown_balance_is_refused_with_the_nearest() -> None:
    with pytest.raises(MethodError, match="unknown balance 'pcgrd': did you mean 'pcgrad'") as caught:
        BALANCES.get("pcgrd")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["pcgrad", "mgda", "alignedmtl"])
def test_without_torchjd_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", None)
    with pytest.raises(MethodError, match=rf"{name} needs TorchJD.*crossaisle\[train\]"):
        made(name)
    for other in set(ALL) - {"pcgrad", "mgda", "alignedmtl"}:
        made(other)
