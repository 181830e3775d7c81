from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from crossaisle.config import as_dict, build, describe, read_toml
from crossaisle.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    """Part of `Options`."""

    depth: int = 1
    """How deep."""


@dataclass(frozen=True)
class Options:
    """Options of a test."""

    rate: float
    """How fast; a second line
    belongs to it."""
    name: str = "x"
    """What it is called."""
    steps: int | None = None
    loud: bool = False
    kind: Literal["a", "b"] = "a"
    unit: Literal["s", "ms"] | None = None
    when: datetime | date | str = "now"
    ks: tuple[int, ...] = (10,)
    place: Path | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    inner: Inner = Inner()
    anything: Any = None

    def __post_init__(self) -> None:
        if self.rate < 0:
            raise ValueError(f"rate is {self.rate}; a number ≥ 0 is needed.")


def test_toml_values_become_the_types_of_the_fields():
    made = build(
        Options,
        {
            "rate": 1,
            "ks": [1, 5],
            "place": "runs",
            "inner": {"depth": 3},
            "when": date(2024, 1, 1),
            "words": {"a": "b"},
            "unit": "ms",
            "anything": [1, "x"],
        },
    )
    assert made.rate == 1.0
    assert isinstance(made.rate, float)
    assert (made.ks, made.place, made.inner) == ((1, 5), Path("runs"), Inner(3))
    assert (made.when, made.words, made.unit, made.anything) == (date(2024, 1, 1), {"a": "b"}, "ms", [1, "x"])
    assert build(Options, vars(made)) == made


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rate": 1, "stepps": 2}, "options: unknown key 'stepps': did you mean 'steps'?"),
        ({}, "options: missing rate; add it."),
        ({"rate": "1"}, "options: rate is '1'; float is needed."),
        ({"rate": True}, "options: rate is True; float is needed."),
        ({"rate": 1, "steps": 1.5}, "options: steps is 1.5; int is needed."),
        ({"rate": 1, "steps": True}, "options: steps is True; int is needed."),
        ({"rate": 1, "loud": 1}, "options: loud is 1; bool is needed."),
        ({"rate": 1, "name": None}, "options: name is None; str is needed."),
        ({"rate": 1, "kind": "c"}, "options: kind is 'c'; allowed: 'a', 'b'."),
        ({"rate": 1, "unit": "h"}, "options: unit is 'h'; allowed: 's', 'ms'."),
        ({"rate": 1, "when": 3}, "options: when is 3; one of datetime, date, str is needed."),
        ({"rate": 1, "ks": 5}, "options: ks is 5; a list is needed."),
        ({"rate": 1, "ks": ["5"]}, "options: ks is '5'; int is needed."),
        ({"rate": 1, "words": "a=b"}, "options: words is 'a=b'; Mapping is needed."),
        ({"rate": 1, "inner": 3}, "options: inner is 3; Inner is needed."),
        ({"rate": 1, "inner": {"dept": 3}}, "options: inner: unknown key 'dept': did you mean 'depth'?"),
        ({"rate": -1}, "options: rate is -1.0; a number ≥ 0 is needed."),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(values, sentence):
    with pytest.raises(ConfigError) as caught:
        build(Options, values)
    assert str(caught.value) == sentence


def test_fields_are_described_by_the_text_under_them():
    rows = {name: (kind, default, text) for name, kind, default, text in describe(Options)}
    assert rows["rate"] == ("float", None, "How fast; a second line belongs to it.")
    assert rows["name"] == ("str", "x", "What it is called.")
    assert rows["words"] == ("Mapping[str, str]", {}, "")
    assert list(rows) == list(Options.__dataclass_fields__)


def test_a_field_over_several_lines_is_described_too():
    @dataclass(frozen=True)
    class Wide:
        kinds: tuple[str, ...] = (
            "view",
            "purchase",
        )
        """Kinds of events."""
        steps: int = 3  # no text

    assert [text for *_, text in describe(Wide)] == ["Kinds of events.", ""]


def test_a_class_without_source_is_described_without_text():
    assert describe(make_dataclass("Loose", [("a", int, 1)])) == [("a", "int", 1, "")]


def test_as_dict_leaves_out_what_is_not_set():
    made = as_dict(Options(rate=1.0))
    assert made["inner"] == {"depth": 1}
    assert "steps" not in made
    assert build(Options, made) == Options(rate=1.0)


def test_toml_files_are_read_or_refused(tmp_path):
    path = tmp_path / "run.toml"
    with pytest.raises(ConfigError, match=r"no configuration at .*run\.toml .*; give the path of a TOML file"):
        read_toml(path)
    with pytest.raises(ConfigError, match="no configuration at"):
        read_toml(tmp_path)
    path.write_text("rate = 1\n")
    assert read_toml(path) == {"rate": 1}
    path.write_text("rate = = 1\n")
    with pytest.raises(ConfigError, match=r"is not valid TOML: .*line 1.*; mend that line"):
        read_toml(path)
