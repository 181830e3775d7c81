"""Transfer methods, one file each; importing this package registers them."""

from . import (
    als,
    als_mix,
    blend,
    content,
    ease,
    finetune,
    graph_filter,
    item_knn,
    popularity,
    probe,
    shared_bottom,
    stack,
    target_only,
    user_kernel,
    user_knn,
    zero_shot,
)

__all__ = [
    "als",
    "als_mix",
    "blend",
    "content",
    "ease",
    "finetune",
    "graph_filter",
    "item_knn",
    "popularity",
    "probe",
    "shared_bottom",
    "stack",
    "target_only",
    "user_kernel",
    "user_knn",
    "zero_shot",
]
