"""Reports for people: `write` and `load`; `terminal.show` prints one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from ..advisor.advice import Advised
from ..advisor.calibration import Calibration
from ..errors import ArtifactError
from ..evaluate.result import Report
from ..explain.explanation import Explanation, TransferExplanation, section
from ..files import write_whole
from ..gap.report import GapReport

__all__ = ["load", "write", "write_advice", "write_explanations", "write_gap"]
JSON, HTML = "report.json", "report.html"
GAP_JSON, GAP_HTML = "gap.json", "gap.html"
ADVICE_JSON, ADVICE_HTML = "advice.json", "advice.html"
EXPLAIN_JSON, EXPLAIN_HTML = "explain.json", "explain.html"
BESIDE = {GAP_HTML: "Gap of the domains", ADVICE_HTML: "Advice", EXPLAIN_HTML: "Explanation"}
"""Pages that ``report.html`` leads to, where they are in its folder."""


def write(report: Report, folder: str | Path) -> Path:
    """Write ``report.json`` and ``report.html`` into `folder`, each whole or not at all.

    Returns:
        Path of the page.

    Raises:
        ConfigError: the plotting libraries are not installed; ``report.json`` is written all the same.
        StorageError: the disk refused.
    """
    from .html import page  # needs the extra `report`

    folder = Path(folder)
    write_whole(folder / JSON, report.to_json().encode())
    beside = {name: title for name, title in BESIDE.items() if (folder / name).exists()}
    write_whole(folder / HTML, page(report, beside).encode())
    return folder / HTML


def write_gap(report: GapReport, folder: str | Path) -> Path:
    """Write ``gap.json`` and ``gap.html`` into `folder`, each whole or not at all; as `write`."""
    from .gap import page  # needs the extra `report`

    return _beside(Path(folder), (GAP_JSON, GAP_HTML), report.to_json(), lambda: page(report))


def write_advice(found: Advised, judged: Calibration | None, folder: str | Path) -> Path:
    """Write ``advice.json`` and ``advice.html`` into `folder`, each whole or not at all; as `write`."""
    from .advice import page  # needs the extra `report`

    return _beside(Path(folder), (ADVICE_JSON, ADVICE_HTML), found.to_json(), lambda: page(found, judged))


def write_explanations(
    transfer: TransferExplanation | None, explanations: Sequence[Explanation], folder: str | Path
) -> Path:
    """Write ``explain.json`` and ``explain.html`` into `folder`, each whole or not at all; as `write`."""
    from .explained import page  # needs the extra `report`

    text = json.dumps(section(explanations, transfer), indent=1, ensure_ascii=False) + "\n"
    return _beside(Path(folder), (EXPLAIN_JSON, EXPLAIN_HTML), text, lambda: page(transfer, explanations))


def _beside(folder: Path, names: tuple[str, str], text: str, page: Callable[[], str]) -> Path:
    """Path of the page, to which the report of the same folder leads from now on; `text` is written in any case."""
    numbers, shown = names
    write_whole(folder / numbers, text.encode())
    write_whole(folder / shown, page().encode())
    if (folder / JSON).exists():
        write(load(folder), folder)
    return folder / shown


def load(path: str | Path) -> Report:
    """An older Report, from its folder or its ``report.json``.

    Raises:
        ArtifactError: it is missing, foreign or of a newer schema.
    """
    path = Path(path)
    inside = path / JSON
    if path.is_dir() and not inside.exists():
        raise ArtifactError(f"{path} holds no {JSON}; give the folder of a finished study.")
    return Report.read(inside if path.is_dir() else path)
