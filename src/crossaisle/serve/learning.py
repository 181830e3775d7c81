"""Learning beside the service: a thread that makes versions of what came, and watches for drift."""

from __future__ import annotations

import logging
from importlib.util import find_spec

from ..data.world import World
from ..models.base import Base
from ..stream.drift import Alarm, Watch
from ..stream.learner import Background, Learner
from ..stream.lesson import Teaching
from ..stream.lookout import Lookout
from . import changes
from .logs import Lines, log
from .service import Service


def learn(service: Service, world: World, how: Teaching, every: float, base: Base | None = None) -> None:
    """Have `service` learn while it serves; the app starts and stops it.

    Args:
        service: what learns.
        world: what the served version was fitted on.
        how: method, window and rules.
        every: seconds between two lessons.
        base: for methods that read one.

    Raises:
        ConfigError: a number that means nothing.
    """

    def tell(alarm: Alarm) -> None:
        service.alarms.append(alarm)
        service.metrics.alarms.labels(alarm.signal).inc()
        log("alarm", alarm.to_dict())

    lookout = Lookout(Watch(), world, tell) if find_spec("river") is not None else None
    service.watching = lookout is not None
    learner = Learner(
        service.store,
        world,
        service.artifacts,
        how,
        base,
        promote=lambda name: changes.promote(service, name),
        lookout=lookout,
    )
    service.learner = Background(learner, every)
    logging.getLogger("crossaisle").addHandler(Lines())
