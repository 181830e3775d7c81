"""Designs of the towers: formulas written out the long way, and that a new task is exactly task 0."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from crossaisle.models.mixing import DESIGNS, Extraction, Mixture, Star
from crossaisle.models.network import Network, Sizes

SIZES = Sizes(text=3, numeric=2, levels=(4,), profile=6, user_levels=(3,), dim=4, hidden=8, experts=2, own=2)
HIDDEN = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))


def shaken(module: nn.Module) -> nn.Module:
    """`module` with every parameter moved, so that nothing is neutral by chance."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return module.eval()


def expert(layer: nn.Linear, number: int, x: Tensor) -> Tensor:
    rows = slice(8 * number, 8 * (number + 1))
    return gelu(layer.weight[rows] @ x + layer.bias[rows])


def test_mmoe_is_its_formula() -> None:
    mixing = Mixture(8, 4, 3)
    shaken(mixing)
    gates = mixing.gates
    for task in (0, 2):
        for x, got in zip(HIDDEN, mixing(HIDDEN, task), strict=True):
            weight, bias = gates.weight[0], gates.bias[0]
            if task:
                weight, bias = weight + gates.weight[task], bias + gates.bias[task]
            gate = torch.softmax(weight @ x + bias, dim=0)
            wanted = x + sum(gate[k] * expert(mixing.experts, k, x) for k in range(3))
            assert torch.allclose(got, wanted, atol=1e-5)


def test_ple_is_its_formula() -> None:
    mixing = Extraction(8, 4, 2, own=2)
    shaken(mixing)
    for task in (0, 2, 3):
        for x, got in zip(HIDDEN, mixing(HIDDEN, task), strict=True):
            weight, bias = mixing.gates.weight[0], mixing.gates.bias[0]
            if task:
                weight, bias = weight + mixing.gates.weight[task], bias + mixing.gates.bias[task]
            logits, made = weight @ x + bias, [expert(mixing.experts, k, x) for k in range(2)]
            if task == 2:
                logits = torch.cat([logits, mixing.own_gates[1](x)])
                made += [expert(mixing.own[1], k, x) for k in range(2)]
            gate = torch.softmax(logits, dim=0)
            assert len(gate) == (4 if task == 2 else 2)
            assert torch.allclose(got, x + sum(g * m for g, m in zip(gate, made, strict=True)), atol=1e-5)


def test_star_is_its_formula() -> None:
    mixing = Star(8, 3)
    shaken(mixing)
    centre = mixing.centre
    for x, got, shared in zip(HIDDEN, mixing(HIDDEN, 2), mixing(HIDDEN, 0), strict=True):
        own = (centre.weight * (1 + mixing.scale[2])) @ x + centre.bias + mixing.shift[2]
        assert torch.allclose(got, x + gelu(own), atol=1e-5)
        assert torch.allclose(shared, x + gelu(centre.weight @ x + centre.bias), atol=1e-5)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_grown_network_answers_as_task_0_in_the_new_task_and_as_before_in_the_others(design: str) -> None:
    network = Network(dataclasses.replace(SIZES, design=design), 3)
    shaken(network)
    grown = network.grown().eval()
    profile, level = torch.randn(5, 6), torch.tensor([[0], [1], [2], [1], [0]])
    content = torch.randn(5, 3), torch.randn(5, 2), torch.tensor([[0], [1], [2], [3], [3]])
    for new, old in ((0, 0), (1, 1), (2, 2), (3, 0)):
        for got, wanted in zip(grown.users(profile, level, new), network.users(profile, level, old), strict=True):
            assert torch.equal(got, wanted)
        for got, wanted in zip(grown.items(*content, new), network.items(*content, old), strict=True):
            assert torch.equal(got, wanted)
    twice = grown.grown()
    assert torch.equal(twice.eval().users(profile, level, 4)[0], network.users(profile, level, 0)[0])
    if design != "shared":
        assert not torch.allclose(network.items(*content, 1)[0], network.items(*content, 2)[0])


@pytest.mark.parametrize("design", ["mmoe", "ple", "star"])
def test_what_a_task_has_of_its_own_no_other_trains(design: str) -> None:
    network = Network(dataclasses.replace(SIZES, design=design), 4)
    shaken(network)

    def moved(task: int) -> set[str]:
        network.zero_grad()
        network.user(torch.randn(5, 6), torch.zeros(5, 1, dtype=torch.int64), task).square().sum().backward()
        found = set()
        for name, parameter in network.user.mixing.named_parameters():
            table = len(parameter) == 4 and parameter.dim() > 1 and ("gates" in name or name in ("scale", "shift"))
            rows = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            found |= {f"{name}[{r}]" for r in range(4) if rows[r].any()} if table else ({name} if rows.any() else set())
        return found

    none, one, two = moved(0), moved(1), moved(2)
    assert none
    assert none < one
    assert none < two
    assert one & two == none
    if design == "ple":
        assert moved(3) == none | {"gates.weight[3]", "gates.bias[3]"}  # a later task: shared experts only


@pytest.mark.parametrize("design", ["mmoe", "ple", "star"])
def test_tasks_are_alike_at_first(design: str) -> None:
    mixing = DESIGNS[design](8, 3, 2, 0).eval()
    assert torch.equal(mixing(HIDDEN, 1), mixing(HIDDEN, 2))
    assert torch.equal(mixing(HIDDEN, 1), mixing(HIDDEN, 0))
