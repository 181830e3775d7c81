"""Learning live against a frozen artifact and against nightly retraining: the demo's last eight weeks as live traffic.

    python benchmarks/online.py --out runs/online --write docs/results

A department opens with week 45 of 2017; its older rows are hidden. One week later an artifact is fitted and served, and
the other eight weeks are played day by day: asked first, learned in the evening. Parts that are in --out are not run
again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from online_page import page

from crossaisle.api import Base, World, fuse
from crossaisle.data.demo import CUT
from crossaisle.evaluate.stats import interval
from crossaisle.metrics import Doubles
from crossaisle.report.plots import INK, OTHERS, SHIP, lines
from crossaisle.report.view import Series
from crossaisle.rng import generator
from crossaisle.stream.drift import SIGNALS, Watch
from crossaisle.stream.forgetting import forgotten
from crossaisle.stream.growth import joined, without_target
from crossaisle.stream.lesson import Teaching, lesson, taught
from crossaisle.stream.prequential import answered, exam_of, judge
from crossaisle.stream.replay import Day, Tape, first_of, replayed

START = CUT + timedelta(weeks=1)
DAYS = 56
SOURCES = ("GROCERY", "PRODUCE", "MEAT", "DRUG GM", "NUTRITION")
NETWORK_DAYS = 14
OWN = {"unfreeze": ("head", "items")}
NETWORKS = {
    "own parts": Teaching(method="finetune", sources=SOURCES, warm_steps=60, options=OWN),
    "shared parts too": Teaching(
        method="shared_bottom", sources=SOURCES, warm_steps=60, shared=True, options={"steps": 300}
    ),
}
POISONED_DAY, POISON = 20, 10_000
DRIFT_DAY, DRIFT_DAYS = 15, 20
STREAMS = 100
Found = dict[str, Any]


def tape_of(world: World, target: str, days: int = DAYS) -> Tape:
    return Tape(without_target(world, target, CUT), target, START, days)


def curve(tape: Tape, how: Teaching, nightly: Teaching, base: Base | None = None, every: int = 1) -> Found:
    """Frozen, live and retrained every `every` nights without any judge; cost in processor seconds."""
    retrained, days, spent = first_of(tape, how, base), [], {"live": 0.0, "nightly": 0.0}
    each: dict[str, list[Doubles]] = {"frozen": [], "live": [], "nightly": []}
    people: list[str] = []
    gone, fits, last = time.process_time(), 0, None
    watch = Watch()
    for day in replayed(tape, how, base, watch=watch):
        spent["live"] += time.process_time() - gone
        began = time.process_time()
        exam = exam_of(joined(tape.known, tape.rows(0, day.number - 1)), tape.rows(day.number - 1, day.number),
                       tape.target, day.start)  # fmt: skip
        each["nightly"].append(answered(retrained, exam))
        people += exam.user_ids
        for name, values in zip(("frozen", "live"), day.each, strict=True):
            each[name].append(values)
        if day.number % every == 0:
            retrained = taught(joined(tape.known, tape.rows(0, day.number)), tape.target, nightly, base)
            fits += 1
        spent["nightly"] += time.process_time() - began
        last = day.lesson.candidate if day.lesson is not None and day.lesson.candidate is not None else last
        days.append(day.to_dict() | {"nightly": mean(each["nightly"][-1])})
        print(tape.target, how.method, day.number, day.verdict, *(round(float(v[-1].mean()), 4) for v in each.values()),
              [a.sentence for a in day.alarms], flush=True)  # fmt: skip
        gone = time.process_time()
    whole = {name: per_person(np.concatenate(values), people) for name, values in each.items()}
    pairs = (("live", "frozen"), ("nightly", "frozen"), ("live", "nightly"))
    return {
        "days": days,
        "mean": {name: interval(values)._asdict() for name, values in whole.items()},
        "difference": {f"{a} − {b}": interval(whole[a] - whole[b])._asdict() for a, b in pairs},
        "visits": len(people),
        "people": len(whole["live"]),
        "seconds_a_day": {name: value / len(days) for name, value in spent.items()},
        "nightly_fits": fits,
        "last": last,
    }


def per_person(values: Doubles, people: list[str]) -> Doubles:
    """(people,) the mean of each person's days, so that intervals are over people."""
    _, place = np.unique(people, return_inverse=True)
    found: Doubles = np.bincount(place, values) / np.bincount(place)
    return found


def mean(values: Doubles) -> Found | None:
    return interval(values)._asdict() if len(values) else None


