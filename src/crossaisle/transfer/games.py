"""What the alignments by a game share: the network that is played against, and a discriminator's loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from ..models.discriminator import Discriminator
from ..objectives.adversarial import domain_loss, gradient_penalty, margins
from .aligning import AligningOptions, Groups
from .sides import Lessons
from .space import Range, Space


@dataclass(frozen=True)
class GameOptions(AligningOptions):
    """Options of alignments by a game."""

    weight: float = 3.0
    """Weight of the reversed gradient beside the ranking losses'; it rises from 0 over the first steps."""
    hidden: int = 64
    """Width of the network that is played against."""
    adversary_rate: float = 5.0
    """Its learning rate as a multiple of `rate`: it has to keep up with the towers."""
    smooth: float = 0.3
    """Penalty on its slope; without one it is soon too sure of itself, and teaches nothing."""

    search: ClassVar[Space] = {**AligningOptions.search, "smooth": Range(0.03, 3.0, log=True)}

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if self.hidden < 1 or self.adversary_rate <= 0 or self.smooth < 0:
            raise ValueError("hidden ≥ 1, adversary_rate > 0 and smooth ≥ 0 are needed.")


def opponents(lessons: Lessons, options: GameOptions, width: int, logits: int) -> tuple[nn.ModuleDict, Groups]:
    """A network for each part, under the part's name with ``of_`` before it, and their parameter group."""
    made = nn.ModuleDict({f"of_{part}": Discriminator(width, options.hidden, logits) for part in lessons.parts})
    return made, [{"params": list(made.parameters()), "lr": options.rate * options.adversary_rate}]


def told_apart(against: nn.Module, read: Tensor, domain: Tensor, smooth: float, weight: Tensor | None = None) -> Tensor:
    """`domain_loss` of a discriminator that reads `read` (n, d), and its slope's penalty, which moves it alone."""
    points = read.detach().requires_grad_()
    penalty = gradient_penalty(margins(against(points), domain), points, 0.0)
    return domain_loss(against(read), domain, weight) + smooth * penalty
