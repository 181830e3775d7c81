"""One fit of another library, in the library's own environment: `python peer.py NAME DATA.npz SETTINGS SCORES.npy`.

Prints one JSON line: processor seconds of fit and scoring, memory before and at most.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sp

sys.path.append(str(Path(__file__).parents[1]))
from watched import memory_mb, own_peak_mb

_BLOCK = 256


def main() -> None:
    name, data, settings, scores = sys.argv[1:]
    with np.load(data) as kept:
        parts = kept["data"], kept["indices"], kept["indptr"]
        matrix = sp.csr_matrix(parts, shape=tuple(kept["shape"]))
        users, columns = kept["users"], kept["columns"]
    if name == "recbole lightgcn":
        from lightgcn import fit
    else:
        from libraries import LIBRARIES

        fit = LIBRARIES[name]
    before, start = memory_mb("self", "VmRSS"), time.process_time()
    score = fit(matrix, json.loads(settings))
    fitted = time.process_time()
    blocks = [slice(s, s + _BLOCK) for s in range(0, len(users), _BLOCK)]
    found = np.concatenate([score(users[b], np.maximum(columns[b], 0)) for b in blocks])
    seconds = {"fit": round(fitted - start, 2), "score": round(time.process_time() - fitted, 2)}
    np.save(scores, np.where(columns < 0, -np.inf, found).astype(np.float32))
    print(json.dumps({"seconds": seconds, "before_mb": round(before), "most_mb": round(own_peak_mb())}))


if __name__ == "__main__":
    main()
