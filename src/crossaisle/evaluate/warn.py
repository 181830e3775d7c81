"""Sentences a reader of a report must know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .cells import Cell
from .result import GuardRow, Row
from .spec import Entry, Study
from .steps import Step

FEW_USERS = 50
MANY_REPEATS = 0.2
FEW_SEEDS = 3
UNSEEN = 0.1
"""Harm of this share of the control's value should be seen; where it might not be, the report says so."""


def warnings_of(
    study: Study,
    entries: Sequence[Entry],
    cells: Sequence[Cell],
    facts: Sequence[Mapping[str, Any]],
    rows: Sequence[Row],
    guard: Sequence[GuardRow],
) -> list[str]:
    """All sentences, the gravest first."""
    return [
        *_of_split(study, facts),
        *_of_users(study, rows),
        *_of_guard(study, rows, guard),
        *_of_methods(study, entries),
        *_of_budget(study, cells),
        *_of_skips(entries, cells),
    ]


def _of_split(study: Study, facts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if any(f["leaks_future"] for f in facts):
        yield (
            f"Split {study.split} leaks the future: training rows may be later than test rows. Use it to reproduce "
            "published tables, not to decide."
        )
    outside = max(f["test_pairs_outside_catalogue"] for f in facts)
    if outside:
        pairs = max(f["test_pairs"] for f in facts)
        yield f"{outside:,} of {pairs:,} test purchases are of items outside the ranked catalogue and are not asked."


def _of_users(study: Study, rows: Sequence[Row]) -> Iterator[str]:
    users = {name: [r.users for r in rows if r.slice == name] for name in ("new", "repeat", "all")}
    if not users["new"]:
        yield "No test user bought anything new: only repeat purchases can be judged here."
    elif min(users["new"]) < FEW_USERS:
        yield (
            f"Only {min(users['new'])} users bought anything new in the test window: intervals are wide, and verdicts "
            "with few users are not to be trusted."
        )
    share = max(users["repeat"], default=0) / max(users["all"], default=1)
    if share >= MANY_REPEATS:
        yield (
            f"{share:.0%} of the test users bought something again that they had bought before. Read the slice new for "
            "recommendation; the slices repeat and all are mostly about remembering."
        )


def _of_guard(study: Study, rows: Sequence[Row], guard: Sequence[GuardRow]) -> Iterator[str]:
    """How much harm of what ships could have gone unseen: an effect of half the interval's width is seen half the time.

    The sentence is about the step that sees least, among those where the guard found no difference.
    """
    values = {(r.week, r.shots, r.method): r.value for r in rows if (r.slice, r.metric, r.k) == study.headline}
    unseen = []
    for g in guard:
        control = values.get((g.week, g.shots, g.control), 0.0)
        asked = (g.slice, g.method, g.against) == (study.headline[0], study.ship, "best_control")
        if asked and g.verdict == "no difference" and control > 0:
            unseen.append(((g.high - g.low) / 2 / control, g))
    share, row = max(unseen, key=lambda found: found[0], default=(0.0, None))
    if row is not None and share >= UNSEEN:
        step = Step(row.week, row.shots).name
        where = "" if step == "all" else f" at {step}"
        yield (
            f"With {row.users} users{where}, harm of {study.ship} smaller than {share:.0%} of what {row.control} "
            "reaches would more likely than not go unseen; no difference is no proof of safety."
        )


def _of_methods(study: Study, entries: Sequence[Entry]) -> Iterator[str]:
    if len(study.seeds) < FEW_SEEDS and (study.random_split or any(e.random for e in entries)):
        yield f"Random methods ran under {len(study.seeds)} seed(s); at least {FEW_SEEDS} are needed to trust them."
    if all(e.kind == "transfer" for e in entries):
        yield "There is no control among the methods, so nothing says whether transfer helps; add target_only or ease."


def _of_budget(study: Study, cells: Sequence[Cell]) -> Iterator[str]:
    """Who was tuned, and one sentence for each reason why others were not."""
    if study.budget is None:
        return
    labels = dict.fromkeys(c.label for c in cells if c.tuning.get("trials", 0) > 1)
    yield (
        f"Options were searched on held-out rows for {study.budget} a method and step: {', '.join(labels) or 'none'}. "
        "These methods had more help than the others."
    )
    reasons: dict[str, dict[str, None]] = {}
    for cell in (c for c in cells if c.tuning.get("trials", 2) <= 1):
        reasons.setdefault(str(cell.tuning["why"]), {})[cell.label] = None
    for why, names in reasons.items():
        yield f"Options not searched: {', '.join(names)}, because {why}."


def _of_skips(entries: Sequence[Entry], cells: Sequence[Cell]) -> Iterator[str]:
    """One sentence for each reason and the steps it holds at, naming the methods."""
    names = {e.label: e.method.name for e in entries}
    where: dict[tuple[str, str], list[str]] = {}
    for cell in (c for c in cells if c.skipped):
        reason = cell.skipped.replace(f"method {names[cell.label]!r}", "the method")
        steps = where.setdefault((cell.label, reason), [])
        steps += [cell.step.name] if cell.step.name not in steps else []
    who: dict[tuple[str, str], list[str]] = {}
    for (label, reason), steps in where.items():
        at = "" if steps == ["all"] else f" at {', '.join(steps)}"
        who.setdefault((at, reason), []).append(label)
    for (at, reason), labels in who.items():
        yield f"Left out{at}: {', '.join(labels)}, because {reason}"
