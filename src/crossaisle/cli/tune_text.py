"""`crossaisle tune-text`: a text encoder that knows what the shop's people buy together."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Group, Parameter

from .. import api
from ..fusion.tune_text import TextTuning
from .flags import LIST, READ, Maybe, Names, ReadFlags, open_data, typed
from .output import OUTPUT, Output, emit
from .progress import drawing

app = App(
    name="tune-text",
    help_epilogue="Example: crossaisle tune-text shop/ --out shop-text --sources dairy snacks --cut 2024-09-30",
)
TUNING = Group("Tuning", sort_key=10)
TuningFlags = Annotated[TextTuning, LIST, Parameter(name="*", group=TUNING)]
USUAL = TextTuning()


@app.default
def tune_text(
    path: str,
    /,
    *,
    out: Path,
    sources: Names = (),
    cut: Annotated[str | None, Maybe] = None,
    tuning: TuningFlags = USUAL,
    seed: int = 0,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Adapt the text encoder to what the same people buy (LoRA); methods that read text take it as content.text.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
        out: folder that takes the model; it must not be there, or be empty.
        sources: domains to learn from; all of them when empty.
        cut: nothing from this time on is seen, for example 2024-09-30.
        seed: of everything random.
    """
    with drawing():
        world = open_data(path, read)
        found = api.tune_text(world, out, sources, cut=cut, tuning=tuning, seed=seed)
    if output.json:
        emit(asdict(found) | {"learned": found.learned})
        return
    print(f"text model: {out} ({found.steps} steps, {found.texts:,} texts, {found.people:,} people)")
    print(
        f"which texts are of the same person is told right {found.after:.1%} of the time, before {found.before:.1%} "
        f"({found.judges} people held out; 50 % is chance)"
    )
    if not found.learned:
        print("It has not learned what people buy together: keep the model as it was, or give it more minutes.")
    seen = [*(("--sources", *sources) if sources else ()), *typed("cut", cut)]
    reads = [word for name in _reading(out, tuning) for word in ("-o", name)]
    print(f"next: {shlex.join(['crossaisle', 'fuse', path, '--out', 'base', *seen, *reads])}")


def _reading(out: Path, tuning: TextTuning) -> list[str]:
    """The options of a method that reads by the tuned model."""
    made = [f"content.text={out}"]
    if tuning.fields != USUAL.fields:
        made.append(f"content.text_fields=[{','.join(tuning.fields)}]")
    return made
