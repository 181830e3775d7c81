"""Denoiser: the embedding of a step, and clusters that keep to themselves."""

from __future__ import annotations

from math import cos, sin

import numpy as np
import pytest
import torch

from crossaisle.models.denoiser import ClusterCoder, Denoiser, DenoiserSizes, latent_widths, step_waves

CLUSTERS = np.array([1, 0, 1, 2, 0, 1])


def test_waves_by_hand() -> None:
    found = step_waves(torch.tensor([0, 3]), 4)
    assert found[0].tolist() == [1, 1, 0, 0]
    assert found[1].tolist() == pytest.approx([cos(3), cos(0.03), sin(3), sin(0.03)])


def test_latents_are_shared_out_by_number() -> None:
    assert latent_widths(np.array([2, 3, 1]), 9) == [3, 4, 2]
    assert latent_widths(np.array([50, 1]), 2) == [1, 1]
    assert latent_widths(np.array([1, 1, 1]), 5) == [2, 2, 1]


def test_a_cluster_is_coded_by_its_own_items_alone_and_decoded_to_their_places() -> None:
    torch.manual_seed(0)
    coder = ClusterCoder(CLUSTERS, 9)
    x = torch.randn(2, 6)
    for cluster in range(3):
        inside = torch.from_numpy(cluster == CLUSTERS)
        other = torch.where(inside, x, torch.randn(2, 6))
        changed = coder.encode(other)[0] != coder.encode(x)[0]
        widths = np.repeat(np.arange(3), coder.widths)
        assert not changed[:, widths == cluster].any()
        assert changed[:, widths != cluster].all()
        z = torch.randn(2, 9)
        moved = coder.decode(z + torch.from_numpy(widths == cluster).float()) != coder.decode(z)
        assert torch.equal(moved.all(dim=0), inside)
        assert torch.equal(moved.any(dim=0), inside)


def test_the_denoiser_is_told_the_step_and_reads_directions_where_rows_have_length_one() -> None:
    torch.manual_seed(0)
    x, t = torch.randn(3, 7), torch.tensor([1, 2, 3])
    plain, unit = (Denoiser(7, DenoiserSizes(7, (5, 4), unit_rows=u)).eval() for u in (False, True))
    assert plain(x, t).shape == (3, 7)
    assert not torch.allclose(plain(x, t), plain(x, t + 1))
    assert not torch.allclose(plain(x, t), plain(2 * x, t))
    assert torch.allclose(unit(x, t), unit(2 * x, t), atol=1e-6)


def test_layers_that_add_to_the_vector_add_nothing_at_first() -> None:
    x, t = torch.randn(3, 7), torch.tensor([1, 2, 5])
    adds, says = (Denoiser(7, DenoiserSizes(7, (4,), residual=r)).eval() for r in (True, False))
    assert torch.equal(adds(x, t), x)
    assert not torch.allclose(says(x, t), x)


def test_sizes_saved_before_there_was_a_residual_say_the_vector_itself() -> None:
    saved = {n: v for n, v in DenoiserSizes(7, (4,), residual=True).to_meta().items() if n != "residual"}
    assert not DenoiserSizes.from_meta(saved).residual
