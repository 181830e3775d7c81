"""Changes of what is served: versions and experiments, one change at a time; routes, page and learner call these."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ConfigError
from ..experiments import Experiment
from ..stores.kinds import Trial, Version
from ..stream.diary import now_utc
from .artifacts import facts_of, inside, opened
from .logs import log
from .problems import Missing, Refused
from .service import Service


def add_version(service: Service, name: str, artifact: str, last_event: int | None = None) -> Version:
    """Make an artifact of the service's own folder a candidate, after reading it whole.

    Raises:
        ConfigError: the name is taken, or the artifact is for another domain.
        ArtifactError: it is missing or damaged.
    """
    with service.changing:
        if any(v.name == name for v in service.store.versions()):
            raise ConfigError(f"there is a version {name!r} already; choose another name.")
        path = inside(service.artifacts, artifact)
        shop, domain = opened(path, service.store), service.live.now.shop.domain
        if shop.domain != domain:
            raise ConfigError(f"the artifact is for {shop.domain!r}, this service for {domain!r}.")
        where = str(path.relative_to(service.artifacts.resolve()))
        made = Version(name=name, path=where, made=now_utc(), facts=facts_of(shop, last_event))
        service.store.add_version(made)
        return made


def promote(service: Service, name: str) -> Version:
    """Serve version `name` from now on; the one that is served becomes the previous.

    Raises:
        Missing: there is no such version.
        Refused: an experiment is running.
        ArtifactError: it cannot be read; nothing changes.
    """
    with service.changing:
        _check_no_trial(service)
        return _promoted(service, name)


def roll_back(service: Service) -> Version:
    """Serve the previous version again.

    Raises:
        Refused: there is none, or an experiment is running.
        ArtifactError: it cannot be read; nothing changes.
    """
    with service.changing:
        _check_no_trial(service)
        found = next((v for v in service.store.versions() if v.state == "previous"), None)
        if found is None:
            raise Refused("there is no previous version; promote one by name.")
        return _serve(service, found, service.store.roll_back)


def begin_experiment(service: Service, experiment: Experiment, by_rule: bool = True) -> Trial:
    """See `Trials.begin`."""
    with service.changing:
        return service.trials.begin(experiment, by_rule)


def end_experiment(service: Service, name: str, winner: str | None = None, by: str = "person") -> Trial:
    """End the running experiment `name`, and serve `winner` from now on; what was served where there is none.

    Raises:
        Missing: it is not running, or `winner` is not one of its variants.
        ArtifactError: the winner cannot be read; nothing changes.
    """
    with service.changing:
        running = service.trials.running
        if running is None or running.name != name or service.store.marks().trial != name:  # ended elsewhere
            raise Missing("no experiment of this name is running; GET /v1/experiments lists them.")
        if winner is not None and winner not in running.design["variants"]:
            raise Missing("that version is not one of the variants; GET /v1/experiments lists them.")
        result = {"ended_by": by, **service.trials.state(running)}
        if winner is not None and winner != service.live.now.version:
            _promoted(service, winner)
        return service.trials.end(running, result)


def follow_rule(service: Service) -> None:
    """End the running experiment where its rule says so."""
    running = service.trials.running
    if running is not None and (winner := service.trials.decided(running)) is not None:
        end_experiment(service, running.name, winner, by="rule")


def follow_current(service: Service, name: str) -> None:
    """Serve what another process has made the current version.

    Raises:
        ArtifactError: it cannot be read; what is served stays.
    """
    with service.changing:
        _serve(service, _version(service, name), lambda: None)


def _check_no_trial(service: Service) -> None:
    name = service.store.marks().trial  # also where another process has just begun it
    if name is not None:
        raise Refused(f"experiment {name!r} is running; end it first, with or without a winner.")


def _promoted(service: Service, name: str) -> Version:
    return _serve(service, _version(service, name), lambda: service.store.promote(name))


def _version(service: Service, name: str) -> Version:
    found = next((v for v in service.store.versions() if v.name == name), None)
    if found is None:
        raise Missing("there is no such version; GET /v1/versions lists them.")
    return found


def _serve(service: Service, version: Version, commit: Callable[[], object]) -> Version:
    shop = opened(inside(service.artifacts, version.path), service.store)
    service.live.serve(version, shop, commit)
    service.metrics.served(version.name, shop.method, shop.domain)
    log("serving", {"version": version.name, "method": shop.method, "items": len(shop.catalogue)})
    return _version(service, version.name)