def network(world: World, folder: Path, how: Teaching) -> Found:
    """Warm steps each evening against a fit from the base's weights each week, and what the old heads forgot."""
    tape = tape_of(world, "DELI", NETWORK_DAYS)
    base = base_of(tape, folder)
    found = curve(tape, how, replace(how, warm_steps=0), base, every=7)
    last = found.pop("last")
    known, window = joined(tape.known, tape.rows(0, NETWORK_DAYS)), tape.rows(NETWORK_DAYS, DAYS)
    start = tape.start + timedelta(days=NETWORK_DAYS)
    lost = [forgotten(last, base, known, window, domain, start) for domain in SOURCES]
    return found | {"forgetting": [{"domain": f.domain, "users": f.users, "before": f.before, "after": f.after,
                                    "lost": f.share, "change": f.change._asdict()} for f in lost]}  # fmt: skip


def base_of(tape: Tape, folder: Path) -> Base:
    path = folder / "base"
    if not path.exists():
        fuse(tape.known, SOURCES, seed=0).save(path)
    return Base.load(path)


def poison(world: World) -> Found:
    """One person with 10,000 events on a day, learned as the learner does it and without setting anything aside."""
    tape = tape_of(world, "DELI")
    clean = tape.rows(0, POISONED_DAY + 1)
    catalogue = world.catalogue("DELI")
    draw = generator(0, "poison")
    picked = draw.choice(catalogue[draw.permutation(len(catalogue))[:50]], POISON)
    moment = tape.start + timedelta(days=POISONED_DAY - 1, hours=12)
    bad = clean.head(1).with_columns(
        user=pl.lit(0).cast(pl.UInt32), domain=pl.lit(world.domain_code("DELI")).cast(pl.UInt16), timestamp=moment
    )
    bad = pl.concat([bad] * POISON).with_columns(item=pl.Series(picked).cast(pl.UInt32))
    dirty = pl.concat([clean, bad]).sort("timestamp", maintain_order=True)
    end, start = tape.start + timedelta(days=POISONED_DAY + 1), tape.start + timedelta(days=POISONED_DAY)
    known = joined(tape.known, tape.rows(0, POISONED_DAY))
    exam = exam_of(known, tape.rows(POISONED_DAY, POISONED_DAY + 1), "DELI", start)
    found: Found = {}
    for method in ("user_kernel", "popularity"):
        for unit in ({},) if method == "user_kernel" else ({"unit": "users"}, {"unit": "events"}):
            how = Teaching(method=method, options=unit)
            current = first_of(tape, how)
            lessons = {
                "clean": lesson(tape.known, clean, end, current, how),
                "set aside": lesson(tape.known, dirty, end, current, how),
                "learned": lesson(tape.known, dirty, end, current, replace(how, most_a_day=10**9)),
            }
            without = lessons["clean"].candidate
            for name, made in lessons.items():
                shop = made.candidate
                people = list(exam.user_ids)
                items = shop.item_ids.decode(catalogue)
                moved = float(np.abs(shop.score(people, items) - without.score(people, items)).max())
                versus = judge(without, shop, exam)
                found[" ".join([method, *unit.values(), name])] = {
                    "floods": made.aside.floods,
                    "largest_change_of_a_score": moved,
                    "beside_clean": versus.to_dict(),
                }
    return found


def drift(world: World) -> Found:
    """Alarms on the days as they were, and with a change planted on day 15."""
    found: Found = {}
    for name, change in PLANTED.items():
        tape = tape_of(change(world), "DELI", DRIFT_DAYS)
        days: list[Day] = list(replayed(tape, Teaching(), watch=Watch()))
        found[name] = [a.to_dict() | {"day": d.number} for d in days for a in d.alarms]
        print(name, [(a["day"], a["signal"]) for a in found[name]], flush=True)
    return found


def strange_items(world: World) -> World:
    """From the day on, every fifth event is of an item that nobody knew."""
    rows, n = world.interactions, world.n_items
    late = (rows["timestamp"] >= START + timedelta(days=DRIFT_DAY - 1)).to_numpy()
    hit = late & (generator(0, "strange").random(len(rows)) < 0.2)
    from crossaisle.data.vocab import Vocab

    ids = pl.concat([world.item_ids.ids, pl.Series([f"new-{i}" for i in range(500)])])
    fresh = np.where(hit, n + np.arange(len(rows)) % 500, rows["item"].to_numpy())
    return replace(world, interactions=rows.with_columns(item=pl.Series(fresh).cast(pl.UInt32)), item_ids=Vocab(ids))


