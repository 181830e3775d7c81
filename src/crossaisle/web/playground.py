"""The page Playground: what one person would see, and how it changes with what they do. Nothing of it is kept."""

from __future__ import annotations

from fastapi import HTTPException
from nicegui import ui
from pydantic import ValidationError

from ..errors import CrossaisleError
from ..serve.items import item_of
from ..serve.problems import sentence_of
from ..serve.schemas_kept import ItemIn
from ..types import Extensible
from . import tryout
from .finder import Finder
from .frame import View, empty, part, words
from .listing import draw_list, draw_new, draw_person
from .tryout import NEW, Found, Tryout

_LEAD = (
    "See what one person would see, and how it changes with what they do. Nothing of it is kept: no event is stored, "
    "no product is added, nothing is learned from it."
)
_FORM = "(e) => { e.preventDefault(); emit(Object.fromEntries(new FormData(e.target))) }"


async def page(view: View) -> None:
    """Fill the frame."""
    words("p", _LEAD).classes("lead")
    people = tryout.suggested(view.service)
    made = Playground(view, people)
    if people:
        made.trial.begin(people[len(people) // 2].id)
    ui.timer(0.0, lambda: made.show(""), once=True)  # reasons may take a while, and the page need not wait for them


class Playground:
    """One page and the tryout behind it.

    Args:
        view: of the page.
        people: who is suggested.
    """

    def __init__(self, view: View, people: list[Found]) -> None:
        self._service, self.trial, self._client = view.service, Tryout(), ui.context.client
        self._working, self._again, self._done = False, False, ""
        with part("div", "playground"):
            with part("section", "who", "aria-labelledby=who"):
                words("h2", "Person").props("id=who")
                self._person = part("div")
                Finder("person", "Somebody known, by id", self._people, self._choose, free=True, first=people)
                words("button", "Invent somebody").props("type=button").on("click", self._invent)
                Finder("product", "They also have", self._products, self._meet)
            with part("section", "what", "aria-labelledby=what"):
                words("h2", "What they would see").props("id=what")
                self._said = words("p", "").props("id=said role=status tabindex=-1").classes("said")
                self._list = part("div")
            with part("section", "new", "aria-labelledby=new"):
                words("h2", "A product that does not exist yet").props("id=new")
                self._new = part("div")
                self._form()

    async def show(self, said: str) -> None:
        """Answer anew and draw; `said` tells what was done. One answer at a time, and what was done last is told."""
        self._done, self._again = said, self._working
        if self._working:
            return
        self._working = True
        self._list.props("aria-busy=true")
        try:
            shown = await self.trial.answer(self._service)
            while self._again:
                self._again = False
                shown = await self.trial.answer(self._service)
            self.trial.seen(shown)
            draw_person(self._person, self._service, self.trial, shown, self._drop, self._over)
            draw_list(self._list, self._service, shown, self._meet)
            draw_new(self._new, self._service, shown, self._untry)
        except (CrossaisleError, HTTPException) as error:
            self._done = f"That did not work: {sentence_of(error)}"
        finally:
            self._working = False
            self._list.props(remove="aria-busy")
        self._tell(self._done)

    def _tell(self, said: str) -> None:
        self._said.text = said
        if said:  # what was pressed is gone from the page, and with it the focus of the keyboard
            self._client.run_javascript("document.getElementById('said').focus({preventScroll: true})")

    async def _choose(self, found: Found) -> None:
        self.trial.begin(found.id)
        await self.show(f"This is what user {found.id} would see.")

    async def _invent(self) -> None:
        self.trial.begin(None)
        await self.show("This is somebody of whom nothing is known; give them something they have.")

    async def _meet(self, found: Found) -> None:
        self.trial.met.append(found.id)
        await self.show(f"They have {found.words} now; the arrows say what moved.")

    async def _drop(self, place: int) -> None:
        del self.trial.met[place]
        await self.show("Taken away again; the arrows say what moved.")

    async def _over(self) -> None:
        self.trial.begin(self.trial.user)
        await self.show("As it was.")

    async def _untry(self) -> None:
        self.trial.new = None
        await self.show("The new product is gone.")

    async def _try(self, sent: dict[str, str]) -> None:
        given = {name: value.strip() for name, value in sent.items() if value.strip()}
        try:
            item = ItemIn.model_validate({"item_id": NEW, **given})
        except ValidationError as error:
            first = error.errors()[0]
            self._tell(f"That did not work: {'.'.join(map(str, first['loc']))}: {first['msg']}.")
            return
        self.trial.new = item_of(item, self._service.live.now.shop.domain)
        await self.show("The new product is on the shelf, on this page alone.")

    def _form(self) -> None:
        shop = self._service.live.now.shop
        if not isinstance(shop.scorer, Extensible):
            empty(f"{shop.method} does not read what products are, so it cannot place one that nobody had; serve a "
                  "version of a method that does, such as warm_cold, zero_shot or blend.")  # fmt: skip
            return
        with part("form", "form").on("submit", lambda e: self._try(e.args), js_handler=_FORM):
            _field("title", "Title", "text required maxlength=2000")
            _field("category", "Category", "text maxlength=2000 list=categories")
            _field("price", "Price, in the shop's currency", "number min=0 step=any inputmode=decimal")
            with part("datalist", props="id=categories"):
                for name in tryout.categories(self._service):
                    part("option").props["value"] = name
            words("button", "See where it would come").props("type=submit").classes("go")

    def _people(self, text: str) -> list[Found]:
        return tryout.people(self._service, text)

    def _products(self, text: str) -> list[Found]:
        return tryout.products(self._service, text)


def _field(name: str, label: str, kind: str) -> None:
    with part("div"):
        words("label", label).props(f"for=new-{name}")
        part("input", props=f"id=new-{name} name={name} autocomplete=off type={kind}")
