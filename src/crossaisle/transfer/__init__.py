"""Transfer methods, one file each; importing this package registers them."""

from . import (
    als,
    blend,
    ease,
    finetune,
    item_knn,
    popularity,
    probe,
    shared_bottom,
    target_only,
    user_kernel,
    zero_shot,
)

__all__ = [
    "als",
    "blend",
    "ease",
    "finetune",
    "item_knn",
    "popularity",
    "probe",
    "shared_bottom",
    "target_only",
    "user_kernel",
    "zero_shot",
]
