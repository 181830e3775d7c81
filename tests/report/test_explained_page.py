"""The page of explanations: where recommendations come from, and examples taken apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossaisle.api import explain, explain_transfer, transfer
from crossaisle.report import write_explanations
from crossaisle.testing_world import tiny_world

pytest.importorskip("vl_convert")


def test_the_page_of_explanations_shows_domains_and_examples(tmp_path: Path) -> None:
    shop = transfer(tiny_world(), "cake", method="user_kernel", cut="2024-03-25")
    found = explain(shop, "u12", k=2)
    text = write_explanations(explain_transfer(shop, people=20), found, tmp_path).read_text(encoding="utf-8")
    for one in found:
        assert str(one.title) in text
    assert text.count("<svg") == 3
    for domain in ("tea", "coffee"):
        assert f'<th scope="row">{domain}' in text
    assert json.loads((tmp_path / "explain.json").read_text())["schema_version"] == 1
