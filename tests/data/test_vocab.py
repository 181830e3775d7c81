"""Ids ⇄ codes."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from crossaisle.data.vocab import Vocab

names = st.lists(st.text(max_size=3), max_size=30)


@settings(deadline=None)
@given(names, names)
def test_codes_are_positions(ids: list[str], asked: list[str]) -> None:
    vocab = Vocab(dict.fromkeys(ids))
    positions = {name: code for code, name in enumerate(dict.fromkeys(ids))}
    wanted = [positions.get(name, -1) for name in asked]
    assert [vocab.code(name) for name in asked] == wanted
    assert vocab.encode(asked).tolist() == wanted
    assert vocab.encode(pl.Series(asked, dtype=pl.String)).tolist() == wanted
    assert [name in vocab for name in asked] == [code >= 0 for code in wanted]
    assert vocab.decode(vocab.encode(list(positions))) == list(positions)


class Same(str):
    """A word whose hash is that of every other one."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash("tea")


def test_words_of_one_hash_are_told_apart() -> None:
    vocab = Vocab(["jam", "tea"])
    assert vocab.code(Same("bun")) == -1
    assert vocab.code(Same("tea")) == 1


def test_what_is_no_word_is_unknown() -> None:
    vocab = Vocab(["tea"])
    assert None not in vocab
    assert 1 not in vocab
