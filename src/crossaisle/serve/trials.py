"""Trials: the experiment that runs beside the service: who gets which version, what it says now, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

from ..errors import ArtifactError, ConfigError
from ..experiments import Experiment, Rule, outcomes_of, summary
from ..stores.kinds import Event, Trial
from ..stores.reading import each
from ..stores.store import Store
from ..stream.diary import now_utc
from ..stream.live import Live
from .artifacts import inside, opened
from .logs import log

BY_RULE = "end_by_rule"
"""Part of a design: whether the service ends the experiment as the rule says, and promotes a winner."""


class Trials:
    """Begins, judges and ends experiments; at most one runs. Changes are made under the service's lock.

    Args:
        live: answers each user from their version.
        store: keeps experiments, what was shown and what people did.
        artifacts: folder of the versions.

    Attributes:
        running: the experiment that runs.
    """

    def __init__(self, live: Live, store: Store, artifacts: Path) -> None:
        self._live, self._store, self._artifacts = live, store, artifacts
        self.running: Trial | None = None
        self._before: dict[str, int] = {}

    def resume(self) -> None:
        """Go on with the experiment that ran when the service stopped, or end it where that cannot be."""
        found = self._found()
        if found is None:
            return
        if experiment_of(found).control != self._store.marks().current:
            self.end(found, {"ended_by": "restart", "sentence": "another version is served than its control."})
            return
        try:
            self.join()
        except (ArtifactError, ConfigError) as error:
            log("experiment ended", {"name": found.name, "error": type(error).__name__})
            self.end(found, {"ended_by": "restart", "sentence": "one of its versions could not be read any more."})

    def join(self) -> None:
        """Answer as the experiment says that runs in the store, if there is one whose control is served here.

        Raises:
            ArtifactError, ConfigError: one of its versions cannot be read; everybody is answered from what is served.
        """
        found = self._found()
        if found is not None and experiment_of(found).control == self._live.now.version:
            self._try_out(experiment_of(found), found)

    def begin(self, experiment: Experiment, by_rule: bool) -> Trial:
        """Begin an experiment: from now on each user is answered from the version that they are assigned to.

        Raises:
            ConfigError: another one is running, the name is taken, or its versions are not there.
            ArtifactError: a version cannot be read.
        """
        served = self._live.now.version
        if experiment.control != served:
            raise ConfigError(f"the first variant is the control and must be what is served, {served!r}.")
        experiment = replace(experiment, salt=token_hex(16))
        design = {k: v for k, v in asdict(experiment).items() if k != "name"} | {BY_RULE: by_rule}
        design["guards"] = list(experiment.guards)
        trial = self._try_out(experiment, Trial(experiment.name, design, now_utc()), begin=True)
        log("experiment began", {"name": trial.name, "variants": list(experiment.variants)})
        return trial

    def state(self, trial: Trial) -> dict[str, Any]:
        """What an experiment says now, or said when it ended."""
        if trial.ended is not None:
            return trial.result
        now, experiment = now_utc(), experiment_of(trial)
        shown = (e for _, e in each(self._store.exposures, trial.shown))
        done = self._done(trial)
        return summary(experiment, outcomes_of(experiment, shown, done, since=trial.begun, now=now)).to_document()

    def decided(self, trial: Trial) -> str | None:
        """The version to serve where the rule of a running experiment ends it; None where it goes on."""
        if not trial.design[BY_RULE]:
            return None
        said: str | None = self.state(trial)["decision"]["variant"]
        return said

    def leave(self) -> None:
        """Another process has ended the experiment: everybody is answered from what is served."""
        self.running = None
        self._live.try_out()

    def end(self, trial: Trial, result: dict[str, Any]) -> Trial:
        """End the running experiment; everybody is answered from what is served."""
        ended = replace(trial, ended=now_utc(), result=result)
        assert ended.ended is not None
        self._store.end_trial(trial.name, ended.ended, result)
        self.leave()
        log("experiment ended", {"name": trial.name, "by": result["ended_by"]})
        return ended

    def _found(self) -> Trial | None:
        """What the store says that runs."""
        return next((t for t in self._store.trials() if t.ended is None), None)

    def _done(self, trial: Trial) -> Iterator[Event]:
        """Events from the time that `trial` began on; where the first one stands is looked for once."""
        for number, event in each(self._store.events, self._before.get(trial.name, 0)):
            if event.timestamp >= trial.begun:
                self._before.setdefault(trial.name, number - 1)
                yield event

    def _try_out(self, experiment: Experiment, trial: Trial, begin: bool = False) -> Trial:
        known = {v.name: v for v in self._store.versions()}
        missing = [name for name in experiment.variants if name not in known]
        if missing:
            raise ConfigError(f"there is no version {missing[0]!r}; GET /v1/versions lists them.")
        others = [known[name] for name in experiment.variants if name != experiment.control]
        shops = [(v, opened(inside(self._artifacts, v.path), self._store)) for v in others]

        def commit() -> None:
            nonlocal trial
            if begin:
                # What was shown while the versions were read was everybody's.
                trial = replace(trial, begun=now_utc(), shown=self._store.marks().shown)
                self._store.begin_trial(trial)
            self.running = trial  # from here on what is shown is kept

        self._live.try_out(shops, experiment.variant_of, commit)
        return trial


def experiment_of(trial: Trial) -> Experiment:
    """The experiment as it was begun."""
    design = {k: v for k, v in trial.design.items() if k != BY_RULE}
    return Experiment(trial.name, **{**design, "guards": tuple(design["guards"]), "rule": Rule(**design["rule"])})
