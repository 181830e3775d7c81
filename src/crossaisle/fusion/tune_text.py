"""A text encoder adapted to a shop: what the same people buy is near, by low-rank changes that become part of it."""

from __future__ import annotations

import math
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ..data.splits.base import Moment
from ..data.world import World
from ..encoders import text_model
from ..encoders.text import TextEncoder
from ..errors import ConfigError, StorageError
from ..objectives.contrast import aligned
from ..rng import seeded
from ..train.loop import Phase, train
from ..transfer.visible import sources_alone
from .text_pairs import Drawn, TextPairs

ATTENTION = (("query", "value"), ("q_proj", "v_proj"), ("q_lin", "v_lin"), ("q", "v"), ("Wqkv",), ("qkv_proj",))
"""What families of models call the matrices that the queries and values of attention come from."""

_WHOLE = 1_000_000
"""More tokens than any model reads: its own limit holds."""


@dataclass(frozen=True)
class TextTuning:
    """Options of `tune_text`."""

    model: str = "minilm"
    """Text model to start from: ``minilm``, a folder or a model's name."""
    fields: tuple[str, ...] = ("title", "description", "brand", "category")
    """Columns whose words are read together, as the encoder will read them."""
    rank: int = 8
    """Rank of the change of every matrix."""
    alpha: float = 16.0
    """Size of the changes: they count alpha / rank."""
    rate: float = 1e-3
    """Learning rate at its highest."""
    temperature: float = 0.05
    """Of the cosines; lower looks at the nearest negatives alone."""
    batch: int = 64
    """Pairs a step; the other pairs of a step are the negatives of each."""
    max_tokens: int = 32
    """Longer texts are cut while it learns; what is saved reads as long ones as before."""
    smoothing: float = 0.5
    """A text that n of the people have is drawn as if n^smoothing had it: below 1, popular texts come less often."""
    across: float = 0.5
    """Share of the pairs that are of two domains, of people who have bought in two."""
    steps: int = 300
    """Most steps."""
    minutes: float = 5.0
    """It ends then if the steps have not ended it. The same seed gives the same model where the steps do."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.rank, self.steps) < 1 or self.batch < 2 or self.max_tokens < 3:
            raise ConfigError("rank and steps ≥ 1, batch ≥ 2 and max_tokens ≥ 3 are needed.")
        if min(self.alpha, self.rate, self.temperature, self.minutes) <= 0:
            raise ConfigError("alpha, rate, temperature and minutes must be above 0.")
        if not (0 <= self.smoothing <= 1 and 0 <= self.across <= 1):
            raise ConfigError("smoothing and across must be from 0 to 1.")


@dataclass(frozen=True)
class TunedText:
    """What came of it.

    Attributes:
        folder: holds the tuned model.
        texts: how many distinct texts people had.
        people: how many trained.
        judges: how many were held out.
        steps: that were taken.
        before: how often two people held out, with two texts each, were told from the same four texts paired wrongly
            (.5 is chance), by the model as it was.
        after: the same by the tuned model.
    """

    folder: str
    texts: int
    people: int
    judges: int
    steps: int
    before: float
    after: float

    @property
    def learned(self) -> bool:
        """Whether that rose, to more than chance by ½ / √judges."""
        return self.after > max(self.before, 0.5 + 0.5 / math.sqrt(max(self.judges, 1)))


def tune_text(
    world: World,
    out: str | Path,
    sources: Sequence[str] = (),
    *,
    cut: Moment | None = None,
    tuning: TextTuning | None = None,
    seed: int = 0,
) -> TunedText:
    """Adapt a text model to what people of `sources` buy together, and save it to `out`, whole or not at all.

    L = ½ (InfoNCE(cos(x, y) / τ) + InfoNCE(cos(y, x) / τ)) over pairs (x_a, y_a) of texts that person a has; the texts
    of the other pairs are negatives, but not where person a has them. Matrices change by W + (α / r) B A (Hu et al.
    2022, arXiv:2106.09685, eq. 3), and in the end the changes are added to them.

    Args:
        world: all domains.
        out: folder that takes a sentence-transformers model, to be named as ``content.text``; not there yet, or empty.
        sources: domains to learn from; empty: all of them.
        cut: nothing from this time on is seen; None sees everything.
        tuning: the model to start from, its size of change, and when it ends.
        seed: of everything random.

    Raises:
        ConfigError: `out` is taken, a package is missing, or the model cannot be loaded or adapted.
        DataError: unknown domain.
        MethodError: no text, or too few people with two.
        StorageError: `out` cannot be written.
        TrainingError: the loss is no number.
    """
    folder, options = Path(out).resolve(), tuning or TextTuning()
    _check(folder)
    names = tuple(sources) or tuple(world.domains.ids.to_list())
    encoder = TextEncoder(options.model, fields=options.fields)
    pairs = TextPairs.of(sources_alone(world, names, cut), names, encoder, options.smoothing, options.across, seed)
    model = text_model.load(options.model, _WHOLE, "float32").to("cpu")  # as everything else that is trained here
    whole, judges = model.max_seq_length, pairs.judges()
    model.max_seq_length = min(options.max_tokens, whole)
    before = told(model, pairs.texts, judges)
    steps = _learn(model, pairs, options, seed)
    after = told(model, pairs.texts, judges)
    model.max_seq_length = whole
    save(model, folder)
    return TunedText(str(folder), len(pairs.texts), pairs.trained.shape[0], pairs.held, steps, before, after)


def _learn(model: Any, pairs: TextPairs, options: TextTuning, seed: int) -> int:
    """Change `model`; how many steps were taken."""
    with seeded(seed, "tune text"), low_rank(model, options) as learned:
        return train(
            Phase("tune text", options.steps, options.rate, seconds=60 * options.minutes),
            model,
            [{"params": learned}],
            lambda step: pairs.draw(step, options.batch),
            lambda drawn, _: {"pairs": _loss(model, pairs.texts, drawn, options.temperature)},
        ).steps


def _check(out: Path) -> None:
    """Refuse at once what could not be saved or learned in the end."""
    if out == Path.cwd() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise ConfigError(f"{out} is there already; name another folder, or remove it.")
    if find_spec("peft") is None:
        raise ConfigError(f"tuning a text model needs the package peft, which is not installed; {text_model.INSTALL}.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(out, error) from error
    if not os.access(out.parent, os.W_OK):
        raise StorageError(f"cannot write in {out.parent}: it is not yours to write; name another place.")


@contextmanager
def low_rank(model: Any, options: TextTuning) -> Iterator[list[nn.Parameter]]:
    """Within the block the attention of a SentenceTransformer changes by low rank, by the parameters given; afterwards
    the changes are part of its matrices.

    Raises:
        ConfigError: attention is not found in the model.
    """
    inner = model[0].auto_model
    ends = {name.rsplit(".", 1)[-1] for name, part in inner.named_modules() if isinstance(part, nn.Linear)}
    names = next((list(some) for some in ATTENTION if ends.issuperset(some)), None)
    if names is None:
        raise ConfigError(
            f"no attention that is known in the text model {options.model!r} (it has {', '.join(sorted(ends))}); "
            "take a model of another family, such as minilm."
        )
    peft = import_module("peft")
    changes = peft.LoraConfig(r=options.rank, lora_alpha=options.alpha, target_modules=names, bias="none")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")  # what peft asks it for
        changed = peft.get_peft_model(inner, changes)  # in place: `model` computes with them from here on
    yield [p for p in changed.parameters() if p.requires_grad]
    changed.merge_and_unload()


def told(model: Any, texts: tuple[str, ...], drawn: Drawn) -> float:
    """How often cos(x_a, y_a) + cos(x_b, y_b) > cos(x_a, y_b) + cos(x_b, y_a) over pairs of two people; ties are half.

    What makes a text near to all others, such as being popular or short, is on both sides: .5 is chance. Two people one
    of whom has a text of the other's are not asked.
    """
    numbers, place = drawn.distinct()
    vectors = model.encode([texts[n] for n in numbers], normalize_embeddings=True, show_progress_bar=False)
    one, other = np.split(vectors[place], 2)
    cosine = one @ other.T
    right = np.diag(cosine)[:, None] + np.diag(cosine)[None, :]
    wrong = cosine + cosine.T
    won = (right > wrong) + 0.5 * (right == wrong)
    asked = ~(drawn.known | drawn.known.T)
    return float(won[asked].mean()) if asked.any() else 0.5


def _loss(model: Any, texts: tuple[str, ...], drawn: Drawn, temperature: float) -> Tensor:
    numbers, place = drawn.distinct()
    read = getattr(model, "preprocess", None) or model.tokenize  # its name before sentence-transformers 6
    vectors = model(read([texts[n] for n in numbers]))["sentence_embedding"]
    one, other = vectors[torch.from_numpy(place)].chunk(2)
    return aligned(one, other, temperature, torch.from_numpy(drawn.known))


def save(model: Any, out: Path) -> None:
    """Write a SentenceTransformer to `out`, whole or not at all.

    Raises:
        StorageError: with what the system said.
    """
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with text_model.without_bars():
            model.save(str(part), create_model_card=False, safe_serialization=True)
        os.replace(part, out)
    except (OSError, SafetensorError) as error:
        raise _refused(out, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _refused(out: Path, error: Exception) -> StorageError:
    reason = getattr(error, "strerror", None) or error
    return StorageError(f"cannot write {out}: {reason}; free some space or name another place.")
