"""Reading a GapReport: the measure that stands for each family, sources by nearness or by what they carry, a map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from ..data.splits.base import Moment, moment
from ..data.world import World
from ..errors import ConfigError
from .report import GapReport
from .sides import ALL, LEAST
from .words import Doubles

HEADLINES: Mapping[str, tuple[str, ...]] = {
    "content": ("mmd",),
    "users": ("neighbour_lift", "users_known"),
    "items": ("items_known",),
    "popularity": ("sales_correlation", "degree_js"),
    "price": ("price_wasserstein",),
    "behaviour": ("basket_lift", "pause_wasserstein"),
    "transferability": ("log_me",),
}
"""Family → measures that may stand for it, best first."""


def headlines(report: GapReport, target: str) -> dict[str, str]:
    """Family → the measure that stands for it: the first that has a number for some source of `target`."""
    rows = [m for m in report.measures if m.target == target]
    told = {m.name for m in rows if not math.isnan(m.value)}
    families = dict.fromkeys(m.family for m in rows)
    return {f: next((n for n in HEADLINES[f] if n in told), HEADLINES[f][0]) for f in families}


def nearest(report: GapReport, target: str) -> list[str]:
    """Sources of a target, the one with the smallest MMD² first, those without content last; ``*`` at the end."""
    names = dict.fromkeys(m.source for m in report.measures if m.target == target and m.source != ALL)

    def apart(name: str) -> float:
        m = report.of(name, target).get("mmd")
        told = m is not None and not math.isnan(m.value) and m.word != "too little to say"
        return m.value if told and m is not None else math.inf

    together = [ALL] if report.of(ALL, target) else []
    return [*sorted(names, key=apart), *together]


def carried(report: GapReport, target: str) -> dict[str, float]:
    """Source → a guess of how much it carries to `target`, from 0 on.

    users_known · log(1 + user_depth) · neighbour_lift + items_known: how many of its people are known there, how well,
    and whether people alike there are alike in the target; items tell where people are not shared. NaN counts as 0.
    """
    found = {}
    for name in dict.fromkeys(m.source for m in report.measures if m.target == target and m.source != ALL):
        values = {n: m.value for n, m in report.of(name, target).items() if not math.isnan(m.value)}
        known, depth, lift, items = (
            values.get(n, 0.0) for n in ("users_known", "user_depth", "neighbour_lift", "items_known")
        )
        found[name] = known * math.log1p(depth) * lift + items
    return found


def order_from(
    report: GapReport, world: World, target: str, cut: Moment | None = None, weeks: float | None = None
) -> dict[str, float]:
    """`carried`, where the report is about the same question.

    Raises:
        ConfigError: it was measured on other data, for another target, or at another cut or week.
    """
    seen, weeks_seen = report.protocol.get("cut"), report.protocol.get("weeks")
    about, wanted = report.protocol.get("target"), None if cut is None else str(moment(cut))
    differs = ""
    if report.protocol.get("fingerprint") != world.fingerprint:
        differs = f"was measured on other data than {world.name}"
    elif about not in (None, target):
        differs = f"is about the target {about!r}, not {target!r}"
    elif (seen, weeks_seen) != (wanted, weeks):
        differs = f"was measured with cut {seen} and weeks {weeks_seen}, not with cut {wanted} and weeks {weeks}"
    if differs:
        raise ConfigError(f"the gap {differs}; measure it again with `crossaisle gap` and the flags of this command.")
    return carried(report, target)


def matrix(report: GapReport, name: str, domains: Sequence[str]) -> Doubles:
    """(n, n) values of a measure, source in rows and target in columns; NaN where there is none."""
    found = {(m.source, m.target): m.value for m in report.measures if m.name == name}
    return np.array([[found.get((s, t), np.nan) for t in domains] for s in domains])


def domain_map(report: GapReport) -> dict[str, tuple[float, float]]:
    """Two coordinates of every domain, so that the alike lie together.

    Classical scaling (Torgerson 1952), then the stress of plane distances is made small (de Leeuw 1977, SMACOF). Wanted
    distances are the ranks of MMD², from 0.2 to 1: one domain far from all does not press the others into a point.
    Domains with fewer than 30 items that say something are left out. Signs are those that put the largest coordinate of
    each axis on its positive side.
    """
    names = [d.domain for d in report.domains if d.told >= LEAST]
    apart = matrix(report, "mmd", names) if names else np.zeros((0, 0))
    apart = np.where(np.isnan(apart), apart.T, apart)
    rows, columns = np.triu_indices(len(names), 1)
    if not len(rows) or np.isnan(apart[rows, columns]).any():
        return {}
    wanted = np.zeros_like(apart)
    ranks = pl.Series(apart[rows, columns]).round(5).rank().to_numpy()  # single precision must not break a tie
    wanted[rows, columns] = 0.2 + 0.8 * ranks / len(rows)
    places = _stressed(_scaled(wanted + wanted.T), wanted + wanted.T)
    places *= np.where(places[np.abs(places).argmax(axis=0), np.arange(2)] < 0, -1.0, 1.0)
    return {n: (float(x), float(y)) for n, (x, y) in zip(names, places, strict=True)}


def _scaled(wanted: Doubles) -> Doubles:
    """(n, 2) classical scaling: −½ J D² J has the coordinates as its first two axes."""
    middle = np.eye(len(wanted)) - 1.0 / len(wanted)
    values, axes = np.linalg.eigh(-0.5 * middle @ wanted**2 @ middle)
    places: Doubles = axes[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0.0))
    return places


def _stressed(places: Doubles, wanted: Doubles, steps: int = 300) -> Doubles:
    """(n, 2) places after `steps` of X ← B(X) X / n, b_ij = −wanted_ij / distance_ij, rows of B adding up to 0."""
    for _ in range(steps):
        apart = np.sqrt(np.square(places[:, None] - places[None]).sum(axis=2))
        ratio = np.where(apart > 1e-9, wanted / np.maximum(apart, 1e-9), 0.0)
        places = (ratio.sum(axis=1)[:, None] * places - ratio @ places) / len(places)
    return places
