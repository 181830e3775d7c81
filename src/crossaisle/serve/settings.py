"""Settings: limits of the service."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What one request and one key may cost."""

    max_body: int = 1_000_000
    """Greatest body, in bytes."""
    rate: float = 1000.0
    """Requests a second that one key (or, without keys, one address) may make in the long run."""
    burst: float = 2000.0
    """Requests that it may make at once."""
    max_waiting: int = 512
    """Requests in work at once; more are turned away."""
    body_seconds: float = 10.0
    """How long a client may take to send its headers, and then its body."""
    answer_seconds: float = 30.0
    """How long an answer may take; making versions and erasing may take longer."""
    explore: float = 0.0
    """Share of places given to new items where a request does not say."""
    new_below: int = 20
    """An item is new until people met it and were shown it this often together."""
    batch: int = 16
    """Answers that are scored together while others wait."""
    look_seconds: float = 60.0
    """Time between two looks at the rule of a running experiment."""
    follow_seconds: float = 1.0
    """Time between two looks at what other processes of the same store did."""
    stop_seconds: float = 10.0
    """How long requests in work may take after the service is told to stop."""

    def __post_init__(self) -> None:
        if min(self.max_body, self.rate, self.burst, self.max_waiting, self.batch) < 1:
            raise ValueError("max_body, rate, burst, max_waiting and batch must be at least 1.")
        if not 0 <= self.explore <= 1:
            raise ValueError(f"explore is {self.explore}; a share from 0 to 1 is needed.")
        times = ("body_seconds", "answer_seconds", "look_seconds", "follow_seconds", "stop_seconds")
        if min(getattr(self, name) for name in times) <= 0:
            raise ValueError(f"{', '.join(times)} must be above 0.")
