"""Distillation: a small network learns what a large one, or vectors from interactions, have to say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..data.world import World
from ..models.base import Base, tensors_of
from ..models.network import Network
from ..objectives.distil import features, relations, response
from ..objectives.rank import sampled_softmax
from ..rng import seeded
from ..train.batches import Batch, Sampler
from ..train.loop import train
from .common import scores_of
from .ground import Ground, NetworkOptions
from .method import fusion
from .multitask import balance_of
from .teachers import Answer, NetworkTeacher, Teacher, forgotten, teachers_of


@dataclass(frozen=True)
class DistilOptions(NetworkOptions):
    """Options of `distil`; those of a network are the student's."""

    dim: int = 32
    """Width of item and user vectors."""
    hidden: int = 32
    """Width of hidden layers."""
    teacher: str = "shared_bottom"
    """Who teaches: a fusion method, or ``als``: vectors of items and people from interactions alone."""
    teachers: Literal["joint", "domains"] = "joint"
    """One teacher of all source domains, or one for each."""
    teacher_options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the teacher; what of the items is read is as for the student."""
    rank: float = 1.0
    """Weight of ranking, as without a teacher."""
    response: float = 1.0
    """Weight of the teacher's scores over lists of candidates."""
    features: float = 1.0
    """Weight of the teacher's item vectors."""
    match: Literal["map", "relations"] = "map"
    """How item vectors are compared: through a linear map that is learned, or by the distances between items."""
    temperature: float = 2.0
    """Of the scores; higher lets unlikely candidates say more."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if min(self.rank, self.response, self.features) < 0 or not (self.rank or self.response):
            raise ValueError("rank, response and features must be 0 or more, and rank or response above 0.")
        if self.temperature <= 0:
            raise ValueError("temperature must be above 0.")


@fusion(
    "distil",
    options=DistilOptions,
    paper="Hinton, Vinyals & Dean 2015, arXiv:1503.02531; Romero et al. 2015, FitNets; Park et al. 2019",
    when="the network has to be small, or many items have no interactions",
    cost="high",
)
def fit(world: World, sources: tuple[str, ...], options: DistilOptions, seed: int) -> Base:
    """A small network that learns from a large one, or from vectors of items that content alone does not give."""
    ground = Ground.open(world, sources, options, seed)
    sampler = ground.sampler()
    homes = {task: ground.tasks[task].rsplit("/", 1)[0] for task in ground.own}
    apart = tuple((s,) for s in sources if s in homes.values())
    groups = (tuple(sources),) if options.teachers == "joint" else apart
    with forgotten():
        teachers = teachers_of(options.teacher, groups, options.teacher_options, ground, sampler)
        known = {task: n for n, group in enumerate(groups) for task, home in homes.items() if home in group}
        with seeded(seed, "distil"):
            pupil = Pupil(Network(ground.sizes(), len(ground.tasks)), teachers)
            lessons = Lessons(sampler, teachers, known)

            def terms(lesson: Lesson, progress: float) -> dict[str, Tensor]:
                return losses(pupil, ground, options, lesson)

            phase, every = dataclasses.replace(options.phase(), task="distil"), [{"params": list(pupil.parameters())}]
            balance = balance_of(options, lambda: terms(lessons(1), 0.0))
            done = train(phase, pupil, every, lessons, terms, balance=balance)
    sizes = {
        "parameters": parameters(pupil.network),
        "teacher_parameters": sum(parameters(t.network) for t in teachers if isinstance(t, NetworkTeacher)),
    }
    return ground.base("distil", pupil.network, done, teacher=options.teacher, teachers=len(teachers), **sizes)


def parameters(network: nn.Module) -> int:
    """How many numbers a network has learned."""
    return sum(p.numel() for p in network.parameters())


class Pupil(nn.Module):
    """The network that is kept, and linear maps from its item vectors to each teacher's, which are not."""

    def __init__(self, network: Network, teachers: tuple[Teacher, ...]) -> None:
        super().__init__()
        self.network = network
        self.maps = nn.ModuleList(nn.Linear(network.sizes.dim, t.width) for t in teachers)


@dataclass(frozen=True)
class Lesson:
    """A batch and what the teacher `number` says of it."""

    batch: Batch
    answer: Answer
    number: int

    def __len__(self) -> int:
        return len(self.batch)


@dataclass(frozen=True, eq=False)
class Lessons:
    """Step number → `Lesson`; `known` says which teacher knows a task."""

    sampler: Sampler
    teachers: tuple[Teacher, ...]
    known: Mapping[int, int]

    def __call__(self, step: int) -> Lesson:
        """The lesson of `step`."""
        place, rows, drawn, launch = self.sampler.draw(step)
        data = self.sampler.tasks[place]
        number = self.known[data.task]
        answer = self.teachers[number](data.task, rows, drawn, launch)
        return Lesson(self.sampler.batch(data, rows, drawn, launch), answer, number)


def losses(pupil: Pupil, ground: Ground, options: DistilOptions, lesson: Lesson) -> dict[str, Tensor]:
    """The terms whose weight is above 0."""
    batch, answer, made = lesson.batch, lesson.answer, dict[str, Tensor]()
    vectors, biases = pupil.network.items(*tensors_of(ground.content, batch.items), batch.task)
    positive, scores = scores_of(pupil.network, batch, vectors, biases)
    if options.rank:
        made["rank"] = options.rank * sampled_softmax(positive, scores, batch.excluded)
    if options.response:
        places = torch.cat([batch.positive[:, None], batch.negatives.expand(len(batch), -1)], dim=1)
        every = torch.cat([positive[:, None], scores], dim=1)
        said = response(every, answer.scores, options.temperature, ~answer.known[places])
        made["response"] = options.response * said
    if options.features:
        told, wanted = vectors[answer.known], answer.vectors[answer.known]
        near = features(pupil.maps[lesson.number](told), wanted) if options.match == "map" else relations(told, wanted)
        made["features"] = options.features * near
    return made
