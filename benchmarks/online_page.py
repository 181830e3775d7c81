"""docs/results/online.md from what benchmarks/online.py found."""

from __future__ import annotations

from typing import Any

Found = dict[str, Any]
NETWORKS = ("own parts", "shared parts too")
HEAD = """# Learning live, frozen, and nightly retraining

    python benchmarks/online.py --out runs/online --write docs/results

The demo (one supermarket, 2017). A department opens with week 45: its older rows are hidden. One week later an
artifact is fitted and served, and the following eight weeks are played as live traffic, day by day
([how](../online.md)). *Frozen* stays as it is; *live* learns every evening and is served only if the newest day says
so; *nightly* is fitted from the start every night on everything and served whatever it is. All three know what people
did until that morning. nDCG@10 of the items of the department that a person met on the day and never before, by full
ranking; seed 0. Intervals are 95 % bootstrap intervals over people (a day's over the people of that day; overall,
each person's days are averaged first). Seconds are of the processor, one thread, shared machine.

![nDCG@10 by week in the deli](../images/online.svg)
"""


SHORT = """What falls short:

- A retraining every night that nobody judges is a little better than live learning where the department is young: live
  lags a day behind (what is served has been judged on a day that it has not learned) and now and then keeps back a
  candidate that was good.
- Most evenings are *no difference*: 25 to 60 people are too few to tell two daily candidates apart. What the judge does
  catch is ruin, as the poisoned batch shows.
- Where everything moves, replay by half does not keep a well-trained base. An earlier form of this page said that it
  did: its base had 400 steps, and replay went on training what was not learned yet.
- The stationary streams are independent draws; the real ones have weeks and holidays in them. In the two replays of
  eight weeks the alarms counted below are all there were, but there `unknown_items` and `unknown_people` were still
  counted by the vocabulary, which a replay knows beforehand, so that these two could not alarm; in the 20 days of the
  table at the end they are counted as they are now.
- Quality takes three days to alarm even where everything is bought at random: a department with some 45 people a day
  says little in one.
"""


def summary(found: Found) -> str:
    lines = []
    for target in ("DELI", "NUTRITION"):
        part = found[target]
        gained, beside = (span(part["difference"][n], True) for n in ("live − frozen", "live − nightly"))
        lines.append(f"- {target}: live learning adds {gained} to a frozen artifact; beside nightly it is {beside}.")
    own, shared = (found[name] for name in NETWORKS)
    lines.append(
        f"- A network whose own parts alone move has {span(own['mean']['live'])} on DELI, one whose shared parts move "
        f"too {span(shared['mean']['live'])}. Of the five old departments the first forgets at most "
        f"{abs(max(f['lost'] for f in own['forgetting'])):.1%} of their nDCG@10, the second up to "
        f"{max(f['lost'] for f in shared['forgetting']):.0%}."
    )
    lines.append("- A planted change of items or prices is alarmed on its first day, one of taste on its third.")
    lines.append(
        "- A poisoned batch is set aside and changes no score; learned on purpose, it is not promoted where it hurts."
    )
    return "\n".join(lines)


