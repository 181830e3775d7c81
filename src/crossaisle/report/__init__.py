"""Reports for people: `write` and `load`; `terminal.show` prints one."""

from __future__ import annotations

import json
from collections.abc import Sequence
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

    folder = Path(folder)
    write_whole(folder / GAP_JSON, report.to_json().encode())
    write_whole(folder / GAP_HTML, page(report).encode())
    return _shown(folder, GAP_HTML)


def write_advice(found: Advised, judged: Calibration | None, folder: str | Path) -> Path:
    """Write ``advice.json`` and ``advice.html`` into `folder`, each whole or not at all; as `write`."""
    from .advice import page  # needs the extra `report`

    folder = Path(folder)
    write_whole(folder / ADVICE_JSON, found.to_json().encode())
    write_whole(folder / ADVICE_HTML, page(found, judged).encode())
    return _shown(folder, ADVICE_HTML)


def write_explanations(
    transfer: TransferExplanation | None, explanations: Sequence[Explanation], folder: str | Path
) -> Path:
    """Write ``explain.json`` and ``explain.html`` into `folder`, each whole or not at all; as `write`."""
    from .explained import page  # needs the extra `report`

    folder, document = Path(folder), section(explanations, transfer)
    write_whole(folder / EXPLAIN_JSON, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    write_whole(folder / EXPLAIN_HTML, page(transfer, explanations).encode())
    return _shown(folder, EXPLAIN_HTML)


def _shown(folder: Path, name: str) -> Path:
    """Path of the page `name`, to which the report of the same folder leads from now on."""
    if (folder / JSON).exists():
        write(load(folder), folder)
    return folder / name


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
