"""Tables as HTML text, and the other parts that pages with many numbers are made of; text from outside stays text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape
from nicegui import ui

from .frame import part, words

STYLE = (Path(__file__).parent / "tables.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what it says.
        small: lines below, in small print.
        kind: ``good``, ``bad``, ``none`` or nothing: how it looks.
        strong: whether `text` is a word of judgement rather than a number.
    """

    text: str
    small: tuple[str, ...] = ()
    kind: str = ""
    strong: bool = False


OPEN = {
    "DATA": "DATA stands for the folder, file or address of your data",
    "DATE": "DATE for the day on which it was launched, or is pretended to be asked",
}
"""Words of a command that the reader fills in."""
NOTHING = Cell("–", kind="none")


@dataclass(frozen=True)
class Line:
    """One row of a table: its heading, its cells, and whether it stands out."""

    head: Cell
    cells: Sequence[Cell]
    stands_out: bool = False


def table(label: str, columns: Sequence[str | Cell], lines: Sequence[Line], words_from: int = 99) -> Markup:
    """A table in a box of its own, which scrolls where it is too wide and is reached by the keyboard.

    Args:
        label: what it is about, for those who listen.
        columns: headings, that of the rows' own first.
        lines: rows.
        words_from: columns from this number on (0 is the first after the heading) hold words and stand to the left.
    """
    heads = [c if isinstance(c, Cell) else Cell(c) for c in columns]
    made = [
        Markup('<th scope="col"{}>{}</th>').format(_left(n - 1 >= words_from), _inner(c)) for n, c in enumerate(heads)
    ]
    body = [
        Markup('<tr{}><th scope="row"><span class="name">{}</span></th>{}</tr>').format(
            Markup(' class="out"') if line.stands_out else "",
            _inner(line.head),
            Markup("").join(_cell(c, n >= words_from) for n, c in enumerate(line.cells)),
        )
        for line in lines
    ]
    return Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(label, Markup("").join(made), Markup("").join(body))


def show(markup: Markup) -> ui.html:
    """Put `markup`, whose outside text is escaped, on the page."""
    return ui.html(str(markup), sanitize=False)


def cards(pairs: Sequence[tuple[str, str]], label: str, heading: str = "h3") -> None:
    """Questions with their answers, side by side; `heading` is one level below that of the part they stand in."""
    with part("section", "cards", f'aria-label="{label}"'):
        for question, answer in pairs:
            with part("div", "card"):
                words(heading, question)
                words("p", answer)


def figures(numbers: Sequence[tuple[str, str, str]], label: str) -> None:
    """(what, number, what else is to know), side by side."""
    with part("section", "cards", f'aria-label="{label}"'):
        for what, number, note in numbers:
            with part("div", "card"):
                words("h3", what)
                words("p", number).classes("figure")
                words("p", note).classes("soft")


def warnings(sentences: Sequence[str]) -> None:
    """What one must know before trusting the numbers; nothing where there is nothing."""
    if sentences:
        with part("section", "warning", 'aria-label="Know before you trust it"'):
            words("h3", "Know before you trust it")
            with part("ul"):
                for sentence in sentences:
                    words("li", sentence)


@contextmanager
def fold(summary: str, *, opened: bool = False) -> Iterator[None]:
    """Something that opens when it is wanted."""
    with part("details", props="open" if opened else ""):
        words("summary", summary)
        yield


def choice(label: str, options: Mapping[str, str], value: str, chosen: Callable[[str], None]) -> None:
    """A labelled list to choose one of `options` (value → what is shown) from."""
    with part("label", "choice"):
        words("span", label)
        # The event brings the place rather than the value: what a page sends is looked up, never used.
        switch = part("select").on(
            "change", lambda e: chosen(list(options)[int(e.args)]), js_handler="(e) => emit(e.target.selectedIndex)"
        )
        with switch:
            for name, shown in options.items():
                words("option", shown).props("selected" if name == value else "")


def caption(sentence: str) -> None:
    """What a table or a picture above it means."""
    words("p", sentence).classes("caption")


def missing(sentence: str, command: str) -> None:
    """In place of what is not there: why, and the command that makes it."""
    with part("div", "empty"):
        words("p", sentence)
        words("code", command).classes("command")
        left = [said for word, said in OPEN.items() if word in command.split()]
        if left:
            caption(f"{'; '.join(left)}.")


def _left(is_left: bool) -> Markup:
    return Markup(' class="left"') if is_left else Markup("")


def _cell(cell: Cell, left: bool) -> Markup:
    classes = " ".join(c for c in (cell.kind, "left" if left else "") if c)
    return Markup("<td{}>{}</td>").format(Markup(' class="{}"').format(classes) if classes else "", _inner(cell))


def _inner(cell: Cell) -> Markup:
    small = Markup("").join(Markup("<small>{}</small>").format(s) for s in cell.small)
    return Markup("<b>{}</b>{}").format(cell.text, small) if cell.strong else escape(cell.text) + small
