"""The state of an experiment: every variant, every difference from the control, and what the rule says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import polars.selectors as cs

from ..errors import DataError
from .assignment import METRICS, Experiment, MetricName
from .decision import Decision, decide, mismatch
from .sequences import Bounds, Moments, bounds_of, difference

COLUMNS = ("user_id", "exposures", "clicks", "bought", "revenue")


@dataclass(frozen=True)
class Summary:
    """What is known now.

    Attributes:
        users: variant → users whose window is over.
        rates: variant → metric → value with its confidence sequence.
        differences: variant other than the control → metric → difference from the control, alike.
        p_mismatch: of the chi-square test of `users` against the shares.
        decision: what the rule says.
    """

    users: Mapping[str, int]
    rates: Mapping[str, Mapping[MetricName, Bounds]]
    differences: Mapping[str, Mapping[MetricName, Bounds]]
    p_mismatch: float
    decision: Decision

    def table(self) -> pl.DataFrame:
        """One row for each variant and metric: value, low, high, and the difference from the control."""
        rows = []
        for variant, found in self.rates.items():
            for metric, rate in found.items():
                gain = self.differences.get(variant, {}).get(metric)
                ends = (None, None, None) if gain is None else tuple(float(v) for v in gain)
                rows.append((variant, self.users[variant], metric, *(float(v) for v in rate), *ends))
        names = (
            "variant",
            "users",
            "metric",
            "value",
            "low",
            "high",
            "difference",
            "difference_low",
            "difference_high",
        )
        return pl.DataFrame(rows, schema=names, orient="row")

    def to_document(self) -> dict[str, Any]:
        """As plain values; None where there is too little to say."""
        said, numbers = self.decision, cs.float()
        told = self.table().with_columns(pl.when(numbers.is_finite()).then(numbers).name.keep())
        return {
            "variants": told.to_dicts(),
            "p_mismatch": self.p_mismatch,
            "decision": {
                "word": said.word,
                "variant": said.variant,
                "stopped": dict(said.stopped),
                "sentence": said.sentence,
            },
        }


def summary(experiment: Experiment, outcomes: pl.DataFrame) -> Summary:
    """The state of `experiment`.

    The chance of error is shared evenly (Bonferroni) by all differences, variants times metrics; each variant's own
    interval has the whole of it, as it decides nothing.

    Args:
        experiment: assignment and rule.
        outcomes: one row per user whose window is over, as `outcomes_of` gives it: ``user_id``, ``exposures``,
            ``clicks`` (exposures that were clicked), ``bought`` (0 or 1) and ``revenue``.

    Raises:
        DataError: a column is missing, or a user stands there twice.
    """
    missing = [c for c in COLUMNS if c not in outcomes.columns]
    if missing:
        raise DataError(f"the outcomes have no {' and no '.join(missing)}; needed are {', '.join(COLUMNS)}.")
    if outcomes["user_id"].is_duplicated().any():
        raise DataError("the outcomes have a user twice; one row for each user is needed, with its sums.")
    variant = outcomes["user_id"].map_elements(experiment.variant_of, return_dtype=pl.String)
    rows = {v: outcomes.filter(variant == v).with_columns(users=pl.lit(1)) for v in experiment.variants}
    moments = {
        v: {m: Moments.of(*(part[c].to_numpy() for c in METRICS[m])) for m in METRICS} for v, part in rows.items()
    }
    rule, control = experiment.rule, experiment.control
    others = [v for v in experiment.variants if v != control]
    alpha = rule.alpha / (len(others) * len(experiment.metrics))
    differences = {
        v: {m: difference(moments[control][m], moments[v][m], alpha, rule.users) for m in experiment.metrics}
        for v in others
    }
    rates = {v: {m: bounds_of(one, rule.alpha, rule.users / 2) for m, one in of.items()} for v, of in moments.items()}
    users = {v: part.height for v, part in rows.items()}
    p = mismatch(list(users.values()), list(experiment.variants.values()))
    control_rate = float(moments[control][experiment.metric].rate)
    decision = decide(experiment, differences, control_rate, outcomes.height, p)
    return Summary(users, rates, differences, p, decision)
