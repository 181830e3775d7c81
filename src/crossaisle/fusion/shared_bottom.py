"""Shared bottom: one network for all source domains, with a head for each (domain, event)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..data.world import World
from ..encoders.content import ContentOptions, ContentReader
from ..errors import MethodError
from ..models.base import Base, item_rows, mark_of, people_of, user_levels
from ..models.network import Network
from ..models.profile import Profiles
from ..rng import seeded
from ..train.batches import Sampler, task_data
from ..train.loop import Phase, train
from .common import event_weights, liked_rows, rank_loss, sizes_of, tasks_of
from .method import fusion


@dataclass(frozen=True)
class SharedBottomOptions:
    """Options of `shared_bottom`."""

    steps: int = 1500
    """Steps of the optimiser."""
    batch: int = 256
    """Examples a step."""
    negatives: int = 512
    """Items drawn a step as not chosen."""
    rate: float = 2e-3
    """Learning rate at its highest."""
    decay: float = 1e-2
    """Weight decay."""
    dim: int = 64
    """Width of item and user vectors."""
    hidden: int = 128
    """Width of hidden layers."""
    collaborative: int = 64
    """Width of the collaborative part of user profiles."""
    launch: float = 0.7
    """Share of steps in which users are seen without their history in the domain, as on a launch day."""
    content: ContentOptions = field(default_factory=ContentOptions)
    """What of the items is read."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.steps, self.batch, self.negatives, self.dim, self.hidden, self.collaborative) < 1:
            raise ValueError("steps, batch, negatives, dim, hidden and collaborative must be at least 1.")
        if not 0 <= self.launch <= 1 or self.rate <= 0:
            raise ValueError("launch must be a share from 0 to 1 and rate above 0.")


@fusion(
    "shared_bottom",
    options=SharedBottomOptions,
    paper="Caruana 1997, Multitask Learning; sampled softmax as in Jean et al. 2015",
)
def fit(world: World, sources: tuple[str, ...], options: SharedBottomOptions, seed: int) -> Base:
    """One network for all source domains, a head for each (domain, event)."""
    own, catalogues, names = tasks_of(world, sources)
    if not own:
        raise MethodError(f"nothing to fuse: {', '.join(sources) or 'no source'} has no visible interactions.")
    reader, content = ContentReader.fit(item_rows(world), options.content)
    if not (content.text.shape[1] + content.numeric.shape[1] + content.levels.shape[1]):
        raise MethodError(
            "nothing to fuse: items have no title, price or attribute that can be read; add such columns to items, or "
            "choose a method that reads interactions alone (ease, als, user_kernel)."
        )
    people = people_of(world)
    events = event_weights(liked_rows(world, sources), world.n_users, world.n_items)
    profiles = Profiles.fit(events, content, options.collaborative, seed)
    sizes = sizes_of(content, reader, profiles, people, options.dim, options.hidden)
    tasks, levels = task_data(own, catalogues, events, profiles), user_levels(world, people)
    sampler = Sampler(tasks, profiles, levels, seed, options.batch, options.negatives, options.launch)
    with seeded(seed, "shared_bottom"):
        network = Network(sizes, len(names))
        phase = Phase("fuse", options.steps, options.rate, options.decay, resumable=True)
        groups = [{"params": list(network.parameters())}]
        done = train(phase, network, groups, sampler, lambda b, _: {"rank": rank_loss(network, content, b)})
    facts = {
        "items": mark_of(world),
        "steps": done.steps,
        "examples_per_second": round(done.examples_per_second),
        "losses": dict(done.losses),
    }
    weights = {n: t.detach().clone() for n, t in network.state_dict().items()}
    return Base("shared_bottom", tuple(sources), reader, people, profiles, sizes, names, weights, facts)
