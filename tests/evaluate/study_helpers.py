"""What several tests of studies ask and compare."""

from __future__ import annotations

import dataclasses

from crossaisle.evaluate.result import Report
from crossaisle.evaluate.spec import MethodSpec

METHODS_ASKED = (
    MethodSpec("popularity"),
    MethodSpec("ease"),
    MethodSpec("als"),
    MethodSpec("user_kernel"),
)


def timeless(report: Report) -> str:
    """`report` without what two equal runs may differ in."""
    costs = tuple(
        dataclasses.replace(c, fit_seconds=0.0, fuse_seconds=0.0, peak_mb=0.0, ms_per_request=0.0) for c in report.costs
    )
    return dataclasses.replace(report, costs=costs, environment={}).to_json()
