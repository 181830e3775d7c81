"""Metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from ..types import Basis
from .recent import Recent

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own: Any = {"registry": self._registry, "namespace": "crossaisle"}
        self.requests = Counter("requests", "Requests answered.", ["route", "method", "status"], **own)
        self.seconds = Histogram("seconds", "Time to the answer.", ["route"], buckets=_SECONDS, **own)
        self.working = Gauge("requests_in_work", "Requests in work now.", **own)
        self.events = Counter("events", "Events kept, without repeats.", **own)
        self.exposures = Counter("exposures", "Places shown while exploring or in an experiment, and kept.", **own)
        self.answers = Counter("answers", "Lists made, by what they rest on.", ["basis"], **own)
        self.alarms = Counter("alarms", "Alarms of drift.", ["signal"], **own)
        self._version = Info("version", "What is served.", **own)
        self.items = Counter("items", "Items of lists, by what came of them.", ["what"], **own)
        self.recent = Recent()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route).observe(seconds)
        if route.startswith("/v1/"):
            self.recent.answered(status, seconds)

    def listed(self, basis: Basis) -> None:
        """Count one list, by what it rests on."""
        self.answers.labels(basis).inc()
        self.recent.add(basis)

    def met(self, items: Mapping[str, int]) -> None:
        """Count items of lists: ``shown``, ``clicked`` or ``bought``."""
        for what, number in items.items():
            self.items.labels(what).inc(number)
            self.recent.add(what, number)

    def kept(self, events: int) -> None:
        """Count events that are on disk and were not before."""
        self.events.inc(events)
        self.recent.add("events", events)

    def served(self, version: str, method: str, domain: str) -> None:
        """Say what is served."""
        self._version.info({"name": version, "recommender": method, "domain": domain})

    def page(self) -> bytes:
        """What Prometheus reads."""
        return generate_latest(self._registry)
