"""Words of made-up items: every latent cluster is a kind of goods with four nouns of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_WORDS = """
coffee espresso latte mocha cappuccino|tea chamomile oolong matcha jasmine|bread baguette rye sourdough ciabatta
cheese gouda cheddar brie parmesan|fruit apple banana cherry mango|fish salmon tuna cod trout
meat steak bacon ham sausage|cleaning bleach mop sponge detergent|garden shovel tulip hose fertiliser
shoes boots sandals sneakers slippers|camera lens tripod flash shutter|phone charger headset handset screen
books novel poetry biography atlas|music guitar piano violin drum|sports football racket helmet skates
toys puzzle doll kite marbles|beauty lipstick mascara perfume powder|baby diaper pacifier stroller rattle
pets leash kennel aquarium catnip|paint brush canvas easel varnish|office stapler folder notebook pencil
kitchen skillet kettle whisk ladle|bedding pillow quilt mattress blanket|lighting lamp lantern candle bulb
tools hammer wrench drill pliers|camping tent stove hammock compass|bicycle pedal saddle tyre chain
fitness dumbbell treadmill yoga kettlebell|jewellery necklace bracelet ring earring|snacks crisps pretzel popcorn nuts
sweets chocolate toffee nougat marzipan|wine merlot riesling shiraz port
"""
_GROUPS = [group.split() for line in _WORDS.strip().splitlines() for group in line.split("|")]
KINDS = [group[0] for group in _GROUPS]
"""Names of the clusters, by cluster number."""
BRANDS = ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper", "Larch", "Maple"]
_NOUNS = np.array([group[1:] for group in _GROUPS])
_ADJECTIVES = np.array(["small", "large", "classic", "fine", "plain", "daily", "travel", "family", "new", "old"])


def titles(clusters: npt.NDArray[np.int64], rng: np.random.Generator, noise: float) -> list[str]:
    """One title per item: an adjective that says nothing and two nouns of its cluster, some replaced by chance.

    Args:
        clusters: (n,) cluster numbers.
        rng: source of chance.
        noise: share of nouns taken from any cluster.
    """
    n = len(clusters)
    out = [_ADJECTIVES[rng.integers(0, len(_ADJECTIVES), n)]]
    for _ in range(2):
        source = np.where(rng.random(n) < noise, rng.integers(0, len(_GROUPS), n), clusters)
        out.append(_NOUNS[source, rng.integers(0, _NOUNS.shape[1], n)])
    return [" ".join(words) for words in zip(*out, strict=True)]
