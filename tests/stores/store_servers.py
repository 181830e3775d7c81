"""What these tests do to a PostgreSQL server of their own."""

import signal
from typing import Any


def crash(server: Any) -> None:
    """All its processes end at once and write nothing more; the next start has to recover."""
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(30)
