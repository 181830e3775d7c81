"""Users: who is known already, how well, and whether people alike in the source are alike in the target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from .agreement import agreement
from .sides import LEAST, Ground, Side, common, some
from .words import NONE, Found, affinity, around, difference, share


def people(ground: Ground, source: Side, target: Side) -> list[Found]:
    """Overlap, depth, activity and agreement of taste; docs/gap.md lists them."""
    both = ground.both(source, target, "people")
    union = len(source.people) + len(target.people) - len(both)
    enough = min(len(source.people), len(target.people)) >= LEAST
    known = share("users_known", len(both), len(target.people))
    own = ground.once(("known", target.name), lambda: _own_share(target))
    # Fewer shared people than can be measured at all are none: no measure that rests on them says anything.
    chance = known.high if len(both) < LEAST else 0.0
    return [
        Found("users_shared", float(len(both)), float(len(both)), float(len(both))),
        affinity(known, own, chance, enough),
        share("users_reached", len(both), len(source.people)),
        share("user_jaccard", len(both), union),
        _mean("user_depth", source.activity.of(both)),
        difference(_activity(ground.window(source, target), target), enough),
        *_tastes(ground, source, target, enough),
    ]


def _own_share(target: Side) -> float:
    """Share of the people of one random half of the target's rows whom the other half knows."""
    first, second = target.halves
    return len(common(first.people, second.people)) / max(len(second.people), 1)


def _mean(name: str, values: np.ndarray) -> Found:
    if len(values) == 0:
        return Found(name)
    return around(name, float(values.mean()), float(values.std() / np.sqrt(len(values))))


def _activity(source: Side, target: Side) -> Found:
    """log₂ of (mean events of a user in the source / in the target), by the delta method."""
    parts = [side.activity.times.astype(np.float64) for side in (source, target)]
    if min(len(p) for p in parts) == 0:
        return Found("activity_shift")
    error = np.sqrt(sum(p.var() / len(p) / p.mean() ** 2 for p in parts)) / np.log(2.0)
    return around("activity_shift", float(np.log2(parts[0].mean() / parts[1].mean())), float(error))


def _tastes(ground: Ground, source: Side, target: Side, enough: bool) -> list[Found]:
    names = ("neighbour_lift", "taste_correlation")
    return agreement(ground, names, source, target, lambda a, b: _tables(ground, a, b), enough)


def _tables(ground: Ground, a: Side, b: Side) -> tuple[sp.csr_matrix, sp.csr_matrix] | None:
    """What (up to `people`) shared people have on either side; None for fewer than 30."""
    both = common(a.people, b.people) if a.name == b.name else ground.both(a, b, "people")
    if len(both) < LEAST:
        return None
    drawn = some(both, ground.options.people, ground.draw("people", a.name, b.name))
    return a.held_by(drawn), b.held_by(drawn)


def elsewhere(ground: Ground, source: Side, others: Sequence[Side]) -> Found:
    """Mean of ``neighbour_lift`` from `source` to the other sources: what is known before the target opens."""
    found = [_tastes(ground, source, other, True)[0].value for other in others if other is not source]
    known = np.array([v for v in found if np.isfinite(v)])
    if len(known) < 2:
        return Found("neighbour_lift_elsewhere", float(known[0]) if len(known) else NONE)
    error = float(known.std(ddof=1) / np.sqrt(len(known)))
    return around("neighbour_lift_elsewhere", float(known.mean()), error)
