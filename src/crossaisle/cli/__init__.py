"""The command line. Commands are imported when they are called, so that ``--help`` is quick."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from .. import __version__
from ..errors import CrossaisleError, StorageError
from .output import emit_error, say

COMMANDS = {
    "demo": "Launch a department of a real supermarket, with and without the old knowledge.",
    "validate": "Check data and list every problem at once.",
    "run": "Run the study that a TOML file describes.",
    "gap": "Measure how far domains are apart, before anything is trained.",
    "advise": "Say which fusion and transfer to try, before anything is trained.",
    "tune-text": "Adapt the text encoder to what the same people buy.",
    "fuse": "Learn one base from the domains there are.",
    "transfer": "Fit a recommender for a target domain.",
    "sources": "Choose which domains to learn from, and say what each adds.",
    "evaluate": "Judge methods on a target domain of your data.",
    "recommend": "Recommend items to a user, and say why.",
    "explain": "Say why an item was recommended, or what carried a transfer.",
    "similar": "List the items most like one item.",
    "estimate": "Say what a candidate would earn, from a log of what was shown.",
    "serve": "Serve recommendations by HTTP.",
    "keys": "Say who may use the HTTP API.",
    "methods": "List fusion and transfer methods, or the options of one.",
    "update": "Learn from new events, judge the result on the newest day, and write it if it holds.",
    "replay": "Play a recorded log as live traffic, day by day.",
    "doctor": "Check the installation and say how to mend it.",
    "bench": "Longer, resumable studies over several targets.",
}
"""Command → its one sentence; the module of that name, with _ for -, holds its `app`."""
RESUMABLE = ("demo", "run", "evaluate", "bench", "fuse", "sources")
INTERRUPTED, UNEXPECTED = 130, 1
REFUSED_BY_SYSTEM = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR)
"""What the system says when a path is not ours to write or full: a mistake to mend, not a fault of crossaisle."""


def make_app() -> App:
    """The command tree; no command is imported yet."""
    app = App(
        name="crossaisle",
        help="Carry what a shop already knows to the aisle it opens tomorrow.",
        help_epilogue="Example: crossaisle demo --target NUTRITION --out runs/demo",
        version=__version__,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        exit_on_error=False,
        print_error=False,
    )
    for name, summary in COMMANDS.items():
        app.command(f"crossaisle.cli.{name.replace('-', '_')}:app", name=name, help=summary)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: words after ``crossaisle``; default those of this process.

    Returns:
        0 done, 2 a mistake of the user, 130 interrupted, 1 unexpected.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # Threads that wait by spinning make training 20 times slower as soon as another program uses the same cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Two processes share the work of a demo, one thread each; a service scores in one thread beside its event loop.
    if words[:1] in (["demo"], ["serve"]) or words[:2] == ["bench", "demo"]:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        result = make_app()(words)
        sys.stdout.flush()
        return int(result or 0)
    except CycloptsError as error:
        return _refuse(words, CrossaisleError(f"{error} `{_help_of(words)}` lists what is allowed."))
    except CrossaisleError as error:
        return _refuse(words, error)
    except KeyboardInterrupt:
        say(_interrupted(words))
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone (for example `| head`): nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _unexpected(words, error)


def _refuse(words: Sequence[str], error: CrossaisleError) -> int:
    emit_error(error, as_json="--json" in words)
    return error.exit_code


def _unexpected(words: Sequence[str], error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in REFUSED_BY_SYSTEM:
        what = f"{error.filename}: " if error.filename else ""
        return _refuse(words, StorageError(f"{what}{error.strerror}; choose another path, or mend this one."))
    if "--debug" in words:
        say("".join(traceback.format_exception(error)))
    say(
        f"unexpected {type(error).__name__}: {error}\nThis is a fault of crossaisle, not yours. Please report it in "
        "the project's issue tracker, with the output of `crossaisle doctor --json` and of this command with --debug."
    )
    return UNEXPECTED


def _interrupted(words: Sequence[str]) -> str:
    if words and words[0] in RESUMABLE:
        return "interrupted: what was finished is kept; run the same command again and it goes on from there."
    return "interrupted: nothing half-written was left behind; run the same command again."


def _help_of(words: Sequence[str]) -> str:
    known = [words[0]] if words and words[0] in COMMANDS else []
    return " ".join(["crossaisle", *known, "--help"])
