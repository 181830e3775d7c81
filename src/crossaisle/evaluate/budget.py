"""Budget: how long options of a method may be searched, and where the trials are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError, MethodError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """Time to search the options of one method for one question.

    Attributes:
        seconds: wall time of all trials together.
        folder: takes a file of trials for each search, from which it goes on; None keeps nothing.
    """

    seconds: float
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse, before anything runs, what cannot be done."""
        if not self.seconds > 0:
            raise ConfigError(f"budget is {self.seconds} s; a number above 0 is needed.")
        if find_spec("optuna") is None:
            raise MethodError("a budget needs optuna; install it with `pip install crossaisle[tune]`.")

    @classmethod
    def of(cls, text: str, folder: Path | None = None) -> Budget:
        """From words such as ``90s``, ``10m`` or ``2h``.

        Raises:
            ConfigError: no span of time.
            MethodError: Optuna is not installed.
        """
        return cls(seconds_of(text), folder)


def seconds_of(text: str) -> float:
    """``90s``, ``10m`` or ``2h`` in seconds.

    Raises:
        ConfigError: no such span of time, or one of 0.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if found is None or float(found[1]) <= 0:
        raise ConfigError(f"budget is {text!r}; a number above 0 with s, m or h is needed, such as 90s, 10m or 2h.")
    return float(found[1]) * UNITS[found[2]]
