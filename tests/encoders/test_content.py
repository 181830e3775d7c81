"""Content: text, numbers and levels side by side; what is saved reads as before."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crossaisle.encoders.content import ContentOptions, ContentReader, principal

ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "domain": ["x", "x", "y", "y"],
        "title": ["green tea", "black tea", None, "chocolate cake"],
        "brand": ["P", "P", "Q", "Q"],
        "price": [1.0, 2.0, None, 4.0],
    }
)


def test_principal_components_by_hand() -> None:
    draw = np.random.default_rng(0)
    plane = draw.standard_normal((200, 2)) * [3.0, 1.0] @ np.array([[1.0, 0, 0], [0, 0.6, 0.8]]) + [5.0, 6.0, 7.0]
    rows = plane.astype(np.float32)
    centre, components = principal(rows, 2)
    scores = (rows - centre) @ components
    assert centre == pytest.approx(rows.mean(axis=0))
    covariance = np.cov(scores.T, bias=True)
    assert covariance[0, 1] == pytest.approx(0, abs=1e-3)
    assert np.trace(covariance) / 2 == pytest.approx(1, abs=1e-3)  # one scale for all: distances keep their meaning
    lengths = np.linalg.norm(components, axis=0)
    assert lengths[0] == pytest.approx(lengths[1])
    between = np.linalg.norm(rows[0] - rows[1]) * lengths[0]
    assert np.linalg.norm(scores[0] - scores[1]) == pytest.approx(between, rel=1e-3)


def test_no_more_components_than_columns_and_one_row_is_no_crash() -> None:
    assert principal(np.ones((1, 3), np.float32), 8)[1].shape == (3, 3)
    assert np.isfinite(principal(np.ones((1, 3), np.float32), 8)[1]).all()


def test_without_text_there_are_numbers_and_levels() -> None:
    reader, content = ContentReader.fit(ITEMS, ContentOptions(text=""))
    assert content.text.shape == (4, 0)
    assert len(content) == 4
    assert reader.attributes.words.keys() == {"brand"}
    part = content.take(np.array([3, 0]))
    assert np.array_equal(part.numeric, content.numeric[[3, 0]])
    assert np.array_equal(part.levels, content.levels[[3, 0]])


def test_items_without_any_words_need_no_text_model() -> None:
    reader, content = ContentReader.fit(ITEMS.select("item_id", "domain", "price"), ContentOptions())
    assert reader.text is None
    assert content.numeric.shape[0] == 4


def test_ids_of_items_that_somebody_had_and_that_say_nothing_are_levels() -> None:
    rows = pl.concat([ITEMS, pl.DataFrame({"item_id": ["E", "e", "f"], "domain": ["y"] * 3})], how="diagonal")
    had = np.array([True, True, True, True, True, True, False])
    reader, content = ContentReader.fit(rows, ContentOptions(text=""), had)
    assert reader.levels == (3, 3)
    assert reader.known(rows).tolist() == [False] * 4 + [True, True, False]
    assert len(set(content.levels[4:6, 1].tolist())) == 2
    assert content.levels[6, 1] == 0
    tensors, meta = reader.state()
    again = ContentReader.restore(tensors, json.loads(json.dumps(meta)))
    assert np.array_equal(again.read(rows).levels, content.levels)
    assert again.read(pl.DataFrame({"domain": ["y"], "brand": ["P"]})).levels.tolist() == [[1, 0]]
    assert not ContentReader.fit(rows, ContentOptions(text="", ids="never"), had)[0].known(rows).any()


@pytest.mark.parametrize("text", ["", "minilm"])
def test_restored_it_reads_the_same(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if text:
        pytest.importorskip("sentence_transformers", reason="the extra `text` is not installed")
    monkeypatch.setenv("CROSSAISLE_CACHE", str(tmp_path))
    reader, content = ContentReader.fit(ITEMS, ContentOptions(text=text, text_dim=2))
    tensors, meta = reader.state()
    again = ContentReader.restore(tensors, json.loads(json.dumps(meta)))
    for read in (reader.read(ITEMS), again.read(ITEMS)):
        assert np.array_equal(read.text, content.text)
        assert np.array_equal(read.numeric, content.numeric)
        assert np.array_equal(read.levels, content.levels)
    if text:
        assert content.text.shape == (4, 2)
    stranger = again.read(pl.DataFrame({"item_id": ["z"], "domain": ["new"], "title": ["white tea"]}))
    assert stranger.levels.tolist() == [[0]]
    assert np.isfinite(stranger.numeric).all()