def page(found: Found) -> str:
    parts = [HEAD, summary(found), SHORT]
    for target in ("DELI", "NUTRITION"):
        parts += [f"## {target}, `user_kernel`", *curve(found[target]), *weeks(found[target])]
    parts += ["## DELI, a network that goes on from its weights", *network(found)]
    parts += ["## A poisoned batch", *poison(found["poison"]), "## Drift", *drift(found)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def span(row: Found, sign: bool = False) -> str:
    form = "+.4f" if sign else ".4f"
    return f"{row['mean']:{form}} ({row['low']:{form}} to {row['high']:{form}})"


def curve(part: Found) -> list[str]:
    seconds = part["seconds_a_day"]
    rows = [["recommender", "nDCG@10", "beside frozen", "seconds a day"]]
    rows.append(["frozen", span(part["mean"]["frozen"]), "", ""])
    for name in ("live", "nightly"):
        gained = span(part["difference"][f"{name} − frozen"], True)
        rows.append([name, span(part["mean"][name]), gained, f"{seconds[name]:.1f}"])
    verdicts = [d["verdict"] for d in part["days"]]
    counted = ", ".join(f"{verdicts.count(v)} × {v}" for v in sorted(set(verdicts)))
    alarms = sum(len(d["alarms"]) for d in part["days"])
    said = (
        f"{part['people']} people on {part['visits']:,} days of theirs. Live beside nightly: "
        f"{span(part['difference']['live − nightly'], True)}. Evenings: {counted}. Alarms of drift: {alarms}."
    )
    return [table(rows), said]


def weeks(part: Found) -> list[str]:
    rows = [["day", "asked", "frozen", "live", "nightly", "evening"]]
    for day in part["days"]:
        cells = [span(day[n]) if day["people"] else "" for n in ("frozen", "live", "nightly")]
        rows.append([str(day["day"]), str(day["people"]), *cells, day["verdict"]])
    return ["<details><summary>Each day</summary>", table(rows), "</details>"]


def network(found: Found) -> list[str]:
    said = (
        "The base was fused on five departments with the default options. Live: 60 steps each evening from the served "
        "weights, either of the target's own head and items alone (`finetune` with `unfreeze` head and items), or of "
        "everything, half of the steps replaying the sources (`shared_bottom`, `--shared`). Nightly: a fit from the "
        "base's weights, here once a week, so that its seconds a day are those of a seventh of the nights."
    )
    parts = [said]
    for name in NETWORKS:
        part = found[name]
        rows = [["old department", "people", "base's weights", "serving weights", "change", "lost"]]
        for f in part["forgetting"]:
            cells = [f"{f['before']:.4f}", f"{f['after']:.4f}", span(f["change"], True), f"{f['lost'] + 0.0:+.1%}"]
            rows.append([f["domain"], str(f["users"]), *cells])
        lost = "What the old departments' heads lost, on what people met anew in the six weeks after that:"
        parts += [f"### {name.capitalize()} move", *curve(part), lost, table(rows)]
    return parts


def poison(part: Found) -> list[str]:
    rows = [["method", "the batch is", "largest change of a score", "nDCG@10 beside the clean candidate", "verdict"]]
    for name, found in part.items():
        if name == "cpu_seconds" or name.endswith("clean"):
            continue
        method, how = split(name)
        judged = found["beside_clean"]
        change = f"{judged['difference']:+.4f} ({judged['low']:+.4f} to {judged['high']:+.4f})"
        rows.append([method, how, f"{found['largest_change_of_a_score']:.3g}", change, judged["verdict"]])
    said = "One household with 10,000 deli events on day 20, on 50 products drawn at random; the candidates of day 21."
    return [said, table(rows)]


def split(name: str) -> tuple[str, str]:
    for how in ("set aside", "learned"):
        if name.endswith(how):
            method, _, unit = name.removesuffix(how).strip().partition(" ")
            return f"`{method}`" + f", counting {unit}" * bool(unit), how
    return name, ""


def drift(found: Found) -> list[str]:
    false, planted = found["false alarms"], found["drift"]
    raised = ", ".join(f"{name} {n}" for name, n in false["alarmed"].items())
    said = (
        f"False alarms: of {false['streams']} simulated stationary streams of {false['days']} days with "
        f"{false['visits_a_day']} visits a day, so many raised any alarm: {raised}."
    )
    rows = [["planted in the deli's replay from day 15 on", "first alarm of each signal"]]
    for name, alarms in planted.items():
        if name != "cpu_seconds":
            first: dict[str, str] = {}
            for a in alarms:
                first.setdefault(a["signal"], f"{a['signal']} on day {a['day']} ({a['before']:.3g} → {a['after']:.3g})")
            rows.append([name, "; ".join(first.values()) or "none in 20 days"])
    return [said, table(rows)]


def table(rows: list[list[str]]) -> str:
    head, *body = [f"| {' | '.join(r)} |" for r in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
