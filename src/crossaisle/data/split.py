"""What may be seen and what is asked: every split is one value of `Split`, made by one of these functions."""

from __future__ import annotations

from .splits.base import Moment, Split
from .splits.by_choice import cold_items, cold_users, k_shot, leave_last_out
from .splits.by_time import launch, time_cut
from .splits.from_files import given
from .splits.methods import SPLITS, SplitMethod, make_split

__all__ = [
    "SPLITS",
    "Moment",
    "Split",
    "SplitMethod",
    "cold_items",
    "cold_users",
    "given",
    "k_shot",
    "launch",
    "leave_last_out",
    "make_split",
    "time_cut",
]
