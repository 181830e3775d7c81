"""The picture of the README from a study's report, by a browser: python docs/images/curve.py runs/demo/report.html."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

STYLE = """<style>
.skip, header, .lead, .cards, .warnings, main > section:not([aria-labelledby=h-curve]), figure ~ *, figcaption, footer {
  display: none !important }
main, html, h2, main > section { margin-top: 0 !important; padding-top: 0 !important }
body { margin: 0 !important; padding: 18px 24px !important; max-width: none !important }
.hero { max-width: none !important; width: 690px }
</style></head>"""
OUT = Path(__file__).with_name("cold-start.png")


def main(report: Path) -> None:
    """Write `OUT`: heading, legend and curve of `report`, nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(report.read_text(encoding="utf-8").replace("</head>", STYLE), encoding="utf-8")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1.25"]
        shot = [f"--screenshot={OUT}", "--window-size=760,510", page.as_uri()]
        subprocess.run(["chromium", *flags, *shot], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
