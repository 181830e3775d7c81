"""A method from outside the package: one file and one entry point, nothing edited, and every door knows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossaisle.models.base import Base
from crossaisle.recommender import Recommender

TRANSFER = '''
"""Newest: what came to the shelf last is shown first."""

from dataclasses import dataclass

import numpy as np

from crossaisle.transfer.method import transfer
from crossaisle.transfer.popularity import PopularityScorer
from crossaisle.transfer.result import recommender_for


@dataclass(frozen=True)
class NewestOptions:
    """Options of `newest`."""

    reverse: bool = False
    """Show the oldest first."""


@transfer("newest", options=NewestOptions, paper="our own", when="shelves change every day", cost="low")
def fit(base, problem, options):
    """What came last is shown first."""
    order = np.arange(len(problem.catalogue), dtype=np.float32)
    return recommender_for(problem, "newest", PopularityScorer(-order if options.reverse else order))
'''

FUSION = '''
"""Half: the shared bottom, with half of its steps."""

from dataclasses import dataclass, replace

from crossaisle.fusion import shared_bottom
from crossaisle.fusion.method import fusion


@dataclass(frozen=True)
class HalfOptions(shared_bottom.SharedBottomOptions):
    """Options of `half`."""


@fusion("half", options=HalfOptions, paper="our own", when="time is short", cost="low")
def fit(world, sources, options, seed):
    """The shared bottom, with half of its steps."""
    made = shared_bottom.fit(world, sources, replace(options, steps=options.steps // 2), seed)
    return replace(made, fusion="half")
'''


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder as `pip install --target` leaves one: two modules and their entry points."""
    (tmp_path / "newest.py").write_text(TRANSFER)
    (tmp_path / "half.py").write_text(FUSION)
    about = tmp_path / "ourshop-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: ourshop\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[crossaisle.transfer]\nnewest = newest\n\n[crossaisle.fusion]\nhalf = half\n"
    )
    return tmp_path


CONTRACT = """
from crossaisle.encoders.content import ContentOptions
from crossaisle.fusion.method import FUSIONS
from crossaisle.testing_fusion import check_fusion

small = {"batch": 8, "negatives": 8, "dim": 4, "hidden": 8, "collaborative": 4, "content": ContentOptions(text="")}
check_fusion("half", FUSIONS.get("half").options(steps=4, **small))
print("kept")
"""


def ran(installed: Path, *words: object) -> str:
    """What `crossaisle` prints in a process of its own in which the plug-in is installed."""
    return printed(installed, "from crossaisle.cli import main; raise SystemExit(main())", *words)


def printed(installed: Path, program: str, *words: object) -> str:
    """What `program` prints in a process of its own in which the plug-in is installed."""
    paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", program, *map(str, words)]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_a_transfer_and_a_fusion_from_outside_are_listed_and_used(installed: Path, shop: Path, tmp_path: Path) -> None:
    (shown,) = json.loads(ran(installed, "methods", "newest", "--json"))
    assert (shown["when"], shown["cost"], shown["options"][0]["name"]) == ("shelves change every day", "low", "reverse")
    base, out = tmp_path / "base", tmp_path / "out"
    quick = ("-o", "steps=4", "-o", "content.text=''")
    ran(installed, "fuse", shop, "--sources", "tea", "coffee", "--out", base, "--method", "half", *quick)
    assert Base.load(base).facts["steps"] == 2
    ran(installed, "transfer", shop, "--target", "cake", "--method", "newest", "--out", out, "-o", "reverse=true")
    made = Recommender.load(out)
    assert made.method == "newest"
    first = made.recommend("nobody", 1)
    assert first.items[0, 0] == made.item_ids.decode(made.catalogue[:1])[0]


def test_a_fusion_from_outside_is_held_to_the_contract(installed: Path) -> None:
    assert printed(installed, CONTRACT) == "kept\n"
