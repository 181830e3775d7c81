"""Assignment: the same for ever, by the shares, and independent between experiments."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from crossaisle.errors import ConfigError
from crossaisle.experiments import Experiment, Rule

USERS = [f"u{i}" for i in range(20_000)]
SHARES = {"a": 0.5, "b": 0.3, "c": 0.2}


def test_a_user_keeps_the_variant_for_ever() -> None:
    one = Experiment("homepage", {"old": 0.5, "new": 0.5})
    assert [one.variant_of(u) for u in ("u0", "u1", "u2", "u3", "u4", "ß", "")] == [
        "new",
        "old",
        "old",
        "old",
        "old",
        "new",
        "old",
    ]
    assert [Experiment("homepage", {"old": 0.5, "new": 0.5}).variant_of(u) for u in USERS[:99]] == [
        one.variant_of(u) for u in USERS[:99]
    ]


def test_shares_are_met() -> None:
    counts = Counter(map(Experiment("x", SHARES).variant_of, USERS))
    assert chisquare([counts[v] for v in SHARES], [len(USERS) * s for s in SHARES.values()]).pvalue > 0.01


def test_experiments_are_independent() -> None:
    """Over 190 pairs of experiments with names or salts that differ little, p of the chi-square test is uniform."""
    made = [Experiment("x" + i * "_", SHARES, salt=salt) for i in range(10) for salt in ("", "s")]
    found = [list(map(one.variant_of, USERS[:3000])) for one in made]
    tables = [Counter(zip(a, b, strict=True)) for a, b in itertools.combinations(found, 2)]
    p = [chi2_contingency([[t[a, b] for b in SHARES] for a in SHARES]).pvalue for t in tables]
    assert 0.4 < np.mean(p) < 0.6
    assert np.mean(np.array(p) < 0.05) < 0.1
    assert min(p) > 1e-5


def test_ids_that_differ_little_are_spread() -> None:
    one = Experiment("x", {"a": 0.5, "b": 0.5})
    pairs = Counter((one.variant_of(u), one.variant_of(v)) for u, v in itertools.pairwise(USERS))
    assert chi2_contingency([[pairs[a, b] for b in "ab"] for a in "ab"]).pvalue > 0.01


def test_the_control_comes_first() -> None:
    one = Experiment("x", {"z": 0.9, "a": 0.1}, metric="cvr", guards=("revenue", "cvr"))
    assert one.control == "z"
    assert one.metrics == ("cvr", "revenue")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Experiment("x", {"a": 1.0}), "at least two above 0"),
        (lambda: Experiment("x", {"a": 0.5, "b": 0.6}), "add up to 1"),
        (lambda: Experiment("x", {"a": 1.0, "b": 0.0}), "at least two above 0"),
        (lambda: Experiment("", SHARES), "has no name"),
        (lambda: Experiment("x", SHARES, metric="crt"), "did you mean 'cvr' or 'ctr'"),  # type: ignore[arg-type]
        (lambda: Experiment("x", SHARES, window_days=0), "more than 0"),
        (lambda: Rule(alpha=1.0), "between 0 and 1"),
        (lambda: Rule(users=0), "at least 1"),
        (lambda: Rule(least=-0.1), "at least 0"),
    ],
)
def test_mistakes_are_named(made: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        made()  # type: ignore[operator]
