"""Advice: recipes for a launch, best first, each with what to expect, what it costs and why; or not to transfer."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArtifactError, ConfigError, CrossaisleError, MethodError
from ..evaluate.sources import nearness
from ..files import check_schema, read_json
from ..gap.launch import LaunchFacts
from ..transfer.method import TransferMethod, check_needs
from ..transfer.parts import method_of
from ..transfer.problem import Problem
from .cases import Case, Recipe
from .outlook import Outlook, gain_of
from .words import Word, percent, reasons_of, warnings_of, word_of

SCHEMA_VERSION = 1
CLOSE = 0.01
"""Expected gains that differ by less than this in the logarithm are alike; then the cheaper comes first."""


@dataclass(frozen=True)
class Limits:
    """What a recipe may cost and do."""

    minutes: float | None = None
    """Most minutes that fusion and fit may take on one or two cores, as expected from past reports."""
    memory: float | None = None
    """Most gigabytes that the process may need."""
    explainable: bool = False
    """Only methods whose scores are sums over what a person had (`crossaisle explain` is exact for them)."""
    private: bool = False
    """People may not be recognised from one domain to the next."""

    def __post_init__(self) -> None:
        """Refuse limits that nothing meets."""
        for name in ("minutes", "memory"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name} is {value}; a number above 0 is needed.")


@dataclass(frozen=True)
class Past:
    """A past case that speaks for or against: what the recipe gained there over the best control."""

    world: str
    target: str
    step: str
    gain: float


@dataclass(frozen=True)
class Advice:
    """One recipe.

    Attributes:
        recipe: its name.
        method: transfer method or control.
        fusion: of its base; None where it reads none.
        options: of the method, where they differ from the default.
        sources: domains whose knowledge it uses, the nearest first (`crossaisle sources` says what each adds).
        control: whether it reads the target alone: "do not transfer".
        gain: expected nDCG@10 over that of the best control, less 1: 0.1 is 10 % better.
        low: lower end of the 80 % interval of what will be measured.
        high: upper end.
        seconds: expected of fusion and fit.
        memory: expected gigabytes of the process.
        word: in plain words.
        reasons: sentences.
        past: cases that said most.
    """

    recipe: str
    method: str
    fusion: str | None
    options: Mapping[str, Any]
    sources: tuple[str, ...]
    control: bool
    gain: float
    low: float
    high: float
    seconds: float
    memory: float
    word: Word
    reasons: tuple[str, ...]
    past: tuple[Past, ...]


@dataclass(frozen=True)
class Advised:
    """All recipes for one launch, best first.

    Attributes:
        target: domain.
        facts: what is known beforehand.
        rows: recipes that can run within the limits.
        left_out: recipe → why not.
        warnings: sentences a reader must know.
    """

    target: str
    facts: LaunchFacts
    rows: tuple[Advice, ...]
    left_out: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        first = self.rows[0]
        if first.control:
            return f"Do not transfer: use {first.recipe}, which reads {self.target} alone."
        best = next((r for r in self.rows if r.control), None)
        beside = "" if best is None else f"; without transfer, {best.recipe} is the one to beat"
        return f"Try {first.recipe}: {percent(first)} against the best control{beside}."

    def short(self, most: int = 8) -> list[Advice]:
        """The first `most` rows, and the best control where it stands below them."""
        shown = list(self.rows[:most])
        below = [r for r in self.rows if r.control and r not in shown][:1]
        return shown if any(r.control for r in shown) else [*shown, *below]

    def to_document(self) -> dict[str, Any]:
        """As JSON takes it, with ``schema_version`` first."""
        return {"schema_version": SCHEMA_VERSION, "sentence": self.sentence, **dataclasses.asdict(self)}

    def to_json(self) -> str:
        """`to_document` as indented text."""
        return json.dumps(self.to_document(), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Advised:
        """Read ``advice.json`` back.

        Raises:
            ArtifactError: missing, no advice, or of a newer schema.
        """
        body = read_json(path, "file of advice", "run `crossaisle advise` with --out")
        check_schema(body, str(path), SCHEMA_VERSION)
        try:
            rows = tuple(_row_of(r) for r in body["rows"])
            facts = LaunchFacts(**body["facts"])
            return cls(body["target"], facts, rows, dict(body["left_out"]), tuple(body["warnings"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"{path} is not a whole advice.json ({error}); ask for advice again.") from None


def advise(problem: Problem, cases: Sequence[Case], limits: Limits | None = None) -> Advised:
    """Rank the recipes of past cases for `problem`; nothing is trained and no test row is read.

    Args:
        problem: what is visible of the target and the sources.
        cases: of past reports.
        limits: what a recipe may cost and do.

    Raises:
        MethodError: there are no past cases, or no recipe meets needs and limits; the sentence names one of the needs.
    """
    limits = limits or Limits()
    facts = LaunchFacts.of(problem)
    if limits.private:
        facts = dataclasses.replace(facts, known=0.0, history=0.0, agreement=1.0)
    apart, known = strangers(problem, facts, limits), {c.recipe.name: c.recipe for c in cases}
    left_out = {name: why for name in sorted(known) if (why := refused(known[name], problem, limits, apart))}
    recipes = [known[name] for name in sorted(known) if name not in left_out]
    rows = _rows(cases, problem, facts, recipes) if recipes else []
    for row in rows:
        why = too_dear(row, limits)
        if why:
            left_out[row.recipe] = why
    kept = tuple(r for r in rows if r.recipe not in left_out)
    if not kept:
        some = next(reversed(left_out.values()), "there are no past cases")  # limits come after needs
        raise MethodError(f"no recipe fits {problem.target!r} within these limits, for example because {some}")
    return Advised(problem.target, facts, kept, left_out, tuple(warnings_of(facts, limits)))


def _rows(cases: Sequence[Case], problem: Problem, facts: LaunchFacts, recipes: Sequence[Recipe]) -> list[Advice]:
    look, near = Outlook.of(cases), nearness(problem)
    sources = tuple(sorted(problem.sources, key=lambda name: -near[name]))
    asked = look.points(facts, recipes)
    gain, seconds, memory = (model.expect(asked) for model in (look.gain, look.seconds, look.memory))
    rows = []
    for place, recipe in enumerate(recipes):
        mean, low, high = (float(np.expm1(values[place])) for values in (gain.mean, gain.low, gain.high))
        past = [_past(c) for c in look.evidence(gain, place, recipe)]
        control = recipe.entry.kind == "control"
        rows.append(
            Advice(
                recipe.name,
                recipe.method,
                recipe.fusion,
                recipe.options,
                () if control else sources,
                control,
                mean,
                low,
                high,
                seconds=float(np.exp(seconds.mean[place])),
                memory=float(np.exp(memory.mean[place])) / 1024.0,
                word=word_of(control, mean, low, high),
                reasons=tuple(reasons_of(recipe, facts, past)),
                past=tuple(past),
            )
        )
    return sorted(rows, key=order)


def order(row: Advice) -> tuple[int, float, str]:
    """Sorts advice: the largest expected gain first; of those alike, the cheapest."""
    return -round(float(np.log1p(row.gain)) / CLOSE), row.seconds, row.recipe


def refused(recipe: Recipe, problem: Problem, limits: Limits, apart: bool) -> str:
    """Why `recipe` cannot be used for `problem`, in a sentence; empty where it can. `apart`: see `strangers`."""
    try:
        method = recipe.entry.method
        if not problem.sources and recipe.entry.kind != "control":
            return "there is no other domain to learn from."
        if limits.private and {"overlapping_users"} & {*method.needs, *method.wants}:
            return "it has to recognise people from one domain to the next, which --private rules out."
        if limits.explainable and not additive(recipe):
            return "its scores are no sums over what a person had, which --explainable asks for."
        if recipe.entry.kind != "control" and apart and not reads_content(recipe):
            return "it carries knowledge by shared people and items alone, and neither are shared."
        # A base is made when it is wanted, from whatever the items say of themselves.
        needs = tuple(n for n in method.needs if n != "base")
        check_needs(dataclasses.replace(method, needs=needs), None, problem)
    except CrossaisleError as error:
        return str(error)
    return ""


def additive(recipe: Recipe) -> bool:
    """Whether its scores are sums over what a person had: the method's are, or those of each of its parts."""
    return all(m.additive for m in _methods(recipe))


