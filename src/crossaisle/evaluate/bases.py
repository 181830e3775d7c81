"""Bases of a study: fused once per fusion and seed from what the sources show, and reused at every step."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import polars as pl

from .. import __version__, config
from ..data.world import World
from ..errors import ArtifactError, MethodError, TrainingError
from ..files import write_whole
from ..models.base import Base
from ..train.checkpoint import keeping
from ..transfer.problem import Problem
from .cells import digest_of, source_of, world_mark
from .spec import Entry


@dataclass
class Bases:
    """Fuses on demand; keeps in memory, and in `folder` where there is one.

    Attributes:
        folder: where bases are saved and looked for.
        made: (key of the base) → (Base or the sentence why there is none, seconds it took).
    """

    folder: Path | None = None
    made: dict[str, tuple[Base | str, float]] = field(default_factory=dict)

    def get(self, entry: Entry, problem: Problem, seed: int) -> tuple[Base | None, float]:
        """The base of `entry` under `seed` and the seconds its fusion took; None for methods that can do without.

        Raises:
            MethodError: there is none and the method needs one, with the reason.
        """
        if entry.fusion is None:
            return None, 0.0
        world = source_world(problem)
        parts = [world.fingerprint, problem.sources, entry.fusion.name, config.as_dict(entry.fusion_options), seed]
        key = f"{entry.fusion.name}-{seed}-{digest_of([*parts, __version__, source_of(entry.fusion.fit)])}"
        if key not in self.made:
            make = partial(entry.fusion.fit, world, problem.sources, entry.fusion_options, seed)
            self.made[key] = self._stored(key) or self._fused(key, entry.fusion.name, make)
        base, seconds = self.made[key]
        if isinstance(base, str):
            if "base" in entry.method.needs:
                raise MethodError(base)
            return None, seconds
        return base, seconds

    def _stored(self, key: str) -> tuple[Base, float] | None:
        if self.folder is None or not (self.folder / f"{key}.json").exists():
            return None
        try:
            about = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            return Base.load(self.folder / key), float(about["fuse_seconds"])
        except (ArtifactError, OSError, ValueError, KeyError):
            return None  # damaged: fuse again

    def _fused(self, key: str, name: str, make: Callable[[], Base]) -> tuple[Base | str, float]:
        start = time.perf_counter()
        unfinished = None if self.folder is None else self.folder / f"{key}.part"
        try:
            with keeping(unfinished):
                base = make()
        except (TrainingError, MethodError) as error:
            return f"fusion {name!r} gave no base: {error}", time.perf_counter() - start
        seconds = time.perf_counter() - start
        if self.folder is not None:
            base.save(self.folder / key)
            write_whole(self.folder / f"{key}.json", json.dumps({"fuse_seconds": seconds}).encode())
            shutil.rmtree(self.folder / f"{key}.part", ignore_errors=True)
        return base, seconds


def source_world(problem: Problem) -> World:
    """The World as fusion may see it: the visible rows of the sources alone, under a fingerprint of its own."""
    world, split = problem.world, problem.split
    seen = split.train.filter(pl.col("domain").is_in(list(problem.domain_codes[:-1])))
    # Equal Worlds, splits, cuts and numbers of rows: equal rows.
    mark = digest_of([world_mark(world), sorted(problem.sources), split.kind, str(split.cut), seen.height])
    return replace(world, interactions=seen, fingerprint=mark)
