"""`crossaisle evaluate`: judge methods on a target domain of one's own data, from flags."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import App, Group, Parameter

from ..errors import ConfigError, unknown
from ..evaluate.spec import DEFAULT_METHODS, MethodSpec, Study
from .flags import LIST, READ, Names, ReadFlags, toml_value
from .output import OUTPUT, Output
from .runfile import make_run
from .study import execute

app = App(
    name="evaluate",
    help_epilogue="Example: crossaisle evaluate shop/ --target bakery --cut 2024-09-30 --weeks 0 2 8 "
    "--methods popularity ease blend --out runs/bakery",
)
STUDY = Group("Study", sort_key=10)
StudyFlags = Annotated[Study, LIST, Parameter(name="*", group=STUDY)]


@app.default
def evaluate(
    path: str,
    /,
    *,
    study: StudyFlags,
    methods: Names = (),
    out: Path = Path("runs/evaluate"),
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Judge methods on a target domain of your data. An interrupted run goes on where it stopped.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
        methods: labels of the default methods, or names of methods with their default options; all when empty.
        out: folder of the run.
    """
    split = {k: toml_value(str(v)) for k, v in study.split_options.items()}
    execute(make_run(path, read, replace(study, split_options=split), chosen(methods), out), output)


def chosen(names: tuple[str, ...]) -> tuple[MethodSpec, ...]:
    """The default methods of these labels, in this order; other names are methods with their default options.

    Raises:
        ConfigError: neither a label nor a method.
    """
    from ..transfer.method import METHODS

    if not names:
        return DEFAULT_METHODS
    usual = {m.label: m for m in DEFAULT_METHODS}
    allowed = [*usual, *(n for n in METHODS.names() if n not in usual)]
    for name in names:
        if name not in allowed:
            raise ConfigError(unknown("method", name, allowed, hint="`crossaisle methods` lists all."))
    return tuple(usual.get(name) or MethodSpec(name) for name in names)
