"""Checkpoints of a running phase: model and optimiser as safetensors, so that Ctrl-C costs little and runs no code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.optim import Optimizer

from ..files import write_whole

_folder: ContextVar[Path | None] = ContextVar("checkpoints", default=None)


@contextmanager
def keeping(folder: Path | None) -> Iterator[None]:
    """Within the block, long phases leave checkpoints in `folder`, which must belong to this very training alone."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def kept_in() -> Path | None:
    """The folder of the innermost `keeping`; None outside of it."""
    return _folder.get()


def checkpoint_of(task: str) -> Path | None:
    """Where the phase called `task` leaves its checkpoint; None outside of `keeping`."""
    folder = _folder.get()
    return None if folder is None else folder / f"{task}.safetensors"


def save_checkpoint(
    path: Path | None, model: nn.Module, optimiser: Optimizer, step: int, losses: Mapping[str, float]
) -> None:
    """Write the state after `step` to `path`, whole or not at all; nothing when `path` is None."""
    if path is None:
        return
    tensors: dict[str, Tensor] = {f"model.{n}": t.contiguous() for n, t in model.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{n}": torch.as_tensor(t).contiguous() for n, t in state.items()}
    tensors |= {f"loss.{n}": torch.tensor(value, dtype=torch.float64) for n, value in losses.items()}
    tensors |= {"step": torch.tensor([step]), "random": torch.get_rng_state()}
    write_whole(path, save(tensors))


def load_checkpoint(path: Path | None, model: nn.Module, optimiser: Optimizer) -> tuple[int, dict[str, float]]:
    """Put the state of `path` back; its step and mean losses, 0 and none when there is no checkpoint that fits."""
    tensors = _read(path)
    weights = {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}
    if not weights or {n: t.shape for n, t in weights.items()} != {n: t.shape for n, t in model.state_dict().items()}:
        return 0, {}  # none, or of another network: start anew
    model.load_state_dict(weights)
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".", 2)
            state.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    torch.set_rng_state(tensors["random"])
    return int(tensors["step"]), {
        n.removeprefix("loss."): float(t) for n, t in tensors.items() if n.startswith("loss.")
    }


def _read(path: Path | None) -> dict[str, Tensor]:
    try:
        return {} if path is None else load(path.read_bytes())
    except (SafetensorError, OSError):
        return {}  # none yet, or truncated


def remove_checkpoint(path: Path | None) -> None:
    """Forget the checkpoint of a finished phase."""
    if path is not None:
        path.unlink(missing_ok=True)