def dear_prices(world: World) -> World:
    """From the day on, everything costs half as much again."""
    late = pl.col("timestamp") >= START + timedelta(days=DRIFT_DAY - 1)
    dearer = pl.when(late).then(pl.col("price") * 1.5).otherwise(pl.col("price")).cast(pl.Float32)
    return replace(world, interactions=world.interactions.with_columns(price=dearer))


def shuffled_target(world: World) -> World:
    """From the day on, people buy items of the target at random: nothing that was learned holds."""
    rows, code = world.interactions, world.domain_code("DELI")
    late = (pl.col("timestamp") >= START + timedelta(days=DRIFT_DAY - 1)) & (pl.col("domain") == code)
    hit = rows.select(late).to_series().to_numpy()
    drawn = generator(0, "shuffled").choice(world.catalogue("DELI"), len(rows))
    items = np.where(hit, drawn, rows["item"].to_numpy())
    return replace(world, interactions=rows.with_columns(item=pl.Series(items).cast(pl.UInt32)))


PLANTED: dict[str, Callable[[World], World]] = {
    "as it was": lambda world: world,
    "every fifth item unknown": strange_items,
    "prices × 1.5": dear_prices,
    "target bought at random": shuffled_target,
}


def false_alarms() -> Found:
    """Of 100 stationary streams of 56 days with 300 visits a day, how many raise any alarm, per signal."""
    alarmed = dict.fromkeys(SIGNALS, 0)
    for stream in range(STREAMS):
        draw, watch, raised = generator(stream, "stationary"), Watch(), set()
        n = 300 * DAYS
        values = {
            "unknown_items": draw.beta(0.3, 8.0, n),
            "unknown_people": (draw.random(n) < 0.02).astype(float),
            "domain_mix": draw.gamma(6.0, 0.5, n),
            "price_level": draw.normal(0.45, 0.25, n),
            "top_score": draw.normal(9.0, 3.0, n // 6),
            "quality": draw.beta(0.15, 1.0, n // 6),
        }
        for name, numbers in values.items():
            times = [START + timedelta(days=DAYS * i / len(numbers)) for i in range(len(numbers))]
            raised |= {name for at, v in zip(times, numbers.tolist(), strict=True) if watch.add(name, at, v)}
        for name in raised:
            alarmed[name] += 1
    return {"streams": STREAMS, "days": DAYS, "visits_a_day": 300, "alarmed": alarmed}


def part(folder: Path, name: str, make: Callable[[], Found]) -> Found:
    path = folder / f"{name}.json"
    if not path.exists():
        began = time.process_time()
        made = make()
        made = {k: v for k, v in made.items() if k != "last"} | {"cpu_seconds": time.process_time() - began}
        path.write_text(json.dumps(made, indent=1, default=str))
    found: Found = json.loads(path.read_text())
    return found


def picture(found: Found) -> str:
    """Means over seven days at a time, of the first target."""
    days, series = found["days"], []
    for name, role in (("frozen", "best control"), ("live", "ship"), ("nightly", "other")):
        points = []
        for week in range(0, len(days), 7):
            asked = [d[name] | {"n": d["people"]} for d in days[week : week + 7] if d["people"]]
            weight = [d["n"] for d in asked]
            middle, low, high = (
                float(np.average([d[k] for d in asked], weights=weight)) for k in ("mean", "low", "high")
            )
            shrink = len(asked) ** 0.5  # an interval of a mean of days is narrower than a day's
            points.append((week / 7 + 1, middle, middle - (middle - low) / shrink, middle + (high - middle) / shrink))
        series.append(Series(name, role, tuple(points)))
    return lines(series, {"frozen": INK, "live": SHIP, "nightly": OTHERS[0]}, ("week", "nDCG@10"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    world = World.demo()
    found: Found = {}
    how = Teaching()
    found["DELI"] = part(given.out, "DELI", lambda: curve(tape_of(world, "DELI"), how, how))
    found["poison"] = part(given.out, "poison", lambda: poison(world))
    found["false alarms"] = part(given.out, "false-alarms", false_alarms)
    found["drift"] = part(given.out, "drift", lambda: drift(world))
    for name, learns in NETWORKS.items():
        found[name] = part(given.out, name, partial(network, world, given.out, learns))
    found["NUTRITION"] = part(given.out, "NUTRITION", lambda: curve(tape_of(world, "NUTRITION"), how, how))
    if given.write is not None:
        (given.write / "online.json").write_text(json.dumps(found, indent=1) + "\n")
        (given.write / "online.md").write_text(page(found))
        (given.write.parent / "images" / "online.svg").write_text(picture(found["DELI"]))


if __name__ == "__main__":
    main()
