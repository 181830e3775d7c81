"""What is asked of whom: `MethodSpec` names a method with options, `Study` says on what it is judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import crossaisle.fusion  # registers the fusion methods
import crossaisle.transfer  # noqa: F401  registers the transfer methods

from .. import config
from ..data.split import SPLITS
from ..errors import ConfigError, unknown
from ..fusion.method import FUSIONS, FusionMethod
from ..metrics import RANKING
from ..transfer.method import METHODS, TransferMethod
from ..transfer.parts import reads_base
from ..transfer.result import kind_of
from .budget import seconds_of

DEFAULT_FUSION = "shared_bottom"


@dataclass(frozen=True)
class MethodSpec:
    """A transfer method with its options, under the label that reports print."""

    method: str
    """Name of the transfer method; `crossaisle methods` lists all."""
    label: str = ""
    """Name in the report; the method's name when empty. Needed when a method is asked twice."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the method, by name."""
    fusion: str | None = None
    """Fusion that makes its base; ``shared_bottom`` where the method reads one and none is named."""
    fusion_options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the fusion, by name."""

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.method)

    @classmethod
    def parse(cls, table: Mapping[str, Any], where: str = "[[methods]]") -> MethodSpec:
        """From a TOML table; its options are checked as well.

        Raises:
            ConfigError: unknown or wrong key, at any depth.
            MethodError: no such method or fusion.
        """
        made = config.build(cls, table, where)
        entry_of(made, where)
        return made


@dataclass(frozen=True, eq=False)
class Entry:
    """A `MethodSpec` looked up and checked.

    Attributes:
        label: name in the report.
        method: what fits.
        options: its options dataclass.
        fusion: what makes the base, None where none is needed.
        fusion_options: options dataclass of the fusion.
        kind: yardstick or transfer.
        random: whether the seed changes the result.
        given: names of the options that were asked for.
    """

    label: str
    method: TransferMethod
    options: Any
    fusion: FusionMethod | None
    fusion_options: Any
    kind: Literal["control", "transfer"]
    random: bool
    given: frozenset[str] = frozenset()

    def described(self) -> dict[str, Any]:
        """JSON-able: method, options and fusion, for the protocol and for keys."""
        made = {"method": self.method.name, "options": config.as_dict(self.options)}
        if self.fusion is not None:
            made |= {"fusion": self.fusion.name, "fusion_options": config.as_dict(self.fusion_options)}
        return made


def entry_of(spec: MethodSpec, where: str = "[[methods]]") -> Entry:
    """Look `spec` up and build its options.

    Raises:
        ConfigError: unknown or wrong option.
        MethodError: no such method or fusion.
    """
    method = METHODS.get(spec.method)
    options: Any = config.build(method.options, spec.options, f"{where} {spec.label}: options")
    name = spec.fusion or (DEFAULT_FUSION if reads_base(method, options) else None)
    if name is None and spec.fusion_options:
        raise ConfigError(f"{where} {spec.label}: fusion_options without a fusion; add `fusion`, or remove them.")
    fusion = FUSIONS.get(name) if name is not None else None
    fusion_options: Any = None
    if fusion is not None:
        fusion_options = config.build(fusion.options, spec.fusion_options, f"{where} {spec.label}: fusion_options")
    random = method.random or fusion is not None
    kind, given = kind_of(method, options), frozenset(spec.options)
    return Entry(spec.label, method, options, fusion, fusion_options, kind, random, given)


def entries_of(specs: Sequence[MethodSpec]) -> tuple[Entry, ...]:
    """All of them, with labels that differ.

    Raises:
        ConfigError: no method, or two with one label.
        MethodError: no such method or fusion.
    """
    labels = [s.label for s in specs]
    double = sorted({n for n in labels if labels.count(n) > 1})
    if double or not labels:
        what = f"the label {double[0]!r} is used twice" if double else "no method is named"
        raise ConfigError(f"[[methods]]: {what}; give every method a `label` of its own.")
    return tuple(entry_of(s) for s in specs)


@dataclass(frozen=True)
class Study:
    """One target domain, what of it is seen, and how answers are judged."""

    target: str
    """Domain that is launched."""
    sources: tuple[str, ...] = ()
    """Domains whose knowledge may be used; all others when empty."""
    split: str = "launch"
    """What is seen and what is asked: launch, time_cut, leave_last_out, k_shot, cold_items, cold_users or given."""
    cut: datetime | date | str | None = None
    """The present: rows at or after this time train nothing. launch and time_cut need it, k_shot and cold ones may."""
    test_weeks: float | None = None
    """Length of the test window after the cut; to the end of the data when absent."""
    weeks: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
    """Steps of launch: weeks the target has been open at the cut, ascending."""
    shots: tuple[int, ...] = (0, 1, 2, 5)
    """Steps of k_shot: visible interactions per item of the target, ascending."""
    share: float | None = None
    """Share of items or users held back, for cold_items and cold_users."""
    split_options: Mapping[str, Any] = field(default_factory=dict)
    """Further options of the split, by name, such as valid_share."""
    shelf_weeks: float | None = None
    """Rank only items sold in the target in this many weeks before the cut; all items of the target when absent."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds of random methods and random splits."""
    ks: tuple[int, ...] = (10,)
    """Places of the ranking that count; the first is the headline's."""
    metrics: tuple[str, ...] = ("ndcg", "recall")
    """Ranking metrics; the first is the headline's."""
    ship: str = "blend"
    """Label of the method that is judged as the transfer: named before, never chosen on test rows."""
    budget: str | None = None
    """Time to search the options of each method at each step on held-out rows, such as 10m; none: they stay."""

    def __post_init__(self) -> None:
        """Refuse combinations that no World allows."""
        if self.split not in SPLITS.names():
            raise ConfigError("[study]: " + unknown("split", self.split, SPLITS.names()))
        for name in self.metrics:
            if name not in RANKING:
                raise ConfigError("[study]: " + unknown("metric", name, RANKING))
        for name in ("weeks", "shots", "seeds", "ks", "metrics"):
            _check_list(name, getattr(self, name), least=1 if name == "ks" else 0)
        _check_split(self)
        if self.budget is not None:
            seconds_of(self.budget)

    @property
    def random_split(self) -> bool:
        """Whether the split is drawn anew for every seed."""
        return "seed" in _split_fields(self.split)

    @property
    def headline(self) -> tuple[str, str, int]:
        """Slice, metric and k of curves, guard and time saved: new-to-user nDCG@10 unless other ones come first."""
        return "new", self.metrics[0], self.ks[0]


