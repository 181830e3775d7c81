"""crossaisle: carry what a shop already knows to the aisle it opens tomorrow.

The Python door is `crossaisle.api`: ``from crossaisle.api import World, fuse, transfer, evaluate``. The values it
deals in can be taken from here as well; they are loaded on first use, so that ``import crossaisle`` costs nothing.
The functions `gap`, `transfer` and `evaluate` are not among them, because packages of these names live here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Base, MethodSpec, Recommender, Report, Study, World, fuse, open_world

__version__ = "0.1.0"
__all__ = ["Base", "MethodSpec", "Recommender", "Report", "Study", "World", "__version__", "fuse", "open_world"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(".api", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