def reads_content(recipe: Recipe) -> bool:
    """Whether it, or one of its parts, reads what items say of themselves, alone or by a base."""
    return any({"base", "item_content"} & {*m.needs, *m.wants} for m in (recipe.entry.method, *_methods(recipe)))


def strangers(problem: Problem, facts: LaunchFacts, limits: Limits) -> bool:
    """Whether the target and the sources have no items in common, and no people that may be recognised."""
    return facts.elsewhere == 0 and (limits.private or not any(nearness(problem).values()))


def _methods(recipe: Recipe) -> list[TransferMethod]:
    """Its parts, or itself."""
    entry = recipe.entry
    parts = getattr(entry.options, "parts", ())
    return [method_of(p, entry.options.part_options) for p in parts] if parts else [entry.method]


def too_dear(row: Advice, limits: Limits) -> str:
    """Why `row` is over the limits; empty where it is not."""
    if limits.minutes is not None and row.seconds > 60 * limits.minutes:
        return f"it is expected to take {row.seconds / 60:.2g} minutes of {limits.minutes:g}."
    if limits.memory is not None and row.memory > limits.memory:
        return f"it is expected to need {row.memory:.1f} GB of {limits.memory:g}."
    return ""


def _row_of(row: Mapping[str, Any]) -> Advice:
    """A row of the document: what JSON holds as lists are tuples here."""
    past = tuple(Past(**p) for p in row["past"])
    return Advice(**{**row, "sources": tuple(row["sources"]), "reasons": tuple(row["reasons"]), "past": past})


def _past(case: Case) -> Past:
    launch = case.launch
    gain = float(np.expm1(gain_of(case.value, launch.control)))
    return Past(launch.world, launch.target, launch.step, gain)
