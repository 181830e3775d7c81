"""The folder of a run, as pages see it: what is in it, what is wrong with it, and which command adds what is not."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..advisor.advice import Advised
from ..artifact import MANIFEST
from ..config import read_toml
from ..errors import ArtifactError, ConfigError
from ..evaluate.result import Report
from ..gap.report import GapReport
from ..report import ADVICE_JSON, BESIDE, GAP_JSON, HTML, JSON

T = TypeVar("T")
PAGES: Mapping[str, str] = {HTML: "Report", **BESIDE}
"""Files of a run that are shown as they are, and their titles; no other file of the folder is."""
BESIDE_ARTIFACT = ".reports"
"""A recommender's own folder takes nothing else, so what is said of it lies in a folder of this ending beside it."""


@dataclass(frozen=True)
class Part(Generic[T]):
    """One document of the folder.

    Attributes:
        found: the document; None where there is none that can be read.
        problem: what is wrong with it, in a sentence; empty where it is not there at all.
    """

    found: T | None = None
    problem: str = ""


@dataclass(frozen=True)
class RunFolder:
    """Reads what is there now; a document is read again when its file has changed.

    Attributes:
        path: where reports are looked for.
    """

    path: Path

    @classmethod
    def of(cls, served: Path) -> RunFolder:
        """Of what ``crossaisle serve`` was given: a run, or the folder of a recommender."""
        alone = (served / MANIFEST).is_file()
        return cls(served.with_name(served.name + BESIDE_ARTIFACT) if alone else served)

    def report(self) -> Part[Report]:
        """The study."""
        return _read(self.path / JSON, Report.read)

    def gap(self) -> Part[GapReport]:
        """Distances between domains."""
        return _read(self.path / GAP_JSON, GapReport.read)

    def advice(self) -> Part[Advised]:
        """What to try."""
        return _read(self.path / ADVICE_JSON, Advised.read)

    def pages(self) -> dict[str, str]:
        """File → title of the pages that are there."""
        return {name: title for name, title in PAGES.items() if (self.path / name).is_file()}

    def command(self, name: str, target: str) -> str:
        """What to type so that ``crossaisle <name>`` writes into this folder, about the same data and the same time.

        Args:
            name: ``gap``, ``advise`` or ``evaluate``.
            target: domain.

        Returns:
            The command, with ``DATA`` and ``DATE`` where nobody knows what they were.
        """
        data, cut = self._asked()
        location = str(data.pop("path", "DATA"))
        words = ["crossaisle", name, location, "--target", target]
        words += ["--cut", cut or "DATE"] if cut or name == "evaluate" else []
        words += [word for key, value in data.items() for word in _flag(key, value)]
        return shlex.join([*words, "--out", str(self.path)])

    def checking(self) -> str:
        """What to type to see every problem of the data; nothing is set aside then."""
        data, _ = self._asked()
        location = str(data.pop("path", "DATA"))
        words = [w for k, v in data.items() if k not in ("lenient", "quarantine") for w in _flag(k, v)]
        return shlex.join(["crossaisle", "validate", location, *words])

    def _asked(self) -> tuple[dict[str, Any], str]:
        """What the run's configuration says of the data, and its cut; nothing where there is no configuration."""
        try:
            tables = read_toml(self.path / "config.toml")
        except ConfigError:
            return {}, ""
        data, study = (t if isinstance(t := tables.get(n), dict) else {} for n in ("data", "study"))
        return dict(data), str(study.get("cut") or "")


def _flag(key: str, value: Any) -> list[str]:
    """A key of ``[data]`` as a flag; see `ReadOptions`."""
    name = "--" + key.replace("_", "-")
    if isinstance(value, Mapping):
        return [word for old, new in value.items() for word in (f"{name}.{old}", str(new))]
    if isinstance(value, bool):
        return [name if value else name.replace("--", "--no-", 1)]
    return [name, str(value)]


def _read(path: Path, read: Callable[[Path], T]) -> Part[T]:
    try:
        stat = path.stat()
    except OSError:
        return Part()
    try:
        return Part(_kept(path, read, stat.st_mtime_ns, stat.st_size))
    except ArtifactError as error:
        return Part(problem=str(error))


@lru_cache(maxsize=16)
def _kept(path: Path, read: Callable[[Path], Any], changed: int, size: int) -> Any:
    """What `read` makes of `path` as it is since `changed`; documents are frozen, so pages may share them."""
    return read(path)
