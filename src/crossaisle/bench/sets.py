"""The public sets: which methods are asked on each, and what others published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError, unknown
from ..evaluate.spec import MethodSpec
from ..evaluate.validation import Protocol


@dataclass(frozen=True)
class Published:
    """A number from elsewhere: nDCG@10 and HR@10 of `method` on `domain`."""

    domain: str
    method: str
    ndcg: float | None
    hit: float | None
    source: str


@dataclass(frozen=True)
class AskedBySplit:
    """For a set without candidates: a split asks, and each wanted item is ranked in the whole catalogue."""

    target: str
    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class BenchSet:
    """How one set is run.

    Attributes:
        name: folder of the set.
        experts: methods that are judged alone, and that `stack` combines where their label is in `parts`.
        parts: labels of `experts` that `stack` combines.
        stack: options of `stack`.
        published: rows to print beside ours.
        split: who is asked where the set has no candidates.
        label_folds: also a stack whose parts know the labels of other people, in so many folds; 0: none.
    """

    name: str
    experts: tuple[MethodSpec, ...]
    parts: tuple[str, ...]
    stack: Mapping[str, Any] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    split: AskedBySplit | None = None
    label_folds: int = 0

    def methods(self, labels: Collection[str] = ()) -> tuple[MethodSpec, ...]:
        """Experts and their stack; the experts alone where no parts are named; of these `labels` alone, if any.

        Raises:
            ConfigError: a label is not among them.
        """
        made = (*self.experts, self._stack()) if self.parts else self.experts
        strange = [name for name in labels if name not in {m.label for m in made}]
        if strange:
            raise ConfigError(unknown(f"method of {self.name or 'a folder'}", strange[0], [m.label for m in made]))
        return tuple(m for m in made if not labels or m.label in labels)

    def _stack(self) -> MethodSpec:
        by_label = {e.label: e for e in self.experts}
        options = {p: {"method": by_label[p].method, **by_label[p].options} for p in self.parts}
        return MethodSpec("stack", options={**self.stack, "parts": self.parts, "part_options": options})

    def protocol(self, candidates: int | None) -> Protocol:
        """What is held out to search options on: as for `stack`, each among as many items as a list has."""
        return Protocol(self.stack.get("hold", "half"), self.stack.get("events", ()), candidates)


POPULARITY = MethodSpec("popularity")
ITEM_KNN_ALL = MethodSpec(
    "item_knn",
    "item_knn_all",
    {"scope": "all", "similarity": "cosine", "neighbours": 1000, "shrink": 0.0, "weight": "binary"},
)
SWING_ALL = MethodSpec(
    "item_knn",
    "swing_all",
    {"scope": "all", "similarity": "swing", "neighbours": 1000, "shrink": 0.0, "weight": "binary"},
)
ALS_ALL = MethodSpec("als", "als_all", {"scope": "all"})
ALS_LARGE = {"factors": 256, "alpha": 100.0, "regularization": 500.0, "weight": "binary"}
"""Long vectors under a strong penalty: settled on rows held out of train."""
ALS_MIX = MethodSpec("als_mix", options={"scope": "all"})
USER_KNN_SOURCES = MethodSpec("user_knn", "user_knn_sources", {"scope": "sources"})
WARM = (
    POPULARITY,
    ITEM_KNN_ALL,
    SWING_ALL,
    MethodSpec("als"),
    ALS_ALL,
    MethodSpec("als_mix", "als_mix_target"),
    ALS_MIX,
    MethodSpec("lightgcn"),
    MethodSpec("diffusion"),
    MethodSpec("graph_filter", "graph_filter_target"),
    MethodSpec("graph_filter", options={"scope": "all"}),
    MethodSpec("user_kernel", options={"content_power": 0.0}),
    MethodSpec("user_knn", "user_knn_target", {"scope": "target"}),
    MethodSpec("user_knn"),
    USER_KNN_SOURCES,
)
"""For people who are known in the target."""
WARM_PARTS = ("popularity", "swing_all", "als_mix_target", "als_mix", "graph_filter", "user_kernel", "user_knn")

DISENCDR = BenchSet(
    "disencdr-sport-phone",
    WARM,
    WARM_PARTS,
    {"hold": "one", "folds": 2, "lists": 3000, "negatives": 999, "drawn_from": "catalogue"},
    (
        Published("sport", "DisenCDR (its own code, 30 of 50 epochs)", 0.099, 0.181, "measured on these files"),
        Published("sport", "UserKNN, joint, tuned on the test rows", 0.137, 0.213, "measured on these files"),
        Published("sport", "graph filter + EASE + user neighbours", 0.143, 0.222, "floor of the set"),
        Published("phone", "DisenCDR (its own code, 30 of 50 epochs)", 0.114, 0.211, "measured on these files"),
        Published("phone", "UserKNN, joint, tuned on the test rows", 0.148, 0.242, "measured on these files"),
        Published("phone", "graph filter + EASE + user neighbours", 0.158, 0.255, "floor of the set"),
    ),
)


def cold(alpha: float = 100.0) -> tuple[MethodSpec, ...]:
    """For people who are known in other domains only; `alpha` of `als_mix`, settled on people held out."""
    return (
        POPULARITY,
        ITEM_KNN_ALL,
        SWING_ALL,
        ALS_ALL,
        MethodSpec("als", "als_large", {**ALS_LARGE, "scope": "all"}),
        MethodSpec("als_mix", options={"scope": "all", "factors": (8, 16, 32, 64), "draws": 1, "alpha": alpha}),
        MethodSpec("graph_filter", options={"scope": "all", "output_exponent": 0.5, "low_pass": 1.0}),
        MethodSpec("user_kernel", options={"scope": "sources", "content_power": 0.0, "regularization": 16.0}),
        MethodSpec("diffusion"),
        USER_KNN_SOURCES,
    )


COLD_PARTS = ("popularity", "swing_all", "als_large", "als_mix", "graph_filter", "user_kernel", "user_knn_sources")

CDRIB = BenchSet(
    "cdrib-game-video",
    (*cold(), MethodSpec("lightgcn")),
    COLD_PARTS,
    {"hold": "all", "folds": 4, "lists": 3000, "negatives": 999, "drawn_from": "catalogue"},
    (
        Published("game", "CDRIB", 0.051, 0.097, "third-party rerun"),
        Published("game", "UserKNN on the source profile + popularity", 0.059, 0.101, "floor of the set"),
        Published("video", "CDRIB", 0.067, 0.127, "third-party rerun"),
        Published("video", "DisCo", 0.069, 0.134, "published"),
        Published("video", "UserKNN, one untuned setting", 0.088, 0.139, "measured on these files"),
    ),
)

IOU = {"similarity": "iou", "neighbours": 1000, "shrink": 0.0, "weight": "binary"}
EASE = {"regularization": 300.0, "weight": "binary"}

XMREC = BenchSet(
    "xmrec-t1",
    (
        POPULARITY,
        MethodSpec("item_knn", options=IOU),
        MethodSpec("item_knn", "item_knn_all", {**IOU, "scope": "all"}),
        MethodSpec("user_knn", "user_knn_target", {"scope": "target"}),
        MethodSpec("user_knn"),
        MethodSpec("ease", options=EASE),
        MethodSpec("ease", "ease_all", {**EASE, "scope": "all", "max_items": 1}),
        MethodSpec("ease", "ease_block_all", {**EASE, "regularization": 100.0, "scope": "all", "form": "block"}),
        MethodSpec("als"),
        MethodSpec(
            "als",
            "als_large",
            {**ALS_LARGE, "scope": "all", "regularization": 600.0},
        ),
        MethodSpec("als", "als_rare", {**ALS_LARGE, "scope": "all", "item_exponent": 0.3}),
        MethodSpec("als", "als_rare_target", {**ALS_LARGE, "regularization": 400.0, "item_exponent": 0.3}),
        MethodSpec("lightgcn", options={"temperature": 0.1}),
        MethodSpec("graph_filter", "graph_filter_target", {"rank": 128}),
        MethodSpec("graph_filter", options={"scope": "all", "rank": 128, "max_items": 1}),
    ),
    (
        "popularity",
        "item_knn",
        "item_knn_all",
        "user_knn_target",
        "user_knn",
        "ease",
        "ease_all",
        "ease_block_all",
        "als_rare_target",
        "graph_filter_target",
        "graph_filter",
    ),
    {"hold": "one", "folds": 5, "drawn_from": "catalogue", "events": ("review",), "shortlist": 4000},
    (
        Published("t1", "GMF++, no source market", 0.3194, 0.4976, "published"),
        Published("t1", "item CF, cross-market", 0.686, 0.782, "published"),
        Published("t1", "UltraGCN", 0.681, 0.780, "published"),
        Published("t1", "MF, 2,048 dimensions", 0.690, 0.785, "published"),
        Published("t1", "LightGCN, 2,048 dimensions", 0.698, 0.806, "published"),
        Published("t1", "LightGBM stack, 7-fold on the test labels", 0.725, 0.826, "published"),
    ),
    label_folds=7,
)

OVERLAP = BenchSet(
    "amazon-overlap",
    cold(alpha=10.0),
    COLD_PARTS,
    {"hold": "all", "folds": 4},
    split=AskedBySplit("toys", "cold_users", {"share": 0.2, "valid_share": 0.0, "overlapping": True}),
)

TEXT_TIME = BenchSet(
    "amazon-text-time",
    (
        POPULARITY,
        MethodSpec("user_kernel", "user_kernel_target", {"scope": "target"}),
        MethodSpec("user_kernel"),
        MethodSpec("content", "content_plain_target", {"scope": "target", "votes": False, "sales": False}),
        MethodSpec("content", "content_target", {"scope": "target"}),
        MethodSpec("content"),
        MethodSpec("sequence"),
        MethodSpec("warm_cold"),
    ),
    (),
    {},
    split=AskedBySplit("office", "cold_items", {"share": 0.3, "valid_share": 0.0, "cut": "2018-05-01"}),
)
"""Items that nobody has: purchases of known items, which a stack learns from, say nothing of them."""

OWN = BenchSet("", WARM, WARM_PARTS, {"drawn_from": "catalogue"})
"""For a folder of one's own."""

SETS: Mapping[str, BenchSet] = {s.name: s for s in (XMREC, CDRIB, DISENCDR, OVERLAP, TEXT_TIME)}
