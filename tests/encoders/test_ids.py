from __future__ import annotations

import json

import polars as pl
import pytest

from crossaisle.data.vocab import Vocab
from crossaisle.encoders.ids import IdEncoder
from crossaisle.errors import DataError

ROWS = pl.DataFrame({"item_id": ["b", "new", "a", None]})


def test_codes_and_mask() -> None:
    codes, known = IdEncoder(Vocab(["a", "b"])).encode(ROWS)
    assert codes.tolist() == [1, -1, 0, -1]
    assert known.tolist() == [True, False, True, False]


def test_state_restores_the_encoder() -> None:
    tensors, meta = IdEncoder(Vocab(["a", "b"]), column="user_id").state()
    assert IdEncoder.restore(tensors, json.loads(json.dumps(meta))) == IdEncoder(Vocab(["a", "b"]), column="user_id")


def test_without_the_column() -> None:
    with pytest.raises(DataError, match="lack the column 'user_id'; they have item_id; add it"):
        IdEncoder(Vocab(["a"]), column="user_id").encode(ROWS)
