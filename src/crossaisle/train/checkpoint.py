"""Checkpoints of a running phase: model and optimiser as safetensors, so that Ctrl-C costs little and runs no code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

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


def checkpoint_of(task: str) -> Path | None:
    """Where the phase called `task` leaves its checkpoint; None outside of `keeping`."""
    folder = _folder.get()
    return None if folder is None else folder / f"{task}.safetensors"


def save_checkpoint(path: Path | None, model: nn.Module, optimiser: Optimizer, step: int) -> None:
    """Write the state after `step` to `path`, whole or not at all; nothing when `path` is None."""
    if path is None:
        return
    tensors: dict[str, Tensor] = {f"model.{n}": t.contiguous() for n, t in model.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{n}": torch.as_tensor(t).contiguous() for n, t in state.items()}
    tensors |= {"step": torch.tensor([step]), "random": torch.get_rng_state()}
    write_whole(path, save(tensors))


def load_checkpoint(path: Path | None, model: nn.Module, optimiser: Optimizer, schedule: LRScheduler) -> int:
    """Put the state of `path` back and return its step; 0 when there is none that fits."""
    if path is None or not path.is_file():
        return 0
    try:
        tensors = load(path.read_bytes())
        model.load_state_dict({n[6:]: t for n, t in tensors.items() if n.startswith("model.")})
    except (SafetensorError, RuntimeError, OSError):
        return 0  # truncated, or of another network: start anew
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".", 2)
            state.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    torch.set_rng_state(tensors["random"])
    step = int(tensors["step"])
    schedule.last_epoch = step - 1
    schedule.step()
    return step


def remove_checkpoint(path: Path | None) -> None:
    """Forget the checkpoint of a finished phase."""
    if path is not None:
        path.unlink(missing_ok=True)
