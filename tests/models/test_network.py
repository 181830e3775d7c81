"""The network: absent modalities add nothing, heads start equal, sizes survive JSON."""

from __future__ import annotations

import json

import pytest
import torch

from crossaisle.models.network import Fuse, Heads, Network, Sizes

SIZES = Sizes(text=3, numeric=2, levels=(4, 5), profile=6, user_levels=(3,), dim=4, hidden=8)


def test_fuse_is_the_sum_of_what_is_there() -> None:
    torch.manual_seed(0)
    fuse = Fuse((3, 2), (4, 5), 8, drop=0.5).eval()
    text, numbers = torch.randn(2, 3), torch.randn(2, 2)
    text[1] = 0
    got = fuse((text, numbers), torch.tensor([[1, 2], [0, 4]]))
    first = fuse.dense[0](text[:1]) + fuse.dense[1](numbers[:1]) + fuse.levels[1] + fuse.levels[4 + 2]
    assert torch.allclose(got[:1], first, atol=1e-6)
    assert torch.allclose(got[1:], fuse.dense[1](numbers[1:]) + fuse.levels[4 + 4], atol=1e-6)


def test_modalities_are_dropped_only_while_training() -> None:
    torch.manual_seed(0)
    fuse = Fuse((3,), (), 8, drop=0.5)
    text, none = torch.ones(200, 3), torch.zeros(200, 0, dtype=torch.int64)
    dropped = (fuse((text,), none) == 0).all(dim=1)
    assert 60 < int(dropped.sum()) < 140
    assert not (fuse.eval()((text,), none) == 0).all(dim=1).any()


@pytest.mark.parametrize("change", [{"text": 0}, {"numeric": 0}, {"levels": ()}, {"user_levels": ()}])
def test_any_modality_may_be_missing(change: dict[str, object]) -> None:
    sizes = Sizes(**{**SIZES.to_meta(), **change})  # type: ignore[arg-type]
    network = Network(sizes, 2).eval()
    levels = torch.zeros(5, len(sizes.levels), dtype=torch.int64)
    vectors, biases = network.items(torch.ones(5, sizes.text), torch.ones(5, sizes.numeric), levels, 1)
    assert vectors.shape == (5, 4)
    assert biases.shape == (5,)
    users, weight = network.users(torch.ones(3, 6), torch.zeros(3, len(sizes.user_levels), dtype=torch.int64), 1)
    assert users.shape == (3, 4)
    assert weight.shape == ()


def test_heads_add_to_the_shared_one() -> None:
    heads = Heads(3, 2)
    users = torch.tensor([[1.0, 2.0]])
    assert torch.equal(heads(users, 2)[0], users)
    with torch.no_grad():
        heads.scale[0], heads.shift[0], heads.weight[0] = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 2.0
        heads.scale[2], heads.weight[2] = torch.tensor([1.0, 1.0]), 3.0
    shared, two = heads(users, 0), heads(users, 2)
    assert shared[0].tolist() == [[2.0, 3.0]]
    assert two[0].tolist() == [[3.0, 5.0]]
    assert (shared[1].item(), two[1].item()) == (2.0, 6.0)


def test_sizes_survive_json() -> None:
    assert Sizes.from_meta(json.loads(json.dumps(SIZES.to_meta()))) == SIZES