def _check_list(name: str, values: tuple[Any, ...], least: int) -> None:
    if not values or len(set(values)) < len(values):
        raise ConfigError(f"[study]: {name} is {list(values)}; at least one, each once, is needed.")
    if name != "metrics" and min(values) < least:
        raise ConfigError(f"[study]: {name} holds {min(values)}; numbers from {least} on are needed.")
    if name in ("weeks", "shots") and list(values) != sorted(values):
        raise ConfigError(f"[study]: {name} is {list(values)}; ascending numbers are needed.")


def _check_split(study: Study) -> None:
    """Every given option belongs to the split, and those it needs are there."""
    fields = _split_fields(study.split)
    for name in ("cut", "test_weeks", "share"):
        if getattr(study, name) is not None and name not in fields:
            raise ConfigError(f"[study]: split {study.split!r} has no {name}; remove it, or choose another split.")
        if getattr(study, name) is None and fields.get(name, False):
            raise ConfigError(f"[study]: split {study.split!r} needs {name}; add it, or choose another split.")
    if study.shelf_weeks is not None and (study.cut is None or study.shelf_weeks <= 0):
        raise ConfigError("[study]: shelf_weeks needs a cut and a number above 0; mend it or remove it.")
    own = ("cut", "test_weeks", "share", "weeks", "shots", "seed")
    for name in study.split_options:
        if name in own or name not in fields:
            allowed = [n for n in fields if n not in own]
            raise ConfigError("[study] split_options: " + unknown("key", name, allowed))


def _split_fields(split: str) -> dict[str, bool]:
    """Option → whether it is required."""
    missing = dataclasses.MISSING
    options = dataclasses.fields(SPLITS.get(split).options)
    return {f.name: f.default is missing and f.default_factory is missing for f in options}


DEFAULT_METHODS = (
    MethodSpec("popularity"),
    MethodSpec("popularity", "popularity_recent", {"half_life_weeks": 4.0}),
    MethodSpec("item_knn"),
    MethodSpec("ease"),
    MethodSpec("als"),
    MethodSpec("target_only"),
    MethodSpec("user_kernel", "user_kernel_target", {"scope": "target"}),
    MethodSpec("user_kernel"),
    MethodSpec("shared_bottom"),
    MethodSpec("zero_shot"),
    MethodSpec("probe"),
    MethodSpec("finetune"),
    MethodSpec("blend"),
)
"""What `evaluate` runs when nothing else is asked: controls first, then transfers."""
