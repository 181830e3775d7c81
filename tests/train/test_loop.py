"""The training loop: losses fall, rates follow the schedule, the best weights win, interruptions leave no trace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from crossaisle.errors import TrainingError
from crossaisle.progress import showing
from crossaisle.train import loop
from crossaisle.train.checkpoint import keeping
from crossaisle.train.loop import Phase, Trained, train
from crossaisle.train.watch import EarlyStop

WANTED = torch.tensor([[1.0, -2.0, 0.5]])


def batch_of(step: int) -> Tensor:
    return torch.randn(8, 3, generator=torch.Generator().manual_seed(step))


def line() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def run(model: nn.Linear, stop: EarlyStop | None = None, **changes: Any) -> Trained:
    phase = Phase(**{"task": "line", "steps": 100, "rate": 0.1, "every": 20, **changes})

    def losses(batch: Tensor, progress: float) -> dict[str, Tensor]:
        return {"square": (nn.functional.dropout(model(batch)) - batch @ WANTED.T).square().mean()}

    torch.manual_seed(5)
    return train(phase, model, [{"params": list(model.parameters())}], batch_of, losses, stop)


def test_the_loss_falls() -> None:
    model = line()
    before = (model.weight - WANTED).norm()
    done = run(model)
    assert (model.weight - WANTED).norm() < 0.5 * before
    assert done.steps == 100
    assert done.losses.keys() == {"square"}
    assert not model.training


def test_each_step_tells_the_interactions_a_second() -> None:
    told: list[tuple[str, int, int]] = []
    with showing(lambda *tick: told.append(tick)):
        done = run(line(), steps=3)
    assert [(step, steps) for _, step, steps in told] == [(1, 3), (2, 3), (3, 3)]
    rates = [
        float(found[1].replace(",", ""))
        for task, *_ in told
        if (found := re.fullmatch(r"line: (.+) interactions/s", task))
    ]
    assert len(rates) == 3
    assert rates[-1] == pytest.approx(done.interactions_per_second, rel=0.5)


def test_a_group_is_frozen_until_its_start_and_does_not_count_in_the_norm_until_then() -> None:
    def ends(steps: int) -> tuple[Tensor, Tensor]:
        model = line()
        groups = [{"params": [model.weight]}, {"params": [model.bias], "start": 10}]
        phase = Phase("line", steps, 0.1, clip=1e-3)
        train(phase, model, groups, batch_of, lambda b, _: {"all": 1e3 * model.bias.sum() + model(b).square().mean()})
        return model.weight.detach(), model.bias.detach()

    alone = line()
    train(
        Phase("line", 10, 0.1, clip=1e-3),
        alone,
        [{"params": [alone.weight]}],
        batch_of,
        lambda b, _: {"all": alone(b).square().mean()},
    )
    weight, bias = ends(10)
    assert torch.equal(bias, line().bias)
    assert torch.equal(weight, alone.weight)
    assert not torch.equal(ends(11)[1], line().bias)


def test_rates_rise_then_fall_to_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    step = torch.optim.AdamW.step

    def noted(self: torch.optim.AdamW, *rest: Any) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return step(self, *rest)

    monkeypatch.setattr(loop.torch.optim.AdamW, "step", noted)
    run(line(), warmup=0.1)
    assert rates[:10] == pytest.approx([0.01 * n for n in range(1, 11)])
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(0.1, rel=0.05)
    assert rates[-1] == pytest.approx(0.01, rel=0.05)


def test_the_best_weights_win_and_waiting_has_an_end() -> None:
    scores = iter([0.0, 3.0, 2.0, 1.0, 9.0])
    seen: list[Tensor] = []

    def score(model: nn.Module) -> float:
        assert not model.training
        seen.append(next(model.parameters()).detach().clone())
        return next(scores)

    model, stop = line(), EarlyStop(score, patience=2)
    assert run(model, stop).steps == 60
    assert (stop.best_step, stop.best, stop.first) == (20, 3.0, 0.0)
    assert torch.equal(model.weight, seen[1])


def test_the_last_step_is_looked_at_though_the_phase_is_short() -> None:
    looks: list[int] = []
    stop = EarlyStop(lambda _: float(len(looks) if not looks.append(0) else 0))
    run(line(), stop, steps=7)
    assert len(looks) == 2
    assert stop.best_step == 7


class Interrupt(Exception):
    pass


def test_resumed_is_as_if_never_interrupted(tmp_path: Path) -> None:
    whole, cut = line(), line()
    done = run(whole)

    def stop(task: str, step: int, total: int) -> None:
        if step == 50:
            raise Interrupt

    with keeping(tmp_path):
        with pytest.raises(Interrupt), showing(stop):
            run(cut, resumable=True)
        again = line()
        resumed = run(again, resumable=True)
    assert torch.equal(again.weight, whole.weight)
    assert resumed.losses == done.losses
    assert not list(tmp_path.iterdir())


def test_without_a_keeper_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(line(), resumable=True)
    with keeping(tmp_path):
        run(line())  # not resumable
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_term_that_is_no_number_is_named(value: float) -> None:
    model = line()

    def losses(batch: Tensor, progress: float) -> dict[str, Tensor]:
        bad = value if progress >= 0.3 else 1.0
        return {"fine": model(batch).mean() * 0, "odd": model(batch).sum() * 0 + bad}

    with pytest.raises(TrainingError, match=r"line: loss term 'odd' became (nan|inf) at step 3; lower the learning"):
        train(Phase("line", 10), model, [{"params": list(model.parameters())}], batch_of, losses)


class Clock:
    """Goes on by a second with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 1.0
        return self.now


def test_the_seconds_end_it_and_the_rate_falls_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "time", Clock())
    rates, ticks, descend = list[float](), list[tuple[int, int]](), loop._descend

    def noted(optimiser: torch.optim.Optimizer, *rest: Any) -> None:
        rates.append(optimiser.param_groups[0]["lr"])
        descend(optimiser, *rest)

    monkeypatch.setattr(loop, "_descend", noted)
    with showing(lambda _, done, total: ticks.append((done, total))):
        done = run(line(), steps=1000, warmup=0.0, seconds=59.0)
    assert done.steps == len(ticks) == 20  # three looks a step
    assert ticks[4] == (5, 22)
    assert ticks[-1] == (20, 20)
    assert min(rates[:16]) > 0.099
    assert rates[17] == pytest.approx(0.1 * 5 * 7 / 59, rel=0.01)
    assert rates[-1] < 0.02


def test_seconds_that_do_not_end_it_change_nothing() -> None:
    one, other = line(), line()
    run(one, steps=30)
    assert run(other, steps=30, seconds=3600.0).steps == 30
    assert torch.equal(one.weight, other.weight)
