"""What tests do to a PostgreSQL server of their own."""

import signal
import subprocess
import time
from typing import Any


def crash(server: Any) -> None:
    """All its processes end at once and write nothing more; the next start has to recover."""
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(30)


def come_back(server: Any) -> None:
    """Start it again; on a slow disk recovery takes longer than the ten seconds that the package waits."""
    for _ in range(12):
        try:
            server.ensure_postgres_running()
            return
        except subprocess.TimeoutExpired:
            time.sleep(1)
    server.ensure_postgres_running()
