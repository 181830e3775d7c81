"""Routes that answer: lists for users and sessions, similar items, an order, and reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic_core import to_json
from starlette.responses import Response

from ..data.vocab import Vocab
from ..errors import ConfigError
from ..explain import explain as reasons
from ..explain.explanation import Explanation
from ..explain.sentences import sentence
from ..index import Mask
from ..ranker import Taste
from ..stores.kinds import Exposure
from ..stream.diary import now_utc
from ..stream.explore import explored
from ..stream.shelf import Filters
from ..stream.snapshot import Snapshot
from ..types import Basis, Codes, Floats, History
from .auth import needs
from .schemas import (
    Explain,
    Explained,
    FilterFields,
    List,
    Rank,
    Ranked,
    Recommend,
    RecommendSession,
    Similar,
    SimilarList,
)
from .service import Ask, Service, check_domain, service_of

router = APIRouter(prefix="/v1", tags=["answers"], dependencies=[Depends(needs("read"))])
_UNKNOWN = "an item is unknown here; send it by PUT /v1/items, or ask for another."


@router.post("/recommend", response_model=List)
async def recommend(request: Request, asked: Recommend) -> Response:
    """The k best items for a user, by everything that is known of them up to now."""
    service = service_of(request)
    snapshot = service.live.of(asked.user)
    history = service.live.people.history(asked.user, snapshot)
    epsilon = service.settings.explore if asked.explore is None else asked.explore
    made = await listed(service, snapshot, history, asked, epsilon)
    request_id = request.state.request_id
    if epsilon or service.trials.running is not None:
        await service.expose(_exposures(made, asked.user, request_id, snapshot))
    known = service.live.people.knows(asked.user, snapshot)
    return _answer(service, snapshot, made, request_id, known, asked.user)


@router.post("/recommend/session", response_model=List)
async def recommend_session(request: Request, asked: RecommendSession) -> Response:
    """The k best items for somebody of whom only these items are known. Nothing of it is kept."""
    service = service_of(request)
    snapshot = service.live.now
    history = snapshot.session(asked.items)
    made = await listed(service, snapshot, history, asked, 0.0)
    return _answer(service, snapshot, made, request.state.request_id, bool(history.counts.nnz))


@router.post("/similar", response_model=SimilarList)
async def similar(request: Request, asked: Similar) -> dict[str, Any]:
    """The items most like one item."""
    snapshot = service_of(request).live.now
    shop = snapshot.shop
    if shop.item_ids.code(asked.item) < 0:
        raise HTTPException(404, _UNKNOWN)
    found = await asyncio.to_thread(shop.similar, asked.item, min(asked.k, len(shop.catalogue)))
    return {"version": snapshot.version, "items": found.to_dicts()}


@router.post("/rank", response_model=Ranked)
async def rank(request: Request, asked: Rank) -> dict[str, Any]:
    """Items of the sender's in the order that suits a user or a session."""
    service = service_of(request)
    if (asked.user is None) == (asked.session is None):
        raise ConfigError("give either a user or a session.")
    snapshot = service.live.now if asked.user is None else service.live.of(asked.user)
    if asked.user is not None:
        history = service.live.people.history(asked.user, snapshot)
    else:
        history = snapshot.session(asked.session or [])
    names = list(dict.fromkeys(asked.items))
    places = snapshot.places(names)

    def ordered(taste: Taste) -> tuple[list[dict[str, Any]], Basis]:
        known = np.flatnonzero(places >= 0)
        scores = taste.scores(places[known])
        order = np.argsort(-scores, kind="stable")
        rows = [{"item_id": names[known[n]], "score": float(scores[n])} for n in order]
        return rows, _basis(snapshot, taste)

    rows, basis = await service.score(Ask(snapshot, history, ordered))
    strangers = [n for n, place in zip(names, places.tolist(), strict=True) if place < 0]
    return {"version": snapshot.version, "basis": basis, "items": rows, "unknown": strangers}


@router.post("/explain", response_model=Explained)
async def explain(request: Request, asked: Explain) -> dict[str, Any]:
    """What speaks for each item: of what the user had, of other domains, and what would be without them."""
    live = service_of(request).live
    snapshot = live.of(asked.user)
    known = live.people.knows(asked.user, snapshot)
    found = await explained(
        snapshot, live.people.history(asked.user, snapshot), asked.user, known, asked.items, asked.n
    )
    return {"version": snapshot.version, "items": [e.to_dict() for e in found]}


