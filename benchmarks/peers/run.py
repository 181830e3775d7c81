"""Other libraries and crossaisle's own experts on the same public splits; each fit in a process of its own.

    make bench-peers [ARGS="--sets xmrec-t1 --methods 'implicit als' als"]

Rows of all domains are visible to everybody. Each method is judged with its library's default and with the best of
three settings (`settings.py`), chosen on purchases held out of the visible rows (on cdrib on its part for selection):
the same lists for all, drawn as `crossaisle bench --budget` draws them. Finished fits stay in --work. With some sets or
methods only, the rows of all others stay in --out as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))
from questions import Asked as Lists
from questions import question_of
from settings import ASKED, OURS, PEERS, RECBOLE, Asked
from watched import python, watched, write_page

from crossaisle.bench.candidates import targets_of
from crossaisle.bench.result import ends, value
from crossaisle.metrics import place_of

SETS = ("xmrec-t1", "cdrib-game-video", "disencdr-sport-phone")
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Row:
    """One method on one target, with one setting.

    Attributes:
        which: ``default`` or ``best of 3``.
        setting: what was changed.
        ndcg: nDCG@10, with the ends of its 95 % interval over people.
        hit: HR@10.
        fit: processor seconds.
        score: processor seconds for all lists.
        peak_mb: most memory of the process; ``before_mb``: what it held with its data before the fit.
        failed: why there are no numbers.
    """

    set: str
    target: str
    method: str
    which: str
    setting: dict[str, Any]
    ndcg: float = 0.0
    low: float = 0.0
    high: float = 0.0
    hit: float = 0.0
    fit: float = 0.0
    score: float = 0.0
    peak_mb: float = 0.0
    before_mb: float = 0.0
    failed: str = ""


@dataclass(frozen=True)
class Run:
    """Where everything is, and how long a fit may take."""

    folder: Path
    target: str
    work: Path
    seconds: float
    megabytes: float

    def lists(self, part: str) -> Lists:
        """The lists of a part; saved once for the other environments."""
        asked, path = question_of(self.folder, self.target, part), self.data(part)
        if not path.exists():
            asked.save(path)
        return asked

    def data(self, part: str) -> Path:
        return self.work / f"{self.folder.name}-{self.target}-{part}.npz"

    def fitted(self, asked: Asked, setting: dict[str, Any], part: str) -> dict[str, Any]:
        """What one fit cost, and the file of its scores; from `work` where it is there already."""
        text = json.dumps(setting, sort_keys=True)
        own = {PEERS: ("peer.py", "libraries.py"), RECBOLE: ("peer.py", "lightgcn.py"), OURS: ("ours.py",)}
        code = "".join((HERE / f).read_text() for f in own[asked.home])
        mark = hashlib.blake2b(f"{asked.name}{text}{part}{code}".encode(), digest_size=8).hexdigest()
        stem = self.work / "fits" / f"{self.folder.name}-{self.target}-{asked.name.replace(' ', '_')}-{part}-{mark}"
        about, scores = stem.with_suffix(".json"), stem.with_suffix(".npy")
        if not about.exists():
            stem.parent.mkdir(parents=True, exist_ok=True)
            if asked.home:
                words = [
                    str(ROOT / asked.home / "bin" / "python"),
                    str(HERE / "peer.py"),
                    asked.name,
                    str(self.data(part)),
                ]
            else:
                words = [python(), str(HERE / "ours.py"), asked.name, str(self.folder), self.target, part]
            found = watched([*words, text, str(scores)], self.seconds, self.megabytes, stem.with_suffix(".log"))
            about.write_text(json.dumps({**found, "scores": str(scores)}))
        return dict(json.loads(about.read_text()))


def quality(scores: np.ndarray) -> dict[str, np.ndarray]:
    """(n,) nDCG@10 and HR@10 of lists whose first item is the wanted one; a tie counts half a place."""
    places = place_of(scores[:, 0], scores[:, 1:])
    return {metric: value(places, metric) for metric in ("ndcg", "hit")}


def rows_of(run: Run, asked: Asked, test: Lists) -> list[Row]:
    """The default of one method, and the best of its settings."""
    about = (run.folder.name, run.target, asked.name)
    valid: list[float] = []
    for setting in asked.settings if len(asked.settings) > 1 else ():
        found = run.fitted(asked, setting, "valid")
        if "failed" in found and not valid:
            return [Row(*about, "default", {}, peak_mb=found["peak_mb"], failed=found["failed"])]  # so would the others
        valid.append(-1.0 if "failed" in found else float(quality(np.load(found["scores"]))["ndcg"].mean()))
    best = asked.settings[int(np.argmax(valid))] if valid else {}
    rows = []
    for which, setting in [("default", {})] + ([(f"best of {len(valid)}", best)] if len(valid) > 1 else []):
        found = run.fitted(asked, setting, "test")
        if "failed" in found:
            rows.append(Row(*about, which, setting, peak_mb=found["peak_mb"], failed=found["failed"]))
            continue
        values = quality(np.load(found["scores"]))
        low, high = ends(values["ndcg"], test.users)
        numbers = [round(float(v), 4) for v in (values["ndcg"].mean(), low, high, values["hit"].mean())]
        costs = (found["seconds"]["fit"], found["seconds"]["score"], found["most_mb"], found["before_mb"])
        rows.append(Row(*about, which, setting, *numbers, *costs))
    return rows


def to_markdown(rows: list[Row], command: str) -> str:
    """A table for each target, the best first."""
    parts = [TEXT.format(command=command)]
    for name in dict.fromkeys((r.set, r.target) for r in rows):
        lines = sorted((r for r in rows if (r.set, r.target) == name), key=lambda r: -r.ndcg)
        parts.append(f"## {name[0]}: {name[1]}\n\n{HEAD}\n" + "\n".join(_line(r) for r in lines) + "\n")
    return "\n".join(parts)


def _line(row: Row) -> str:
    words = ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.setting.items())
    setting = row.which + (f": {words}" if words else ": the default" if row.which != "default" else "")
    ours = " (crossaisle)" if any(a.name == row.method and not a.home for a in ASKED) else ""
    if row.failed:
        return f"| {row.method}{ours} | {setting} | {row.failed} | – | – | – | {row.peak_mb:,.0f} |"
    numbers = f"{row.ndcg:.4f} ({row.low:.4f} to {row.high:.4f}) | {row.hit:.4f} | {row.fit:.1f} | {row.score:.1f}"
    return f"| {row.method}{ours} | {setting} | {numbers} | {row.peak_mb:,.0f} ({row.before_mb:,.0f}) |"


HEAD = "| method | setting | nDCG@10 | HR@10 | fit s | score s | peak MB (before) |\n|---|---|---|---|---|---|---|"
TEXT = """# Other libraries on the same splits

    {command}

