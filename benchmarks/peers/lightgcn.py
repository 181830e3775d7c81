"""RecBole's LightGCN on the graph of all people and items; one stated setting, as an epoch takes seconds to minutes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

EPOCHS = 50
USUAL = {
    "embedding_size": 64, "n_layers": 3, "reg_weight": 1e-4, "learning_rate": 0.002, "train_batch_size": 4096,
    "epochs": EPOCHS, "seed": 0, "reproducibility": True, "use_gpu": False, "show_progress": False,
    "load_col": {"inter": ["user_id", "item_id"]}, "state": "ERROR",
    "eval_args": {"split": {"RS": [1, 0, 0]}, "order": "RO", "group_by": "user", "mode": "full"},
}  # fmt: skip


def fit(matrix: sp.csr_matrix, settings: dict[str, Any]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.model.general_recommender import LightGCN
    from recbole.trainer import Trainer
    from recbole.utils import init_seed

    torch.set_num_threads(1)
    users, items = matrix.nonzero()
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # it leaves logs where it stands
        home = Path(folder) / "rows"
        home.mkdir()
        lines = "\n".join(f"{u}\t{i}" for u, i in zip(users.tolist(), items.tolist(), strict=True))
        (home / "rows.inter").write_text(f"user_id:token\titem_id:token\n{lines}\n")
        config = Config(model="LightGCN", dataset="rows", config_dict={
            **USUAL, **settings, "data_path": folder, "checkpoint_dir": folder})  # fmt: skip
        init_seed(config["seed"], config["reproducibility"])
        data = create_dataset(config)
        train = data_preparation(config, data)[0]
        model = LightGCN(config, train.dataset)
        Trainer(config, model).fit(train, saved=False, show_progress=False)
        with torch.no_grad():
            people, things = (part.numpy() for part in model.forward())
    row_of, place_of = (
        np.array([int(t) if t != "[PAD]" else -1 for t in data.field2id_token[f]]) for f in ("user_id", "item_id")
    )
    row, place = (_inverse(codes, size) for codes, size in zip((row_of, place_of), matrix.shape, strict=True))

    def score(asked: np.ndarray, columns: np.ndarray) -> np.ndarray:
        found = np.einsum("nf,nmf->nm", people[row[asked]], things[place[columns]])
        return np.where(place[columns] == 0, -np.inf, found)

    return score


def _inverse(codes: np.ndarray, size: int) -> np.ndarray:
    """Code → RecBole's number; 0, its padding, where it has none."""
    made = np.zeros(size, dtype=np.int64)
    made[codes[codes >= 0]] = np.flatnonzero(codes >= 0)
    return made
