"""Finding the recommender that a path means."""

from __future__ import annotations

from pathlib import Path

from .. import fusion, transfer  # noqa: F401 - importing registers the scorers that artifacts name
from ..errors import ArtifactError, DataError, unknown
from ..recommender import Recommender
from .study import RECOMMENDER


def open_recommender(path: Path, domain: str | None) -> Recommender:
    """The recommender of a run folder, or of the folder that ``crossaisle transfer`` wrote.

    Args:
        path: either folder.
        domain: what it must recommend in; None takes what it has.

    Raises:
        ArtifactError: there is none, or it is damaged.
        DataError: it recommends in another domain.
    """
    inside = path / RECOMMENDER
    if not inside.is_dir() and (path / "config.toml").is_file():
        raise ArtifactError(
            f"{path} is a run folder without a finished recommender; run `crossaisle run {path / 'config.toml'} "
            f"--out {path}` to its end first."
        )
    found = Recommender.load(inside if inside.is_dir() else path)
    if domain is not None and domain != found.domain:
        hint = "Fit one for another domain with `crossaisle transfer`."
        raise DataError(
            unknown("domain", domain, [found.domain], hint=f"This recommender is for {found.domain!r}. {hint}")
        )
    return found


def titled(title: object, item: str) -> str:
    """What people call an item: its title, else its id."""
    return str(title) if title else item
