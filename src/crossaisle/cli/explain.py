"""`crossaisle explain`: why an item was recommended, and what of the old knowledge carried the transfer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import App, Parameter

from ..errors import ConfigError, DataError
from ..evaluate.result import Report
from ..evaluate.spec import entries_of
from ..explain import Explanation, Finished, TransferExplanation, explain_transfer, section
from ..explain import explain as explained
from ..recommender import Recommender
from ..report import EXPLAIN_JSON, write_explanations
from .artifacts import open_recommender
from .flags import Maybe, Names, open_data
from .output import OUTPUT, Output, emit, say, table, written
from .progress import drawing
from .runfile import read_run

app = App(
    name="explain",
    help_epilogue="Example: crossaisle explain runs/demo --user 1364, or crossaisle explain RUN --transfer",
)

PEOPLE = 3
"""Examples on the page of a transfer."""


@app.default
def explain(
    run: Path,
    /,
    *,
    user: Annotated[str | None, Maybe] = None,
    session: Names = (),
    domain: Annotated[str | None, Maybe] = None,
    item: Names = (),
    k: Annotated[int, Parameter(name=["-k", "--k"])] = 3,
    words: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    transfer: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    out: Annotated[Path | None, Maybe] = None,
    output: Output = OUTPUT,
) -> None:
    """Say why an item was recommended, or what carried a transfer.

    Args:
        run: folder of a run, or of a recommender that ``crossaisle transfer`` wrote.
        user: id; of an unknown one there is nothing to explain, which is said.
        session: item ids that somebody just met, in place of a user.
        domain: must be the recommender's own; a check for scripts.
        item: ids of items to explain; the user's best when empty.
        k: length of the list.
        words: also what words of the title, brand, category and price add (encodes texts, takes longer).
        transfer: explain the transfer itself: which sources, which layers, who gained or lost.
        out: folder that takes ``explain.html`` and ``explain.json``; with --transfer three people are examples there.
    """
    if transfer == (user is not None or bool(session)) or (user is not None and session):
        raise ConfigError("give one of --user ID, --session ITEM ... and --transfer.")
    shop = open_recommender(run, domain)
    if transfer:
        with drawing():
            told = explain_transfer(shop, finished(run))
            examples = [] if out is None else _examples(shop, told)
            files = written(partial(write_explanations, told, examples), out, EXPLAIN_JSON)
        emit(section([], told) | files) if output.json else _show_transfer(told)
    else:
        found = explained(shop, user or "", item or None, k=k, session=session or None, words=words)
        files = written(partial(write_explanations, None, found), out, EXPLAIN_JSON)
        if output.json:
            emit(section(found) | files)
        for one in () if output.json else found:
            _show(one)
    for what, where in () if output.json else files.items():
        print(f"{what}: {where}")


def _examples(shop: Recommender, told: TransferExplanation) -> list[Explanation]:
    """The first recommendation of three people: those who gained most at the last step, or any with a history."""
    users = [p.user for p in told.gains[-1].gained_most] if told.gains else []
    known = np.flatnonzero(np.diff(shop.history.counts.indptr))[:PEOPLE]
    return [one for u in (users or shop.user_ids.decode(known))[:PEOPLE] for one in explained(shop, u, k=1)]


def finished(folder: Path) -> Finished | None:
    """The study of a run folder; None, which is said, where it is no run folder or its data are not at hand."""
    config = folder / "config.toml"
    if not config.is_file():
        say(f"{folder} is no run folder: who gained and lost is known of a run only (`crossaisle run`).")
        return None
    run = read_run(config, folder)
    try:
        world = open_data(run.location, run.read)
    except DataError as error:
        message = str(error).splitlines()[0]
        say(f"the data of this run are not at hand, so who gained and lost is left out: {message}")
        return None
    return Finished(world, run.study, entries_of(run.methods), Report.read(folder / "report.json"), folder / "cells")


def _show(found: Explanation) -> None:
    rows = [(b.title or b.item_id, b.domain, f"{b.contribution:+.4g}", f"{100 * b.share:.0f} %") for b in found.because]
    print(found.sentence)
    if rows:
        table("", ["this person has", "from", "adds", "of all that speaks for it"], rows, right=["adds"])
    parts = [("what anybody gets", found.start), *found.by_domain.items()]
    _numbers("the score, taken apart", [*parts, ("score", found.score)])
    kinds = found.by_modality if len(found.by_modality) > 1 else {}
    for title, told in (
        ("kind of knowledge", kinds),
        ("word of the title", found.words),
        ("feature", found.features),
    ):
        if told:
            _numbers(title, sorted(told.items(), key=lambda pair: -pair[1]))


def _numbers(title: str, pairs: Iterable[tuple[str, float]]) -> None:
    table("", [title, "adds"], [(name, f"{value:+.4f}") for name, value in pairs], right=["adds"])


def _show_transfer(told: TransferExplanation) -> None:
    for sentence in told.sentences:
        print(sentence)
    rows = [(s.domain, f"{100 * s.share:.1f} %", f"{100 * s.changed:.1f} %", f"{s.users:,}") for s in told.sources]
    columns = ["domain", "speaks for the top ten", "others without it", "people"]
    table(f"where the recommendations of {told.domain} come from", columns, rows, right=columns[1:])
    if told.layers:
        layers = [(name, f"{100 * moved:.2f} %") for name, moved in told.layers.items()]
        table("how far layers moved", ["layer", "change"], layers, right=["change"])
    for gain in told.gains:
        people = [
            (word, p.user, f"{p.method:.3f}", f"{p.control:.3f}", p.purchases, p.elsewhere, p.sources)
            for word, group in (("gained", gain.gained_most), ("lost", gain.lost_most))
            for p in group
        ]
        columns = ["", "user", gain.method, gain.control, "items here", "items elsewhere", "source domains"]
        table(f"{gain.step}: who gained and lost most, {gain.metric}", columns, people, right=columns[2:])
