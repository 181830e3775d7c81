"""What the alignments share: sources and target trained together, with a term that draws their vectors to each other.

Aligned is what the towers say: item vectors by content, and user vectors before the heads. What is the target's own is
not: its head, the corrections of its items (`TargetItems`) and all item biases. Were they drawn together as well,
popularity, which differs between domains, would be lost (Zhao et al. 2019, arXiv:1901.09453, theorem 4.3).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor

from ..fusion.common import rank_loss
from ..models.base import Base
from ..objectives.adversarial import rising
from ..recommender import Recommender
from ..rng import seeded
from ..train.batches import Sampler
from ..train.loop import Phase, train
from ..train.watch import EarlyStop
from .moved import layers_moved
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .shared_bottom import source_sampler
from .sides import Lesson, Lessons, Part, Sides
from .space import Range, Space
from .tuning import Tuning, held_out, looks, parameters, target_loss, target_sampler, valid_loss
from .zero_shot import base_of

Align = Callable[[Sides, float], Mapping[str, Tensor]]
"""(vectors of one step, λ from 0 to `weight`) → named terms."""
Groups = list[Mapping[str, Any]]
Maker = Callable[[Lessons, Any], tuple[Groups, Align]]
"""(what is drawn, options) → (what is trained beside the towers and then thrown away, the terms)."""
_EVERY = 40
"""Steps between looks at users held out."""


@dataclass(frozen=True)
class AligningOptions:
    """Options that every alignment has."""

    weight: float = 1.0
    """Weight of the alignment beside the ranking losses; it rises from 0 over the first steps."""
    align: Literal["items", "users", "both"] = "items"
    """What is aligned: the items of the sources and of the target, their people, or both."""
    steps: int = 400
    """Most steps, from the base's weights on; users held out say when to stop where the target is visible."""
    rate: float = 2e-3
    """Learning rate at its highest."""
    target_share: float = 0.5
    """Weight of the target's ranking loss; the sources' has the rest."""
    penalty: float = 30.0
    """Pull of item corrections towards what content says; more for few events."""
    sample: int = 128
    """Items, and people, drawn of each side a step."""
    batch: int = 128
    """Examples a step, of the sources and of the target each."""
    negatives: int = 512
    """Items drawn a step as not chosen."""

    search: ClassVar[Space] = {
        "weight": Range(0.03, 10.0, log=True),
        "rate": Range(2e-4, 0.02, log=True),
        "penalty": Range(1.0, 300.0, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.steps, self.batch, self.negatives) < 1 or self.sample < 2 or self.rate <= 0:
            raise ValueError("steps, batch and negatives ≥ 1, sample ≥ 2 and rate > 0 are needed.")
        if min(self.weight, self.penalty) < 0 or not 0 < self.target_share < 1:
            raise ValueError("weight and penalty ≥ 0 and target_share between 0 and 1 are needed.")


def aligned(base: Base | None, problem: Problem, options: Any, name: str, make: Maker) -> Recommender:
    """The base goes on learning on sources and target, with the terms of `make`.

    Raises:
        MethodError: there is no base, or it has a head for none of the visible sources.
    """
    known = base_of(base)
    shop = Shop.open(known, problem)
    tuning = Tuning(options.steps, options.rate, options.penalty, batch=options.batch, negatives=options.negatives)
    own = target_sampler(shop, tuning, len(known.tasks))
    like = Sampler((), shop.profiles, shop.levels, problem.seed, tuning.batch, tuning.negatives, tuning.launch)
    parts: tuple[Part, ...] = ("items", "users") if options.align == "both" else (options.align,)
    lessons = Lessons(shop, source_sampler(like, shop, name), own, options.sample, parts)
    run = Run(lessons, options, name, make)
    target, facts = run.blind() if own is None else run.stopped(own, tuning)
    before, after = (round(lessons.told_apart(t), 3) for t in (shop.newcomer(), target))
    told = [part for part in parts if part == "items" or own is not None]
    facts |= {"aligned": told, "proxy_a_before": before, "proxy_a": after, "layers": layers_moved(shop, target)}
    scorer = shop.scorer(target, "content" if own is None else "history")
    return recommender_for(problem, name, scorer, fusion=known.fusion, **facts)


@dataclass(frozen=True, eq=False)
class Run:
    """Training of one alignment.

    Attributes:
        lessons: what is trained on.
        options: of the method.
        name: of the method, in progress lines and seeds.
        make: its terms.
    """

    lessons: Lessons
    options: Any
    name: str
    make: Maker

    def blind(self) -> tuple[Target, dict[str, Any]]:
        """All steps: nobody of the target can say when to stop."""
        return self.trained(self.lessons, self.options.steps), {"steps": self.options.steps}

    def stopped(self, own: Sampler, tuning: Tuning) -> tuple[Target, dict[str, Any]]:
        """As many steps as users held out say, then anew on all rows; the base as it is where nothing is gained."""
        shop = self.lessons.shop
        train_rows, valid_rows = held_out(own, tuning)
        seen = looks(own, valid_rows)
        rest = dataclasses.replace(self.lessons, own=dataclasses.replace(own, tasks=(own.tasks[0].take(train_rows),)))
        stops: list[EarlyStop] = []

        def watch(target: Target) -> EarlyStop:
            stops.append(EarlyStop(lambda _: -valid_loss(target, shop, seen), tuning.patience))
            return stops[-1]

        self.trained(rest, self.options.steps, watch)
        best, first = stops[0].best_step, stops[0].first or 0.0
        if best == 0:
            return shop.newcomer(), {"steps": 0, "why": "validation gained nothing"}
        steps = max(1, round(best / (1 - tuning.valid_share)))
        return self.trained(self.lessons, steps), {
            "steps": steps,
            "validation_gain_nats": round(stops[0].best - first, 4),
        }

    def trained(self, lessons: Lessons, steps: int, watch: Callable[[Target], EarlyStop] | None = None) -> Target:
        """A newcomer after `steps` steps, or fewer where `watch` says so."""
        o, shop = self.options, lessons.shop
        pull = 0.0 if lessons.own is None else o.penalty / len(lessons.own.tasks[0].users)
        share = 0.0 if lessons.own is None else o.target_share
        phase = Phase(self.name, steps, o.rate, decay=0.0, every=_EVERY)
        with seeded(shop.problem.seed, self.name):
            target = shop.newcomer()
            beside, align = self.make(lessons, o)

            def losses(lesson: Lesson, progress: float) -> dict[str, Tensor]:
                terms = {"sources": (1 - share) * rank_loss(target.network, shop.content, lesson.elsewhere)}
                if lesson.own is not None:
                    terms["target"] = share * target_loss(target, shop, lesson.own)
                    terms["prior"] = pull * target.items.penalty()
                if o.weight:
                    terms |= align(lessons.sides(target, lesson), o.weight * rising(progress))
                return terms

            groups: Groups = [{"params": list(parameters(target))}, *beside]
            train(phase, target, groups, lessons, losses, None if watch is None else watch(target))
        return target
