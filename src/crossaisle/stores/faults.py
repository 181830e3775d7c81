"""What a database says when it refuses, in one sentence with the next step. Values and passwords are never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..errors import StorageError

_ADVICE = (
    (r"full|no space|too large|I/O error|could not (extend|write)", "free some space there, then send it again"),
    (r"locked|lock timeout|QueuePool", "others have held it for long; try again"),
    (r"not a database|malformed|corrupt", "put a backup in its place"),
    (r"read-?only|permission|unable to open", "give this program the right to write there"),
    (r"authentication|(role|database) \S+ does not exist|no password", "check name, password and database"),
    (
        r"connect|server|terminat|shutting|starting up|SSL|resolve",
        "check the address, or wait until the server is back",
    ),
)


@contextmanager
def told(shown: str) -> Iterator[None]:
    """Turn errors of the driver into `StorageError`.

    Args:
        shown: name of the database for people.
    """
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        reason = (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")
        advice = next((a for pattern, a in _ADVICE if re.search(pattern, reason, re.I)), "try again")
        raise StorageError(f"{shown} refused: {reason}; {advice}.") from error
