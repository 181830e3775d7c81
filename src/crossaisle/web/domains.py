"""The page Domains: what the service knows today, what it was made of, and how far the domains are apart."""

from __future__ import annotations

import asyncio

from nicegui import ui

from ..data.overview import FACT, DomainOverview, Overview
from ..errors import ArtifactError
from ..serve.service import Service
from . import distances
from .frame import View, empty, words
from .run_folder import RunFolder
from .tables import STYLE, Cell, Line, caption, figures, missing, show, table

COLUMNS = ("domain", "events", "people", "items", "first", "last", "shared people", "shared items", "titles", "prices")


async def page(view: View) -> None:
    """Fill the frame."""
    ui.add_css(STYLE)
    folder, now = RunFolder.of(view.run) if view.run else None, view.service.live.now
    words("h2", "Today")
    figures(await asyncio.to_thread(today, view.service), "Today")
    words("h2", "The data behind it")
    _data(now.shop.facts.get(FACT), now.shop.domain, folder)
    words("h2", "How far apart the domains are")
    await distances.section(folder, now.shop.domain)


def today(service: Service) -> list[tuple[str, str, str]]:
    """(what, number, what else is to know) of the live service."""
    now = service.live.now
    version = next((v for v in service.store.versions() if v.name == now.version), None)
    items, people = len(now.shop.catalogue), len(now.shop.user_ids)
    fitted = items if version is None else int(version.facts.get("items", items))
    return [
        ("Items that can be recommended", f"{items:,}", f"{items - fitted:,} came after the training"),
        ("People known from the data", f"{people:,}", f"{service.live.people.newcomers(now):,} more came since"),
        ("Served", now.shop.method, f"version {now.version}, for {now.shop.domain}"),
    ]


def _data(fact: object, target: str, folder: RunFolder | None) -> None:
    if fact is None:
        command = "crossaisle validate DATA" if folder is None else folder.checking()
        missing("This version does not say what it was made of; the next one that is fitted will. Until then:", command)
        return
    try:
        found = Overview.from_document(fact)
    except ArtifactError as error:
        empty(str(error))
        return
    words("p", lead(found)).classes("lead")
    show(table("The domains", COLUMNS, [line(d, d.domain == target) for d in found.domains]))
    caption(f"Shared: seen in {found.target} as well. Titles and prices: share of a domain's items that have one.")
    words("h3", "Data health")
    with ui.element("ul"):
        for sentence in health(found):
            words("li", sentence)
    if folder is not None:
        missing("Every problem of the data, with rows and values:", folder.checking())


def lead(found: Overview) -> str:
    """The data in one sentence."""
    events = sum(d.interactions for d in found.domains)
    others = len(found.domains) - 1
    return (
        f"{found.target} is served from {events:,} events of {found.users:,} people with {found.items:,} items in "
        f"{found.target} and {others:,} other {'domain' if others == 1 else 'domains'}."
    )


def line(d: DomainOverview, is_target: bool) -> Line:
    """A row of the table."""
    shared = ("", "") if is_target else (f"{d.shared_users:,}", f"{d.shared_items:,}")
    dates = ((d.first or "–")[:10], (d.last or "–")[:10])
    cells = (f"{d.interactions:,}", f"{d.users:,}", f"{d.items:,}", *dates, *shared, share(d.titled), share(d.priced))
    return Line(Cell(d.domain, ("the target",) if is_target else ()), [Cell(c) for c in cells], is_target)


def share(value: float) -> str:
    """In percent; only all is 100 % and only none is 0 %."""
    if 0.995 <= value < 1:
        return "> 99 %"
    return "< 1 %" if 0 < value < 0.005 else f"{100 * value:.0f} %"


def health(found: Overview) -> list[str]:
    """What the checks found, and what is missing, in sentences."""
    read = ", ".join(f"{count:,} {table}" for table, count in found.read.items())
    said = [f"Read and checked: {read}." if read else "The data were made in memory; no file was checked."]
    if found.quarantined:
        why = "; ".join(f"{reason} ({count:,})" for reason, count in found.reasons.items())
        said.append(f"{_rows(found.quarantined)} set aside as quarantine: {why}.")
    else:
        said.append("No row was set aside: all passed the checks.")
    if not found.timed:
        said.append("Some events have no time, so that nothing can be cut or compared by time.")
    for what, few in (("titles", "titled"), ("prices", "priced")):
        poor = [d.domain for d in found.domains if getattr(d, few) < 0.5]
        if poor:
            said.append(f"Fewer than half of the items have {what} in {len(poor)} of {len(found.domains)} domains: "
                        f"{_some(poor)}.")  # fmt: skip
    return said


def _rows(count: int) -> str:
    return "1 row was" if count == 1 else f"{count:,} rows were"


def _some(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