Every method gets the rows of all domains, the same lists, one thread and one process of its own. `default` is what its
library or crossaisle fits when nothing is said; `best of 3` is the best of three settings on held-out purchases
(benchmarks/peers/settings.py), the same lists for all. One seed. Brackets: 95 % by bootstrap over people. Seconds are
of the processor and rough: the machine had other work. *Before* is what the process holds with its data before the
fit: peers read a bare matrix, crossaisle its World.
"""


def missing(homes: set[str]) -> dict[str, str]:
    """Environments that are not there, in a sentence each."""
    absent = [h for h in sorted(homes) if h and not (ROOT / h / "bin" / "python").exists()]
    return {h: f"passed over: {h} is not there; `make bench-peers` makes it." for h in absent}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--targets", nargs="+", help="only these domains")
    parser.add_argument("--methods", nargs="+", default=[a.name for a in ASKED], choices=[a.name for a in ASKED])
    parser.add_argument("--seconds", type=float, default=600.0, help="processor seconds that one process may take")
    parser.add_argument("--megabytes", type=float, default=8000.0, help="limit of one process")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "peers")
    parser.add_argument("--out", type=Path, help="folder for peers.json and peers.md")
    asked = parser.parse_args()
    if "CROSSAISLE_BENCH" not in os.environ:
        parser.exit(2, "where the sets are is not known; set CROSSAISLE_BENCH to their folder.\n")
    chosen = [a for a in ASKED if a.name in asked.methods]
    absent = missing({a.home for a in chosen})
    print("\n".join(absent.values()), flush=True)
    rows: list[Row] = []
    for name in asked.sets:
        folder = Path(os.environ["CROSSAISLE_BENCH"]) / name
        for target in [t for t in targets_of(folder) if asked.targets is None or t in asked.targets]:
            run = Run(folder, target, asked.work, asked.seconds, asked.megabytes)
            _, test = run.lists("valid"), run.lists("test")
            for method in (a for a in chosen if a.home not in absent):
                rows += rows_of(run, method, test)
                print(*(_line(r) for r in rows[-2:] if r.method == method.name), sep="\n", flush=True)
                if asked.out:
                    write(together(rows, asked.out), absent, asked.out)


def together(rows: list[Row], out: Path) -> list[Row]:
    """`rows`, and those of ``peers.json`` whose set, target and method were not asked now."""
    path, fresh = out / "peers.json", {(r.set, r.target, r.method) for r in rows}
    kept = [Row(**r) for r in json.loads(path.read_text(encoding="utf-8"))["rows"]] if path.exists() else []
    return [r for r in kept if (r.set, r.target, r.method) not in fresh] + rows


def write(rows: list[Row], absent: dict[str, str], out: Path) -> None:
    """``peers.json`` and ``peers.md``, whatever is finished."""
    command = "CROSSAISLE_BENCH=/data/bench make bench-peers"
    about = {"python": platform.python_version(), "platform": platform.platform(), "processors": os.cpu_count()}
    body = {"command": command, "environment": about, "passed_over": absent, "rows": [asdict(r) for r in rows]}
    (out / "peers.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    write_page(out / "peers.md", to_markdown(rows, command))


if __name__ == "__main__":
    main()
