"""What a text encoder that was tuned to the shop adds: the same methods with it and with the bundled one.

    CROSSAISLE_BENCH=/data/bench python benchmarks/tune_text.py --out runs/tune-text [--sets amazon] [--seeds 0 1 2]

Two questions of `methods.py`. The encoder is tuned once, with seed 0, on the source domains before the cut; of
amazon-text-time titles alone are read by both encoders, as descriptions take five times as long. Resumable: a folder
`text` that is there is taken as it is. About twenty minutes of one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from methods import QUESTIONS, SEEDS, Question, above, world_of

from crossaisle.api import TextTuning, World, tune_text
from crossaisle.cli.progress import drawing
from crossaisle.evaluate.cells import key_of, load_cell, study_parts, world_mark
from crossaisle.evaluate.spec import MethodSpec, Study, entries_of
from crossaisle.evaluate.steps import steps_of
from crossaisle.evaluate.study import evaluate
from crossaisle.evaluate.tables import tables_of
from crossaisle.transfer.problem import default_sources

METHODS = ("zero_shot", "shared_bottom")
"""Both with a base of `shared_bottom`: as it is, and trained on with the target."""
ASKED = {
    "demo NUTRITION": (("product_type", "category"), (0.0,)),
    "amazon-text-time office": (("title",), ()),
}
"""Question → columns that are read, and the weeks that are asked where it has weeks."""


def specs_of(fields: tuple[str, ...], text: Path) -> list[MethodSpec]:
    """Each method with the bundled encoder and with the one in `text`."""
    models = {"minilm": "minilm", "tuned": str(text)}
    return [
        MethodSpec(
            name,
            f"{name} {label}",
            fusion="shared_bottom",
            fusion_options={"content": {"text": model, "text_fields": fields}},
        )
        for name in METHODS
        for label, model in models.items()
    ]


def compared(world: World, study: Study, specs: list[MethodSpec], out: Path) -> Iterator[str]:
    """A line for each step and method: mean over seeds with each encoder, and the difference paired over users."""
    mark, entries = world_mark(world), {e.label: e for e in entries_of(specs)}
    for step in steps_of(study):
        for name in METHODS:
            labels = (f"{name} tuned", f"{name} minilm")
            keys = [(n, key_of(mark, study_parts(study), entries[n], step, s)) for n in labels for s in study.seeds]
            cells = [c for n, key in keys if (c := load_cell(out / "cells", key, n)) is not None and c.values]
            if cells:
                table = tables_of(cells)[study.headline]
                found, said = above(table, *labels)
                tuned, plain = (table.mean_of(n) for n in labels)
                yield (
                    f"{step.name} {name}: {np.nanmean(plain):.4f}, tuned {np.nanmean(tuned):.4f}, "
                    f"difference {found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f}) {said}"
                )


def run(question: Question, seeds: tuple[int, ...], minutes: float, out: Path) -> None:
    fields, weeks = ASKED[question.name]
    study = replace(question.study, seeds=seeds, ship=f"{METHODS[0]} minilm", weeks=weeks or question.study.weeks)
    world, text = world_of(question), out / "text"
    with drawing():
        if not text.exists():
            tuning = TextTuning(fields=fields if question.path == "demo" else TextTuning.fields, minutes=minutes)
            sources = default_sources(world, study.target, study.sources)
            print(tune_text(world, text, sources, cut=study.cut, tuning=tuning), flush=True)
        specs = specs_of(fields, text)
        evaluate(world, study, specs, out)
    for line in compared(world, study, specs, out):
        print(f"{question.name}, {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/tune-text"), help="folder of encoders, cells and bases")
    parser.add_argument("--sets", nargs="+", help="questions whose name begins so; both when absent")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--minutes", type=float, default=TextTuning.minutes, help="of tuning")
    asked = parser.parse_args()
    for question in QUESTIONS:
        if question.name in ASKED and any(question.name.startswith(s) for s in asked.sets or [""]):
            run(question, tuple(asked.seeds), asked.minutes, question.folder(asked.out))


if __name__ == "__main__":
    main()
