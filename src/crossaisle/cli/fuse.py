"""`crossaisle fuse`: one base from the domains there are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

from cyclopts import App

from .. import __version__, api
from ..evaluate.cells import digest_of
from ..train.checkpoint import keeping
from .flags import READ, Maybe, MethodOptions, Names, ReadFlags, open_data, options_of
from .output import OUTPUT, Output, emit
from .progress import drawing

app = App(
    name="fuse",
    help_epilogue="Example: crossaisle fuse shop/ --out base --sources dairy snacks --cut 2024-09-30 -o steps=1000",
)


@app.default
def fuse(
    path: str,
    /,
    *,
    out: Path,
    sources: Names = (),
    method: str = "shared_bottom",
    option: MethodOptions = (),
    cut: Annotated[str | None, Maybe] = None,
    seed: int = 0,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Learn one base from the domains there are; it serves any number of targets. Ctrl-C loses little: what was
    learned so far stands beside ``out`` until the same command has ended.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
        out: folder that takes the base.
        sources: domains to learn from; all of them when empty.
        method: a fusion method; ``crossaisle methods`` lists them.
        option: an option of the method, key=value; as often as needed.
        cut: nothing from this time on is seen, for example 2024-09-30.
        seed: of everything random.
    """
    options = options_of(option)
    with drawing():
        world = open_data(path, read)
        asked = [world.fingerprint, sources, method, options, cut, seed, __version__]
        unfinished = out.with_name(f".{out.name}-{digest_of(asked)}")
        with keeping(unfinished):
            base = api.fuse(world, sources, method=method, cut=cut, seed=seed, **options)
        base.save(out)
        shutil.rmtree(unfinished, ignore_errors=True)
    if output.json:
        emit({"base": str(out), "method": method, "data": world.name, "sources": list(sources) or "all"})
    else:
        print(f"base: {out}\nnext: crossaisle transfer {path} --target DOMAIN --base {out} --method finetune --out DIR")
