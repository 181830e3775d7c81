"""``python -m crossaisle``: the command line, for where the script is not on the path."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
