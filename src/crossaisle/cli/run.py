"""`crossaisle run`: the study that a TOML file describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App

from .flags import BudgetFlag, Maybe
from .output import OUTPUT, Output
from .runfile import read_run, with_budget
from .study import execute
from .workers import Workers, workers_of

app = App(name="run", help_epilogue="Example: crossaisle run examples/online-retail.toml --out runs/germany")


@app.default
def run(
    config: Path,
    /,
    *,
    out: Annotated[Path | None, Maybe] = None,
    budget: BudgetFlag = None,
    workers: Workers = None,
    output: Output = OUTPUT,
) -> None:
    """Run the study that a TOML file describes. An interrupted run goes on where it stopped.

    Args:
        config: TOML file with [data], [study] and, if not all methods are wanted, [[methods]].
        out: folder of the run; default: what the file says, else runs/ and the name of the file.
        budget: time to search the options of each method at each step, in place of what the file says.
        workers: processes, 1 or 2; 2 where there are two processors; 1 with a budget.
    """
    execute(with_budget(read_run(config, out), budget), output, workers_of(workers))
