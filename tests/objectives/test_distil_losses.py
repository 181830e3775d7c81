"""Distillation losses against sums written out."""

from __future__ import annotations

from math import exp, log, sqrt

import pytest
import torch

from crossaisle.objectives.distil import features, relations, response


def test_response_by_hand() -> None:
    student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]])
    p = exp(2) / (exp(2) + 1)
    assert response(student, teacher).item() == pytest.approx(p * log(2 * p) + (1 - p) * log(2 * (1 - p)))
    q = exp(1) / (exp(1) + 1)  # at T = 2
    assert response(student, teacher, 2.0).item() == pytest.approx(4 * (q * log(2 * q) + (1 - q) * log(2 * (1 - q))))


def test_response_is_zero_where_both_say_the_same_up_to_a_constant() -> None:
    scores = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    assert response(scores + 3, scores, 2.0).item() == pytest.approx(0.0, abs=1e-6)


def test_its_gradient_keeps_its_size_at_high_temperatures() -> None:
    teacher = torch.tensor([[1.0, 0.0, -1.0]])

    def gradient(temperature: float) -> torch.Tensor:
        student = torch.zeros(1, 3, requires_grad=True)
        response(student, teacher, temperature).backward()
        assert student.grad is not None
        return student.grad

    # For large T: (s − t) / m, whatever T (Hinton et al. 2015, eq. 4).
    assert torch.allclose(gradient(100.0), -teacher / 3, atol=5e-3)
    assert torch.allclose(gradient(1000.0), -teacher / 3, atol=5e-3)


def test_candidates_that_are_not_listed_change_nothing() -> None:
    student = torch.tensor([[0.3, -1.0, 9.0], [0.1, 0.2, 0.3]], requires_grad=True)
    teacher = torch.tensor([[1.0, 0.0, -9.0], [0.0, 0.0, 1.0]])
    excluded = torch.tensor([[False, False, True], [False, False, False]])
    loss = response(student, teacher, 2.0, excluded)
    apart = response(student[:1, :2], teacher[:1, :2], 2.0) + response(student[1:], teacher[1:], 2.0)
    assert loss.item() == pytest.approx(apart.item() / 2, rel=1e-5)
    loss.backward()
    assert student.grad is not None
    assert student.grad[0, 2] == 0
    assert torch.isfinite(student.grad).all()


def test_features_by_hand_and_whatever_the_lengths() -> None:
    student, teacher = torch.tensor([[3.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.5, 0.0], [0.0, 2.0]])
    assert features(student, teacher).item() == pytest.approx((0 + 1 - 1 / sqrt(2)) / 2)
    none = torch.zeros(0, 2, requires_grad=True)
    assert features(none, none).item() == 0


def test_relations_by_hand() -> None:
    # Distances 3, 4, 5 over their mean 4; of the teacher 1, 1, 2 over 4/3. Huber: half the square of what is small.
    student = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    teacher = torch.tensor([[0.0], [1.0], [-1.0]])
    wanted = [((a / 4 - b / (4 / 3)) ** 2) / 2 for a, b in [(3, 1), (4, 1), (5, 2)]]
    assert relations(student, teacher).item() == pytest.approx(sum(wanted) / 3)
    assert relations(student * 7, teacher).item() == pytest.approx(sum(wanted) / 3)


def test_equal_vectors_have_a_gradient_that_is_a_number() -> None:
    student = torch.ones(4, 2, requires_grad=True)
    relations(student, torch.randn(4, 3, generator=torch.Generator().manual_seed(0))).backward()
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()
    alone = torch.ones(1, 2, requires_grad=True)
    assert relations(alone, torch.ones(1, 3)).item() == 0
