"""Distances between samples, by hand and by what must hold for all samples."""

from __future__ import annotations

from collections.abc import Callable
from math import exp

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from crossaisle.distances import coral, mmd, proxy_a, sinkhorn, squares, transport

Distance = Callable[[Tensor, Tensor], Tensor]
ZERO_WHEN_EQUAL: dict[str, Distance] = {
    "mmd": lambda x, y: mmd(x, y, biased=True),
    "coral": coral,
    "transport": transport,
    "sinkhorn": sinkhorn,
}
DISTANCES: dict[str, Distance] = ZERO_WHEN_EQUAL | {
    "mmd, unbiased": mmd,
    "transport, entropy": lambda x, y: transport(x, y, entropy=0.1),
    "transport, partial": lambda x, y: transport(x, y, mass=0.5),
}


def rows(*values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def samples(seed: int, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    draw = np.random.default_rng(seed)
    sizes = draw.integers(3, 9, 2)
    x, y = (torch.from_numpy(draw.normal(size=(n, 3))) for n in sizes)
    return x, y + shift


def test_squares_by_hand() -> None:
    assert squares(rows((0, 0), (3, 4)), rows((0, 1))).tolist() == [[1.0], [18.0]]


def test_mmd_by_hand() -> None:
    """Squared distances among 0, 1, 3, 4: 1, 1, 4, 9, 9, 16; torch's median of an even number is the lower one, 4."""
    x, y = rows((0,), (1,)), rows((3,), (4,))
    within, across = exp(-1 / 4), (2 * exp(-9 / 4) + exp(-16 / 4) + exp(-4 / 4)) / 4
    assert mmd(x, y, widths=(1.0,)).item() == pytest.approx(2 * within - 2 * across)
    assert mmd(x, y, biased=True, widths=(1.0,)).item() == pytest.approx((1 + within) - 2 * across)


def test_the_unbiased_mmd_is_on_average_zero_where_the_biased_is_not() -> None:
    draw = np.random.default_rng(0)
    pairs = [[torch.from_numpy(draw.normal(size=(10, 2))) for _ in range(2)] for _ in range(300)]
    free, biased = (np.array([mmd(*p, biased=b).item() for p in pairs]) for b in (False, True))
    assert abs(free.mean()) < 4 * free.std() / np.sqrt(len(free))
    assert biased.mean() > 10 * biased.std() / np.sqrt(len(biased))


def test_coral_by_hand() -> None:
    """Covariances [[2, 0], [0, 0]] and [[2, 2], [2, 2]]: differences 0, 2, 2, 2, so 12 / (4 · 4)."""
    assert coral(rows((0, 5), (2, 5)), rows((0, 0), (2, 2))).item() == pytest.approx(12 / 16)


def test_transport_by_hand() -> None:
    x, y = rows((0,), (10,)), rows((11,), (1,))
    assert transport(x, y).item() == pytest.approx(1.0)
    assert transport(rows((0,), (1,)), rows((0,), (1,), (100,)), mass=2 / 3).item() == pytest.approx(0.0, abs=1e-9)
    # All of the mass, y taking thirds: 1/3 from 1 to 100, 1/6 from 0 to 1, the rest stays.
    assert transport(rows((0,), (1,)), rows((0,), (1,), (100,))).item() == pytest.approx(99**2 / 3 + 1 / 6)


def test_half_of_the_mass_leaves_alone_what_one_side_has_for_itself() -> None:
    draw = np.random.default_rng(0)
    common, ours, theirs = (torch.from_numpy(m + 0.1 * draw.normal(size=(20, 2))) for m in (0.0, 50.0, -50.0))
    x = torch.cat([common, ours]).requires_grad_()
    (grad,) = torch.autograd.grad(transport(x, torch.cat([common + 1, theirs]), mass=0.5), x)
    assert (grad[:20] != 0).any(dim=1).all()
    assert grad[20:].abs().max() < 1e-9
    (grad,) = torch.autograd.grad(transport(x, torch.cat([common + 1, theirs])), x)
    assert (grad[20:] != 0).any(dim=1).all()


def test_with_little_entropy_transport_is_near_the_exact_one() -> None:
    x, y = samples(1, shift=1.0)
    assert transport(x, y, entropy=0.005).item() == pytest.approx(transport(x, y).item(), rel=0.02)


@pytest.mark.parametrize(("entropy", "mass"), [(-1.0, 1.0), (0.0, 0.0), (0.0, 1.5), (0.1, 0.5)])
def test_plans_that_mean_nothing_are_refused(entropy: float, mass: float) -> None:
    with pytest.raises(ValueError, match="only one of them"):
        transport(*samples(0), entropy=entropy, mass=mass)


@pytest.mark.parametrize("name", DISTANCES)
@given(seed=st.integers(0, 10_000), shift=st.floats(-3, 3))
@settings(max_examples=10, deadline=None)
def test_no_distance_depends_on_which_sample_comes_first_nor_on_the_order_of_rows(
    name: str, seed: int, shift: float
) -> None:
    x, y = samples(seed, shift)
    found = DISTANCES[name](x, y).item()
    # Sinkhorn's iterations begin with one of the sides and stop a little before the end.
    within = 1e-3 if "entropy" in name or name == "sinkhorn" else 1e-9
    assert DISTANCES[name](y, x).item() == pytest.approx(found, rel=within, abs=within)
    draw = np.random.default_rng(seed)
    mixed = [part[draw.permutation(len(part))] for part in (x, y)]
    assert DISTANCES[name](*mixed).item() == pytest.approx(found, rel=within, abs=within)


@pytest.mark.parametrize("name", ZERO_WHEN_EQUAL)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_equal_samples_are_at_no_distance_and_others_at_some(name: str, seed: int) -> None:
    x, y = samples(seed)
    distance = ZERO_WHEN_EQUAL[name]
    assert distance(x, x.flip(0)).item() == pytest.approx(0.0, abs=1e-9)
    assert distance(x, 2.0 * y + 1.0).item() > 1e-6


@pytest.mark.parametrize("name", DISTANCES)
def test_steps_along_the_gradient_bring_samples_together(name: str) -> None:
    x, y = samples(3, shift=0.5)
    x = x.requires_grad_()
    before = DISTANCES[name](x, y)
    (grad,) = torch.autograd.grad(before, x)
    step = 1e-3 / grad.norm()
    assert DISTANCES[name](x.detach() - step * grad, y).item() < before.item()


def test_the_gradient_of_transport_is_that_of_finite_differences() -> None:
    x, y = samples(4, shift=0.5)
    x = x.requires_grad_()
    (grad,) = torch.autograd.grad(transport(x, y), x)
    moved = torch.zeros_like(x)
    moved[1, 2] = 1e-6
    change = (transport(x + moved, y) - transport(x - moved, y)).item() / 2e-6
    assert grad[1, 2].item() == pytest.approx(change, rel=1e-4)


def test_proxy_a_is_two_where_a_plane_lies_between_and_nothing_where_samples_are_alike() -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(200, 4)), draw.normal(size=(400, 4))
    assert proxy_a(x, y + 20.0) == 2.0
    assert proxy_a(x, y) < 0.3
    assert proxy_a(x, x) < 0.3


def test_proxy_a_by_the_normal_law() -> None:
    """Unit normals 2 apart: the best plane errs with Φ(−1) = 0.1587, so 2 (1 − 2 · 0.1587)."""
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(4000, 1)), draw.normal(size=(1000, 1)) + 2.0
    assert proxy_a(x, y) == pytest.approx(2 * (1 - 2 * 0.1587), abs=0.06)


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_proxy_a_knows_no_units(seed: int, scale: float) -> None:
    x, y = (part.numpy() for part in samples(seed))
    x, y = np.tile(x, (3, 1)), np.tile(y, (3, 1))
    assert 0 <= proxy_a(x, y) <= 2
    assert proxy_a(scale * x + 1, scale * y + 1) == pytest.approx(proxy_a(x, y), abs=0.2)
