"""Paths through towers: what inputs add sums to what comes out, without help of the remainder."""

from __future__ import annotations

import pytest
import torch

from crossaisle.models import paths
from crossaisle.models.network import Network, Sizes
from crossaisle.models.paths import centred, deviation, item_parts, onwards, shared_out, user_parts

DESIGNS = ("shared", "mmoe", "ple", "star")


def network(design: str) -> Network:
    torch.manual_seed(0)
    sizes = Sizes(text=4, numeric=3, levels=(5,), profile=6, dim=8, hidden=16, design=design, experts=2, own=1)
    made = Network(sizes, 3)
    with torch.no_grad():
        for weights in made.parameters():
            weights.add_(0.3 * torch.randn_like(weights))
    return made.eval()


@pytest.mark.parametrize("design", DESIGNS)
def test_blocks_of_content_sum_to_the_vector(design: str) -> None:
    made, blocks = network(design), [torch.randn(7, 16) for _ in range(3)]
    whole = sum(blocks, torch.zeros(7, 16))
    with torch.no_grad():
        ends = [onwards(made.item, n, 2) for n in (centred(whole) / deviation(made.item, whole), torch.zeros(1, 16))]
    torch.testing.assert_close(item_parts(made, 2, blocks).sum(dim=0), ends[0] - ends[1], atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_path_ends_at_what_the_tower_says(design: str) -> None:
    made, fused = network(design), torch.randn(7, 16)
    with torch.no_grad():
        tower = made.user
        hidden = tower.adapter(tower.mixing(tower.body(fused), 1), 1)
        torch.testing.assert_close(onwards(tower, centred(fused) / deviation(tower, fused), 1), tower.vector(hidden))


@pytest.mark.parametrize("design", DESIGNS)
def test_events_sum_to_the_score_before_rounding_is_shared(design: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, nobody, events, wanted = network(design), torch.randn(1, 16), torch.randn(5, 16), torch.randn(2, 8)
    missing = []

    def watched(parts, whole):
        missing.append(abs(parts.sum(axis=1) - whole).max() / abs(whole).max())
        return shared_out(parts, whole)

    monkeypatch.setattr(paths, "shared_out", watched)
    start, parts = user_parts(made, 1, nobody, events, torch.full((5,), 0.2), wanted)
    with torch.no_grad():
        fused = nobody + events.sum(dim=0)
        tower = made.user
        vector = made.heads(onwards(tower, centred(fused) / deviation(tower, fused), 1), 1)[0]
    assert start + parts.sum(axis=1) == pytest.approx((vector @ wanted.T)[0].numpy(), abs=1e-5)
    assert max(missing) < 2e-3