async def explained(
    snapshot: Snapshot, history: History, user: str, known: bool, items: Sequence[str], n: int = 3
) -> list[Explanation]:
    """Why the one person of `history`, called `user`, gets `items`; `known` says whether anything is known of them.

    Raises:
        HTTPException: an item is unknown (404).
    """
    if (snapshot.places(items) < 0).any():
        raise HTTPException(404, _UNKNOWN)
    person = replace(snapshot.shop, user_ids=Vocab([user]), history=history)
    found = await asyncio.to_thread(reasons, person, user, items, n=n)
    told = [replace(e, known=known) for e in found]
    return [replace(e, sentence=sentence(e)) for e in told]


@dataclass(frozen=True)
class Made:
    """A list.

    Attributes:
        places: in the catalogue, best first.
        scores: of these.
        basis: what it rests on.
        propensity: of each place, where places explore.
    """

    places: Codes
    scores: Floats
    basis: Basis
    propensity: list[float] | None


async def listed(
    service: Service, snapshot: Snapshot, history: History, asked: FilterFields, epsilon: float = 0.0
) -> Made:
    """The best places for the one person of `history`, as `asked`; `epsilon` is the share given to new items."""
    check_domain(snapshot, asked.domain)
    filters = Filters(asked.available, asked.min_price, asked.max_price, asked.categories)
    make = _maker(service, snapshot, history, asked, filters, epsilon)
    made: Made = await service.score(Ask(snapshot, history, make))
    return made


def _maker(
    service: Service, snapshot: Snapshot, history: History, asked: FilterFields, filters: Filters, epsilon: float
) -> Callable[[Taste], Made]:
    def make(taste: Taste) -> Made:
        shop = snapshot.shop
        allowed = snapshot.shelf.allowed(shop, filters)
        k = min(asked.k, len(shop.catalogue))
        scores, places = taste.top(k, exclude_seen=asked.exclude_seen, available=allowed)
        made = Made(places, scores, _basis(snapshot, taste), None)
        if not epsilon:
            return made
        new = taste.left(exclude_seen=asked.exclude_seen, available=allowed)
        return _explored(service, taste, made, new & (snapshot.met < service.settings.new_below), epsilon)

    return make


def _explored(service: Service, taste: Taste, made: Made, new: Mask, epsilon: float) -> Made:
    """Some places for `new` items (catalogue,)."""
    others = np.setdiff1d(np.flatnonzero(new), made.places)
    shown, propensity = explored(made.places, others, epsilon, service.draw)
    return replace(made, places=shown, scores=taste.scores(shown), propensity=propensity.tolist())


def _basis(snapshot: Snapshot, taste: Taste) -> Basis:
    return snapshot.basis if taste.personal else "popularity"


def _answer(
    service: Service, snapshot: Snapshot, made: Made, request_id: str, known: bool, user: str | None = None
) -> Response:
    service.metrics.listed(made.basis)
    propensity: Sequence[float | None] = made.propensity or [None] * len(made.places)
    about = snapshot.shelf.about(snapshot.shop, made.places)
    items = [
        told | {"score": score, "propensity": chance}
        for told, score, chance in zip(about, made.scores.tolist(), propensity, strict=True)
    ]
    if user is not None:
        service.attention.show(user, [told["item_id"] for told in about])
        service.metrics.met({"shown": len(items)})
    found = {
        "request_id": request_id,
        "version": snapshot.version,
        "domain": snapshot.shop.domain,
        "basis": made.basis,
        "known": known,
        "items": items,
    }  # of the shape of `List`, without a model for each item
    return Response(to_json(found, inf_nan_mode="null"), media_type="application/json")


def _exposures(made: Made, user: str, request_id: str, snapshot: Snapshot) -> list[Exposure]:
    items = snapshot.shop.item_ids.decode(snapshot.shop.catalogue[made.places])
    propensity = made.propensity or [1.0] * len(items)
    now = now_utc()
    return [
        Exposure(request_id, user, item, position, chance, snapshot.version, now)
        for position, (item, chance) in enumerate(zip(items, propensity, strict=True), 1)
    ]
