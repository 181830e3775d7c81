"""Artifacts: the same data back, refusals in one sentence, and never half of one."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from crossaisle import artifact
from crossaisle.errors import ArtifactError, StorageError

TENSORS = {"weights": np.arange(6, dtype=np.float32).reshape(2, 3), "codes": np.array([3, 1], dtype=np.int64)}
TABLES = {"items": pl.DataFrame({"item_id": ["a", "茶", None], "price": [1.5, None, 2.0]})}
META = {"name": "x", "numbers": [1, 2.5], "none": None}


def put(folder: Path, kind: str = "thing", **meta: Any) -> Path:
    artifact.write(folder, kind, TENSORS, TABLES, META | meta)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_what_was_written_is_read(tmp_path: Path) -> None:
    tensors, tables, meta = artifact.read(put(tmp_path / "deep" / "a"), "thing")
    assert tensors.keys() == TENSORS.keys()
    for name, wanted in TENSORS.items():
        np.testing.assert_array_equal(tensors[name], wanted, strict=True)
    assert tables["items"].equals(TABLES["items"])
    assert meta == META
    assert names(tmp_path / "deep") == ["a"]
    assert names(tmp_path / "deep" / "a") == ["artifact.json", "items.parquet", "tensors.safetensors"]


kinds = st.sampled_from(["f4", "f8", "i8", "i4", "u1", "?"])


@settings(max_examples=40, deadline=None)
@given(kinds.flatmap(lambda d: arrays(d, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))))
def test_arrays_come_back_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, tensor: np.ndarray) -> None:
    """Also scalars, empty arrays, NaN, and arrays that are transposed in memory."""
    folder = tmp_path_factory.mktemp("bits") / "a"
    artifact.write(folder, "thing", {"t": tensor, "turned": tensor.T}, {}, {})
    found = artifact.read(folder, "thing")[0]
    for got, wanted in ((found["t"], tensor), (found["turned"], tensor.T)):
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
        assert got.tobytes() == wanted.tobytes()


def test_the_manifest_says_what_it_is(tmp_path: Path) -> None:
    put(tmp_path / "a", score=np.float32(0.5))
    manifest = json.loads((tmp_path / "a" / "artifact.json").read_text(encoding="utf-8"))
    assert (manifest["format"], manifest["schema"], manifest["kind"]) == ("crossaisle", artifact.SCHEMA, "thing")
    assert {"python", "numpy", "polars"} <= manifest["libraries"].keys()
    assert manifest["files"]["items.parquet"]["bytes"] == (tmp_path / "a" / "items.parquet").stat().st_size
    assert manifest["meta"]["score"] == 0.5


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    one, two = put(tmp_path / "one"), put(tmp_path / "two")
    assert all((one / n).read_bytes() == (two / n).read_bytes() for n in names(one))


def test_an_older_artifact_is_replaced(tmp_path: Path) -> None:
    put(tmp_path / "a", version=1)
    artifact.write(tmp_path / "a", "thing", {}, {}, {"version": 2})
    assert artifact.read(tmp_path / "a", "thing") == ({}, {}, {"version": 2})
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["artifact.json", "tensors.safetensors"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert artifact.read(put(tmp_path), "thing")[2] == META


@pytest.mark.parametrize("what", ["file", "folder", "extra"])
def test_nothing_else_is_ever_replaced(tmp_path: Path, what: str) -> None:
    place = tmp_path / "mine"
    if what == "extra":
        put(place)
    if what == "file":
        place.write_text("diary")
        kept = place
    else:
        place.mkdir(exist_ok=True)
        kept = place / "diary.txt"
        kept.write_text("diary")
    with pytest.raises(ArtifactError, match="choose another path"):
        put(place)
    assert kept.read_text() == "diary"


def refusal(folder: Path, kind: str = "thing") -> str:
    with pytest.raises(ArtifactError) as caught:
        artifact.read(folder, kind)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_is_refused(tmp_path: Path) -> None:
    assert "there is no artifact at" in refusal(tmp_path / "nowhere")


def test_another_kind_is_refused(tmp_path: Path) -> None:
    assert "holds a base, not a thing" in refusal(put(tmp_path / "a", "base"))


@pytest.mark.parametrize("name", ["items.parquet", "tensors.safetensors"])
def test_damage_is_refused(tmp_path: Path, name: str) -> None:
    file = put(tmp_path / "a") / name
    whole = file.read_bytes()
    file.write_bytes(whole[:-3])
    assert f"{name} is damaged ({len(whole) - 3} of {len(whole)} bytes)" in refusal(tmp_path / "a")
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert f"{name} is damaged (other content)" in refusal(tmp_path / "a")
    file.unlink()
    assert "No such file" in refusal(tmp_path / "a")


def edited(folder: Path, **changes: Any) -> Path:
    file = put(folder) / "artifact.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return folder


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """Whatever else a later crossaisle may write."""
    later = edited(tmp_path / "a", schema=artifact.SCHEMA + 1, files=7, kind={})
    assert "upgrade crossaisle" in refusal(later)


SEAL = {"bytes": 1, "sha256": "x"}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "other"},
        {"schema": "1"},
        {"files": None},
        {"files": {}},
        {"files": {artifact.TENSORS: SEAL, "../other.parquet": SEAL}},
        {"files": {artifact.TENSORS: SEAL, "run.py": SEAL}},
        {"files": {artifact.TENSORS: "x"}},
        {"kind": 3},
        {"meta": []},
    ],
)
def test_foreign_manifests_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert "is not a crossaisle artifact" in refusal(edited(tmp_path / "a", **changes))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff", '{"format": "crossaisle"}'])
def test_broken_manifests_are_refused(tmp_path: Path, text: str) -> None:
    (put(tmp_path / "a") / "artifact.json").write_bytes(text.encode("latin-1"))
    assert "is not a crossaisle artifact" in refusal(tmp_path / "a")


@contextmanager
def disk_of(room: int) -> Iterator[None]:
    """Files longer than `room` bytes are refused by the system, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("large", ["tensor", "table", "meta"])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, older: bool, large: str) -> None:
    if older:
        put(tmp_path / "a")
    draw = np.random.default_rng(0).random(5000)
    tensors = {"t": draw} if large == "tensor" else {}
    tables = {"t": pl.DataFrame({"t": draw})} if large == "table" else {}
    meta = {"t": draw.tolist()} if large == "meta" else {}
    with disk_of(4000), pytest.raises(StorageError, match="File too large") as caught:
        artifact.write(tmp_path / "a", "thing", tensors, tables, meta)
    assert "free some space" in str(caught.value)
    assert names(tmp_path) == (["a"] if older else [])
    if older:
        assert artifact.read(tmp_path / "a", "thing")[2] == META


