"""Transfer methods, one file each; importing this package registers them."""

from . import als, ease, item_knn, popularity, user_kernel

__all__ = ["als", "ease", "item_knn", "popularity", "user_kernel"]
