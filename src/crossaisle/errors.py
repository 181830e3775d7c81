"""The exception tree. Every message says what was got, what is allowed and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class CrossaisleError(Exception):
    """Root of all errors that a user can mend. Doors print the message alone and leave with `exit_code`."""

    exit_code = 2


class DataError(CrossaisleError):
    """The user's tables cannot become a World. `problems` lists everything found, not only the first."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([message, *(f"  - {p}" for p in self.problems)]))


class ConfigError(CrossaisleError):
    """A configuration file or option is wrong."""


class MethodError(CrossaisleError):
    """A method cannot run on this problem (a need is not met, a name is unknown)."""


class ArtifactError(CrossaisleError):
    """A saved file is missing, foreign, truncated or from another schema version."""


class StorageError(CrossaisleError):
    """The disk refused a write. Nothing half-written is left behind."""


class TrainingError(CrossaisleError):
    """Training went wrong in a way the data or options explain (for example a loss that became NaN)."""


def unknown(what: str, got: str, allowed: Iterable[str], *, hint: str = "") -> str:
    """One sentence for an unknown name: what was got, the nearest allowed names, what to do next."""
    names = [str(a) for a in allowed]
    near = get_close_matches(str(got), names, n=3, cutoff=0.5)
    if near:
        advice = "did you mean " + " or ".join(repr(n) for n in near) + "?"
    elif names:
        shown = ", ".join(names[:12]) + (f", … ({len(names)} in all)" if len(names) > 12 else "")
        advice = f"allowed: {shown}."
    else:
        advice = "there are none."
    return f"unknown {what} {got!r}: {advice}{' ' + hint if hint else ''}"
