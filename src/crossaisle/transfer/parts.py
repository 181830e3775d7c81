"""Parts: recommenders that another one combines, by name ``method``, ``method@scope`` or any label with options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import config
from ..errors import MethodError
from ..models.base import Base
from ..recommender import SCORERS, Recommender
from ..types import Scorer, Tensors
from .method import METHODS, TransferMethod, check_needs
from .problem import Problem

Options = Mapping[str, Mapping[str, Any]]
"""Options of parts, by the part's name; ``method`` among them says which method a label stands for."""


def method_of(name: str, options: Options) -> TransferMethod:
    """The method that part `name` stands for.

    Raises:
        MethodError: there is none.
    """
    return METHODS.get(str(options.get(name, {}).get("method", name.partition("@")[0])))


def reads_base(method: TransferMethod, options: Any) -> bool:
    """Whether `method` under `options` reads a base: a composite does where one of its parts does.

    Raises:
        MethodError: an unknown part.
    """
    parts = getattr(options, "parts", ())
    if not parts:
        return method.reads_base
    return any(method_of(part, options.part_options).reads_base for part in parts)


def usable(
    whole: str, parts: Sequence[str], base: Base | None, problem: Problem, options: Options
) -> tuple[list[str], dict[str, str]]:
    """Parts whose needs are met, and the sentence of each that is not.

    Raises:
        MethodError: nothing is left for `whole`, or an unknown part.
    """
    names, left_out = [], {}
    for name in parts:
        method = method_of(name, options)
        try:
            check_needs(method, base, problem)
            names.append(name)
        except MethodError as error:
            left_out[name] = str(error)
    if not names:
        raise MethodError(f"{whole} has no usable part: " + " ".join(left_out.values()))
    return names, left_out


def fit_part(whole: str, name: str, base: Base | None, problem: Problem, options: Options) -> Recommender:
    """Part `name` of `whole` on `problem`.

    Raises:
        ConfigError: a wrong option.
    """
    scope = name.partition("@")[2]
    asked = {k: v for k, v in options.get(name, {}).items() if k != "method"} | ({"scope": scope} if scope else {})
    found = method_of(name, options)
    chosen: Any = config.build(found.options, asked, f"{whole}: options of {name}")
    return found.fit(base, problem, chosen)


def pack_parts(parts: Mapping[str, Scorer]) -> tuple[Tensors, list[dict[str, Any]]]:
    """Arrays and numbers of scorers, for `Scorer.state`."""
    tensors: Tensors = {}
    about = []
    for number, (name, part) in enumerate(parts.items()):
        own, meta = part.state()
        tensors |= {f"{number}.{n}": t for n, t in own.items()}
        about.append({"name": name, "kind": part.kind, "meta": meta})
    return tensors, about


def unpack_parts(tensors: Tensors, about: Sequence[Mapping[str, Any]]) -> dict[str, Scorer]:
    """The inverse of `pack_parts`."""
    parts: dict[str, Scorer] = {}
    for number, part in enumerate(about):
        start = f"{number}."
        own = {n[len(start) :]: t for n, t in tensors.items() if n.startswith(start)}
        parts[part["name"]] = SCORERS.get(part["kind"]).restore(own, part["meta"])
    return parts
