"""Explanations in words that a shop assistant would use."""

from __future__ import annotations

from collections.abc import Sequence

from .explanation import Explanation, Gains, Named, Source, TransferExplanation

GENERAL = 10
"""Up to this place in the list of somebody unknown an item suits people in general."""
_SHOWN = 0.01
"""Smaller shares are not named."""
_LAYERS = {
    "user.fuse": "how histories are read",
    "user.body": "how histories are read",
    "user.mixing": "what each domain makes of a history",
    "user.vector": "the taste of people",
    "item.fuse": "how items are read",
    "item.body": "how items are read",
    "item.mixing": "what each domain makes of an item",
    "item.vector": "the place of items",
    "item.bias": "what sells in general",
    "heads": "what each domain wants of a taste",
    "items": "corrections of single items by their own buyers",
}


def sentence(e: Explanation) -> str:
    """The whole explanation in two to four sentences."""
    item = e.title or e.item_id
    if not e.known:
        return f"Nothing is known of this person: {item} is what suits people in general."
    if e.basis == "popularity":
        return f"Nothing this person did tells about {item}: it is what suits people in general."
    return " ".join(part for part in (_because(e, item), _from(e), _modality(e), _otherwise(e, item)) if part)


def _because(e: Explanation, item: str) -> str:
    if not e.because:
        return f"What this person has speaks against {item} rather than for it."
    had = listed([f"{b.title or b.item_id} ({b.domain})" for b in e.because])
    if e.place is None or e.place_for_anybody is None:
        return f"{item}, which this person has already, goes best with {had}."
    if e.place_for_anybody <= max(e.place, GENERAL):
        usual = f"somebody unknown would see it at place {e.place_for_anybody}"
        return f"{item} suits people in general ({usual}); for this person it also counts that they have {had}."
    return (
        f"{item} stands at place {e.place} because this person has {had}; somebody unknown would see it at place "
        f"{e.place_for_anybody}."
    )


def _from(e: Explanation) -> str:
    shown = [f"{percent(share)} from {name}" for name, share in e.shares.items() if share >= _SHOWN][:4]
    return f"Of all that speaks for it, {listed(shown)}." if shown and e.because else ""


def _modality(e: Explanation) -> str:
    known = {n: v for n, v in e.by_modality.items() if v > 0 and n != "any item"}
    if len(known) < 2:
        return ""
    best = max(known, key=known.__getitem__)
    said = {
        "co-purchase": "what people with the same purchases bought",
        "who bought it": "who bought it here already",
        "text": "the words that describe it",
        "attributes": "its brand, category and the like",
        "text and attributes": "its words, brand and the like",
        "price": "its price",
        "id": "what is known of this very item",
    }
    return f"What counts most is {said.get(best, best)}."


def _otherwise(e: Explanation, item: str) -> str:
    found = e.counterfactual
    if found is None:
        return ""
    start = f"Without what they have from {found.domain},"
    if found.gained:
        return f"{start} they would have got {_names(found.gained)} instead of {_names(found.lost)}."
    if e.place is not None and found.place != e.place:
        return f"{start} {item} would stand at place {found.place} rather than {e.place}."
    return f"{start} the list would be the same."


def _names(items: Sequence[Named]) -> str:
    return listed([i.words for i in items[:3]])


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" and {words[-1]}" if words else ""


def percent(share: float) -> str:
    """``12 %``."""
    return f"{100 * share:.0f} %"


def transfer_sentences(e: TransferExplanation) -> tuple[str, ...]:
    """What carried a recommender, who gained and who lost, one thing a sentence."""
    parts = [_sources(e.sources, e.domain), _layers(e), *(_gains(g) for g in e.gains)]
    return tuple(part for part in parts if part)


def _sources(sources: Sequence[Source], target: str) -> str:
    elsewhere = [s for s in sources if s.domain != target and s.share >= _SHOWN][:3]
    if not elsewhere:
        return f"What speaks for the recommendations of {target} comes from {target} itself."
    shares = listed([f"{percent(s.share)} from {s.domain}" for s in elsewhere])
    most = max(elsewhere, key=lambda s: s.changed)
    return (
        f"Of what speaks for the recommendations of {target}, {shares}. Without {most.domain}, "
        f"{percent(most.changed)} of the top ten would be others for people who have something there ({most.users:,})."
    )


def _layers(e: TransferExplanation) -> str:
    if not e.layers:
        return ""
    name = max(e.layers, key=e.layers.__getitem__)
    moved = e.layers[name]
    if not moved:
        return "The base was taken over as it is: no layer moved."
    told = _LAYERS.get(name.rpartition(": ")[2], name)
    return f"Of the base, {told} ({name}) moved most: by {percent(moved)} of its size."


def _gains(g: Gains) -> str:
    change = f"{g.difference:+.4f} {g.metric} on average"
    text = f"At {g.step}, {g.method} against {g.control}: {g.gained:,} of {g.users:,} people gained, {g.lost:,} lost"
    found = {f"{name} source domains": group for name, group in g.by_sources.items()}
    found |= {f"{name} purchases in the target": group for name, group in g.by_purchases.items()}
    shown = {name: group for name, group in found.items() if group.users >= 20}
    if len(shown) < 2:
        return f"{text} ({change})."
    most = max(shown, key=lambda n: shown[n].difference)
    return f"{text} ({change}); most gained people with {most} ({shown[most].difference:+.4f})."
