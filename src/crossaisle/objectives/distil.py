"""Distillation losses: a student repeats what a teacher says; no model inside. Teachers come without gradient."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, huber_loss, log_softmax


def response(student: Tensor, teacher: Tensor, temperature: float = 1.0, excluded: Tensor | None = None) -> Tensor:
    """How far the student's probabilities over a list of candidates are from the teacher's.

    L = T²/n Σ_u KL( softmax(t_u / T) ‖ softmax(s_u / T) )

    T² keeps the size of the gradient when T changes (Hinton, Vinyals & Dean 2015, arXiv:1503.02531, section 2).

    Args:
        student: (n, m) scores s of m candidates for each user.
        teacher: (n, m) scores t.
        temperature: T; higher lets unlikely candidates say more.
        excluded: (n, m) True where a candidate is not in that user's list; one at least is.

    Returns:
        Scalar.
    """
    if excluded is not None:
        student, teacher = (x.masked_fill(excluded, -torch.inf) for x in (student, teacher))
    said, wanted = (log_softmax(x / temperature, dim=1) for x in (student, teacher))
    if excluded is not None:
        said, wanted = (x.masked_fill(excluded, 0.0) for x in (said, wanted))
    worth = wanted.exp() if excluded is None else wanted.exp().masked_fill(excluded, 0.0)
    return temperature**2 * (worth * (wanted - said)).sum(dim=1).mean()


def features(student: Tensor, teacher: Tensor) -> Tensor:
    """How far the student's vectors point from the teacher's: L = (1/n) Σ_i (1 − cos(s_i, t_i)).

    The student's vectors are mapped to the teacher's width first (Romero et al. 2015, FitNets, arXiv:1412.6550, eq. 2,
    with the cosine in place of the squared distance: lengths say popularity, which the scores tell).

    Args:
        student: (n, d) vectors.
        teacher: (n, d) vectors.

    Returns:
        Scalar; 0 where n is 0.
    """
    if not len(student):
        return student.sum()
    return (1 - cosine_similarity(student, teacher, dim=1)).mean()


def relations(student: Tensor, teacher: Tensor) -> Tensor:
    """How far distances between the student's vectors are from those between the teacher's, whatever their widths.

    L = mean over pairs i ≠ j of huber(ψ_s(i, j), ψ_t(i, j)),  ψ(i, j) = ‖x_i − x_j‖ / mean of all such distances

    (Park et al. 2019, Relational Knowledge Distillation, eq. 5 to 7.)

    Args:
        student: (n, d) vectors.
        teacher: (n, e) vectors.

    Returns:
        Scalar; 0 where n is below 2.
    """
    if len(student) < 2:
        return student.sum() * 0
    return huber_loss(_distances(student), _distances(teacher))


def _distances(vectors: Tensor) -> Tensor:
    """(n (n − 1) / 2,) distances over their mean."""
    apart = torch.pdist(vectors)
    return apart / apart.mean().clamp(min=1e-12)
