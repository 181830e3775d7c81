"""A Report in plain words."""

from __future__ import annotations

from ..evaluate.result import Report, ShipRow, TimeSavedRow
from . import view

GUARD = (
    "Each user's result under the method minus the same user's result under the control. “Helps” and “hurts” mean that "
    "the whole 95\u00a0% interval lies on one side of zero."
)
BEST_CONTROL = (
    "“Best control” is at every step the best method without old knowledge on these very test rows, which is hard on "
    "the transfer."
)
VERDICTS = {"helps": "helps", "no difference": "no clear difference", "hurts": "hurts"}


def fraction(value: float, digits: int = 4) -> str:
    """A share as ``.0345``; numbers of 1 and more keep their digits before the point."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def signed(value: float, digits: int = 4) -> str:
    """As `fraction`, with a sign."""
    return ("−" if value < 0 else "+") + fraction(abs(value), digits)


def short(value: float) -> str:
    """Weeks and factors: ``0.85``, ``2.6``, ``16``."""
    text = f"{value:.2f}" if value < 1 else f"{value:.1f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def factor(row: TimeSavedRow) -> str:
    """``×2.6`` or ``at least ×8``."""
    return f"{'at least ' if row.at_least else ''}×{short(row.factor)}"


def factor_range(row: TimeSavedRow) -> str:
    """95 % interval of the factor; open above where the study ends before the control gets there."""
    return f"{short(row.low)} or more" if row.high is None else f"{short(row.low)} to {short(row.high)}"


def lead(report: Report) -> str:
    """The one sentence to take away."""
    step, ship = view.main_step(report), report.protocol["ship"]
    if report.kinds.get(ship) == "control":
        return f"{ship} is a control: this study compares controls, and nothing was carried over."
    rows = [r for r in view.saved_of(report, ship) if (r.week, None) == step]
    if rows and view.ships_at(report)[step].ships == ship:
        return _lead_by_time(report, rows[0])
    return _lead_by_guard(report, step)


def _lead_by_time(report: Report, row: TimeSavedRow) -> str:
    what = f"At week {row.week:g}, recommendations in {view.domain(report)} are"
    rival, saved = "the best method without old knowledge", f"{factor(row)} (95 % interval: {factor_range(row)})"
    if row.at_least:
        last = max(w for w, _ in view.steps(report) if w is not None)
        return f"{what} better than {rival} makes them by week {last:g}: time saved {saved}."
    if row.factor > 1:
        return f"{what} as good as {rival} makes them at week {short(row.reached or 0.0)}: time saved {saved}."
    if row.factor == 1:
        return f"{what} just as good as {rival} makes them: no time is saved."
    return f"{what} as good as {rival} made them at week {short(row.reached or 0.0)}: no time is saved, {saved}."


def _lead_by_guard(report: Report, step: view.Step) -> str:
    ship, sent = report.protocol["ship"], view.ships_at(report)[step].ships
    found = view.guard_of(report, "new", "best_control").get((ship, step))
    at = "" if step == (None, None) else f" at {view.step_name(step)}"
    if found is None:
        return f"{ship} could not be compared with a control{at}: people get {sent}."
    rival = f"the best control, {found.control} ({view.metric_name(found.metric, found.k)} {signed(found.difference)})"
    if found.verdict == "hurts":
        return f"In {found.domain}, {ship} is worse{at} than {rival}: people get {sent}."
    if found.verdict == "helps":
        return f"In {found.domain}, {ship} is better{at} than {rival}."
    return f"In {found.domain}, {ship} does not clearly differ{at} from {rival}."


def guard_summary(report: Report, method: str, against: str = "best_control") -> str:
    """For example ``helps at week 1, week 2; no clear difference at week 8``."""
    found = view.guard_of(report, "new", against)
    parts = []
    for verdict, words in VERDICTS.items():
        at = [s for s in view.steps(report) if (method, s) in found and found[method, s].verdict == verdict]
        if at:
            parts.append(words if at == [(None, None)] else f"{words} at {_steps(at)}")
    return "; ".join(parts) or "not compared"


def _steps(at: list[view.Step]) -> str:
    """``week 1, 2, 4``: the unit once."""
    if at[0][0] is not None:
        return "week " + ", ".join(f"{w:g}" for w, _ in at)
    return ", ".join(str(s) for _, s in at) + " shots"


def ships(report: Report) -> str:
    """What goes to people, in one sentence, and why where it is not the method named before."""
    groups: dict[tuple[str, str], list[view.Step]] = {}
    for step, row in view.ships_at(report).items():
        groups.setdefault((row.ships, _instead(row)), []).append(step)
    if len(groups) == 1:
        (label, why), _ = next(iter(groups.items()))
        return f"People get {label}{' at every step' if len(report.ships) > 1 else ''}{why}."
    return "People get " + "; ".join(f"{label} at {_steps(at)}{why}" for (label, why), at in groups.items()) + "."


def _instead(row: ShipRow) -> str:
    if row.ships == row.method:
        return ""
    return f", because {row.method} {'hurts' if row.verdict == 'hurts' else 'could not run'}"


def day_one(report: Report) -> str:
    """Quality before anything of the target was seen, or at the first step."""
    step = view.steps(report)[0]
    table = view.numbers(report, *view.headline(report))
    row = table.get((report.protocol["ship"], step))
    name = "" if step == (None, None) else f" at {view.step_name(step)}"
    if row is None:
        return f"{report.protocol['ship']} could not run{name}."
    metric = view.metric_name(row.metric, row.k)
    return f"{metric} {fraction(row.value)} (95 % interval {fraction(row.low)} to {fraction(row.high)}){name}."
