"""`crossaisle serve`: the HTTP API of one recommender."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

from ..data.world import World
from ..errors import ConfigError, CrossaisleError
from ..models.base import Base
from ..stores.store import Store
from .flags import READ, Maybe, ReadFlags, open_data
from .output import OUTPUT, Output, say
from .teaching import LEARN, LEARNING, LearnFlags, teaching

if TYPE_CHECKING:
    from fastapi import FastAPI

app = App(name="serve", help_epilogue="Example: crossaisle serve runs/demo --store shop --port 8000")
LIMITS = Group("Limits", sort_key=50)
STORE = "crossaisle-data"


@Parameter(name="*", group=LEARNING, negative=())
@dataclass(frozen=True)
class BesideFlags:
    """Learning beside the service."""

    data: Annotated[str | None, Maybe] = None
    """Learn while serving: what the artifact was fitted on (folder, file, database URL, or ``demo``), to which the
    events that came since are added. Candidates are judged on the newest day before they are served."""
    learn_every: float = 3600.0
    """Seconds between two lessons."""
    method: Annotated[str | None, Maybe] = None
    """A transfer method that learns; default: that of the artifact, with its default options."""
    base: Annotated[Path | None, Maybe] = None
    """Folder of the base that the artifact was adapted from, for methods that read one."""


BESIDE = BesideFlags()


@app.default
def serve(
    artifact: Path,
    /,
    *,
    store: str = STORE,
    artifacts: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    rate: Annotated[float, Parameter(group=LIMITS)] = 1000.0,
    max_body: Annotated[int, Parameter(group=LIMITS)] = 1_000_000,
    patience: Annotated[float, Parameter(group=LIMITS)] = 10.0,
    explore: float = 0.0,
    dashboard: Annotated[bool | None, Maybe] = None,
    beside: BesideFlags = BESIDE,
    learn: LearnFlags = LEARN,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Serve recommendations by HTTP.

    Args:
        artifact: folder of a run, or of a recommender that ``crossaisle transfer`` wrote. It is copied into the
            service's own folder of artifacts and served, unless it was served before.
        store: a folder for what is kept, or ``postgresql://user:password@host/database``.
        artifacts: folder of the service's artifacts; ``artifacts`` in the store's folder when nothing is said.
        host: address to listen on; without a key only this machine's own.
        port: to listen on; 0 takes a free one, which the log names.
        rate: requests a second that one key may make in the long run.
        max_body: greatest body of a request, in bytes.
        patience: seconds that a client may take to send its headers, and then its body.
        explore: share of places given to new items where a request does not say.
        dashboard: pages for people at ``/dashboard``; when nothing is said, where the extra ``dashboard`` is installed.
    """
    try:
        from ..serve.run import run
        from ..serve.settings import Settings
        from ..serve.start import started
        from ..stores.open import open_store
    except ModuleNotFoundError as error:
        raise ConfigError(f"serving needs the package {error.name}: pip install 'crossaisle[serve]'.") from None
    try:
        settings = Settings(max_body, rate, 2 * rate, body_seconds=patience, explore=explore)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    kept = open_store(store)
    try:
        _check_keys(kept, host)
        made = started(recommender_folder(artifact), kept, artifacts_folder(store, artifacts), settings)
        if beside.data is not None:
            _learn(made, beside, learn, open_data(beside.data, read))
        pages = _dashboard(made, artifact, dashboard)
    except CrossaisleError:
        kept.close()
        raise
    run(made, host, port, settings, pages)


def _check_keys(store: Store, host: str) -> None:
    """Say that there is no key.

    Raises:
        ConfigError: others can reach `host` then.
    """
    from ..serve.run import check_bind

    keys = len(store.keys())
    check_bind(host, keys)
    if not keys:
        say("no key yet: whoever uses this machine may do everything; `crossaisle keys add NAME` makes one.")


def _learn(app: FastAPI, beside: BesideFlags, flags: LearnFlags, world: World) -> None:
    """Have the service of `app` learn what comes after `world`.

    Raises:
        ConfigError: a number that means nothing, or a World without the domain that is served.
    """
    from ..serve.learning import learn

    service = app.state.service
    shop = service.live.now.shop
    world.domain_code(shop.domain)
    base = None if beside.base is None else Base.load(beside.base)
    learn(service, world, teaching(beside.method or shop.method, flags), beside.learn_every, base)


def _dashboard(app: FastAPI, run: Path, wanted: bool | None) -> str | None:
    """Add the pages for people where they are `wanted`, or can be had; their path.

    Raises:
        ConfigError: they are wanted and cannot be had.
    """
    if wanted is None:
        wanted = find_spec("nicegui") is not None
    if not wanted:
        return None
    try:
        from ..web import PATH, mount
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the dashboard needs the package {error.name}: pip install 'crossaisle[dashboard]'."
        ) from None
    mount(app, app.state.service, run)
    return PATH


def recommender_folder(path: Path) -> Path:
    """The folder of the recommender of a run, or `path` itself."""
    from .study import RECOMMENDER

    return path / RECOMMENDER if (path / RECOMMENDER).is_dir() else path


def artifacts_folder(store: str, given: Path | None) -> Path:
    """Where the service keeps artifacts."""
    if given is not None:
        return given
    if "://" in store:
        return Path(STORE) / "artifacts"
    return (Path(store).parent if Path(store).suffix else Path(store)) / "artifacts"
