"""`explain_transfer`: which sources carry a recommender, which layers moved, who gained and who lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..attribution import contributions_of, is_sampled
from ..progress import ticking
from ..recommender import Recommender
from ..types import Codes
from .domains import grouped
from .explanation import Source, TransferExplanation
from .gains import Finished, gains_of
from .person import Asking
from .sentences import transfer_sentences

PEOPLE = 200
"""People whose recommendations are taken apart; a tenth of them where contributions are drawn."""
TOP = 10


def explain_transfer(
    recommender: Recommender, run: Finished | None = None, *, people: int = PEOPLE, seed: int = 0
) -> TransferExplanation:
    """What of the old knowledge carried `recommender`.

    Args:
        recommender: of any method.
        run: the study that it comes from, for gains and losses; None leaves them out.
        people: drawn of those with a history, to see which sources count.
        seed: of the draw.

    Raises:
        ArtifactError: the study's numbers are not there, or of another version.
    """
    asked = max(1, people // 10) if is_sampled(recommender.scorer) else people
    users = _drawn(recommender, asked, seed)
    found = TransferExplanation(
        domain=recommender.domain,
        method=recommender.method,
        users=len(users),
        sources=_sources(recommender, users),
        layers=layers_of(recommender.facts),
        gains=() if run is None else gains_of(run),
    )
    return replace(found, sentences=transfer_sentences(found))


def layers_of(facts: Mapping[str, Any]) -> dict[str, float]:
    """Layer → relative change, from the facts of a recommender or of the parts of a blend."""
    own = dict(facts.get("layers", {}))
    parts = facts.get("parts", {})
    inner = {name: layers_of(part) for name, part in parts.items() if isinstance(part, Mapping)}
    return own | {f"{name}: {layer}": moved for name, layers in inner.items() for layer, moved in layers.items()}


def _drawn(shop: Recommender, people: int, seed: int) -> Codes:
    """Codes of `people` users with a history, sorted."""
    known = np.flatnonzero(np.diff(shop.history.counts.indptr))
    draw = np.random.default_rng(seed)
    return known if len(known) <= people else np.sort(draw.choice(known, people, replace=False))


def _sources(shop: Recommender, users: Codes) -> tuple[Source, ...]:
    shares: dict[str, list[float]] = defaultdict(list)
    changed: dict[str, list[float]] = defaultdict(list)
    for user in ticking("explain", users.tolist(), len(users)):
        asking = Asking(shop, shop.history.take(np.array([user])))
        top = asking.best(asking.scores, TOP)
        wanted = np.zeros((len(top), len(shop.catalogue)))
        wanted[np.arange(len(top)), top] = 1.0
        positive = np.maximum(contributions_of(shop.scorer, asking.history, wanted).parts, 0.0).sum(axis=0)
        total = max(float(positive.sum()), 1e-30)
        for label, value in grouped(asking.labels, positive[None]).items():
            shares[label].append(float(value[0]) / total)
            then = asking.best(asking.without(label), TOP)
            changed[label].append(1.0 - len(np.intersect1d(top, then)) / max(len(top), 1))
    found = [
        Source(label, sum(values) / len(users), float(np.mean(changed[label])), len(values))
        for label, values in shares.items()
    ]
    return tuple(sorted(found, key=lambda s: -s.share))
