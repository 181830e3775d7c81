"""A run folder of the tiny World, as the commands leave it, and what can be wrong with one."""

from __future__ import annotations

from pathlib import Path

from crossaisle.advisor.advice import Advised
from crossaisle.api import MethodSpec, Study, World, advise, evaluate, gap, transfer
from crossaisle.report import write, write_advice, write_gap

CUT = "2024-03-25"
METHODS = (MethodSpec("popularity"), MethodSpec("ease"), MethodSpec("ease", "ease_all", {"scope": "all"}))
CONFIG = f'[data]\npath = "/data/tiny"\n\n[study]\ntarget = "cake"\ncut = "{CUT}"\n'


def run_of(world: World, target: str, folder: Path, weeks: tuple[float, ...] = (0, 2, 8)) -> Path:
    """A study with its recommender, in `folder`."""
    write(evaluate(world, Study(target, cut=CUT, weeks=weeks, ship="ease_all"), METHODS), folder)
    transfer(world, target, method="ease", scope="all").save(folder / "recommender")
    (folder / "config.toml").write_text(CONFIG)
    return folder


def with_gap(world: World, target: str, folder: Path) -> None:
    """The gap beside the study."""
    write_gap(gap(world, target, cut=CUT, weeks=6, text="", permutations=20, resamples=20), folder)


def with_advice(world: World, target: str, folder: Path) -> Advised:
    """The advice beside the study."""
    found = advise(world, target, cut=CUT, weeks=6)
    write_advice(found, None, folder)
    return found
