"""`crossaisle estimate`: what a candidate would earn, from the log of what was shown, before it sees a user."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import polars as pl
from cyclopts import App, Parameter

from ..errors import ConfigError, DataError
from ..experiments import Estimated, estimate, log_of, policy_of, read_log, read_policy
from ..experiments.outcomes import CLICK
from ..stores.open import FILE, open_store
from ..stores.reading import each
from .artifacts import open_recommender
from .flags import Maybe
from .output import OUTPUT, Output, emit, table

app = App(name="estimate", help_epilogue="Example: crossaisle estimate shown.parquet --policy candidate.csv")
WORDS = {
    "logged": "the log itself",
    "ips": "IPS",
    "clipped": "clipped IPS",
    "snips": "SNIPS",
    "dr": "doubly robust",
    "gain": "gain over the log",
}


@app.default
def estimate_command(
    log: str,
    /,
    *,
    candidate: Annotated[Path | None, Maybe] = None,
    policy: Annotated[Path | None, Maybe] = None,
    rename: Annotated[dict[str, str] | None, Parameter(negative_none=())] = None,
    event: str = CLICK,
    seed: int = 0,
    output: Output = OUTPUT,
) -> None:
    """Estimate what a candidate would earn for each item shown, from a log with propensities; or refuse.

    Args:
        log: table with one row per item shown: item_id, propensity and reward, and position, user_id and request_id
            where they are known. Without --candidate and --policy its column candidate has the candidate's part. Or the
            store of a service (a folder, or postgresql://…): what it showed with --explore, or in an experiment.
        candidate: folder of a run, or of a recommender that ``crossaisle transfer`` wrote, to show its best items.
        policy: table of the candidate's probabilities: item_id and probability, position and user_id where they matter.
        rename: your name of a column of the log, and the name here, for example --rename.click reward.
        event: of a store: kind of event that is the reward of an item shown.
        seed: of folds and bootstrap.
    """
    if candidate is not None and policy is not None:
        raise ConfigError("--candidate and --policy both name a candidate; give one of them.")
    shown = read_log(_log(log, event), rename)
    whole = None if policy is None else read_policy(policy)
    if candidate is not None:
        whole = policy_of(open_recommender(candidate, None), shown)
    found = estimate(shown, whole, seed)
    if output.json:
        emit(found.to_document())
        return
    _show(found)


def _log(log: str, event: str) -> Path | pl.DataFrame:
    """The file, or the log that a store has kept."""
    if "://" not in log and not (Path(log) / FILE).is_file():
        return Path(log)
    with closing(open_store(log)) as store:
        exposures = [e for _, e in each(store.exposures)]
        if not exposures:
            raise DataError(
                "this store has kept nothing that was shown; serve with --explore, or run an experiment, and ask again."
            )
        return log_of(exposures, (e for _, e in each(store.events)), event)


def _show(found: Estimated) -> None:
    kept = {n: v for n, v in found.values.items() if found.refused is None or n == "logged"}
    rows = [
        (WORDS[n] + ("  <- read this" if n == found.headline else ""), *(f"{x:.6f}" for x in v))
        for n, v in kept.items()
    ]
    rows += [(f"place {p}", *(f"{x:.6f}" for x in v)) for p, v in found.places.items()]
    table("reward for each item shown", ["what", "value", "low", "high"], rows, right=["value", "low", "high"])
    support = found.support
    print(
        f"{support.rows:,} rows are worth {support.effective_units:,.0f} independent ones of the candidate's own, "
        f"their rewards {support.effective_rewards:.1f}; largest weight {support.largest_weight:.1f}, mean weight "
        f"{support.mean_weight.value:.2f}. Intervals: 95 %, over {found.unit}s."
    )
    for warning in found.warnings:
        print(f"Know: {warning}")
    if found.refused:
        print(f"Too little to say: {found.refused}")
    else:
        print("This assumes that a reward depends on the item and its place alone, not on the rest of the list.")
