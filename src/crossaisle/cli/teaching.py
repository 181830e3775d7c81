"""The flags of learning, and the Teaching that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter

from ..stream.lesson import Teaching
from .flags import Maybe, MethodOptions, Names, options_of

LEARNING = Group("Learning", sort_key=40)


@Parameter(name="*", group=LEARNING, negative=())
@dataclass(frozen=True)
class LearnFlags:
    """How candidates are made and judged."""

    sources: Names = ()
    """Domains that are learned from and replayed; all others when empty."""
    option: MethodOptions = ()
    """An option of the method, key=value; as often as needed."""
    warm_steps: int = Teaching.warm_steps
    """Steps from the served network's weights on (needs --base); 0 fits from the start."""
    shared: bool = False
    """In those steps also move what all domains share, and replay the sources: old domains may forget."""
    memory_days: Annotated[float | None, Maybe] = None
    """Only the last days of the target are learned from."""
    most_a_day: int = Teaching.most_a_day
    """A person with more events on one day is set aside."""
    window_hours: float = Teaching.window_hours
    """Length of the window that judges."""
    people: int = Teaching.people
    """People that the window should have; it grows up to a week for them."""
    margin: float = Teaching.margin
    """Where no difference is proved, the fresher one may be worse by this share."""
    seed: int = 0
    """Of everything random."""


LEARN = LearnFlags()


def teaching(method: str, flags: LearnFlags) -> Teaching:
    """The Teaching of `method` with what was typed.

    Raises:
        ConfigError: a number that means nothing, or a wrong option.
    """
    same = ("sources", "warm_steps", "shared", "memory_days", "most_a_day", "window_hours", "people", "margin", "seed")
    return Teaching(method=method, options=options_of(flags.option), **{n: getattr(flags, n) for n in same})