def test_a_break_while_writing_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(artifact, "save_file", broken)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path / "a")
    assert names(tmp_path) == []


def test_death_between_the_two_renames_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old artifact stepped aside and the new one did not come: the old one is still read, and replaced later."""
    put(tmp_path / "a", version=1)
    rename = os.rename

    def once(old: Path, new: Path) -> None:
        if Path(new).exists() or Path(new).name == "a":
            raise KeyboardInterrupt
        rename(old, new)

    monkeypatch.setattr(os, "rename", once)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path / "a", version=2)
    monkeypatch.undo()
    assert not (tmp_path / "a").exists()
    assert artifact.read(tmp_path / "a", "thing")[2]["version"] == 1
    put(tmp_path / "a", version=3)
    assert artifact.read(tmp_path / "a", "thing")[2]["version"] == 3
    assert names(tmp_path) == ["a"]


def test_a_copied_artifact_is_read_anywhere(tmp_path: Path) -> None:
    """Also in a folder whose name looks like a pattern."""
    shutil.copytree(put(tmp_path / "a"), tmp_path / "b [1]*")
    assert artifact.read(tmp_path / "b [1]*", "thing")[2] == META


def test_only_plain_data_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not JSON-able"):
        put(tmp_path / "a", thing=object())
    assert names(tmp_path) == []


def test_whoever_may_read_one_file_may_read_them_all(tmp_path: Path) -> None:
    assert len({path.stat().st_mode for path in put(tmp_path / "a").iterdir()}) == 1
