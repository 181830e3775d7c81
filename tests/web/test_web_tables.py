"""Tables: outside text stays text, and who listens hears what a table is about."""

from __future__ import annotations

import pytest

pytest.importorskip("nicegui", reason="no dashboard: pip install crossaisle[dashboard]")
pytest.importorskip("fastapi", reason="no dashboard: pip install crossaisle[serve]")

from crossaisle.web.tables import NOTHING, Cell, Line, table

MARKUP = "<script>alert('x')</script>\" onclick=\"y"


def test_a_table_by_hand() -> None:
    made = table(
        "Methods", ["method", Cell("nDCG", ("mean",))], [Line(Cell("ease"), [Cell(".5", (".4 to .6",))], True)]
    )
    assert made == (
        '<div class="scroll" tabindex="0" role="region" aria-label="Methods"><table><thead><tr>'
        '<th scope="col">method</th><th scope="col">nDCG<small>mean</small></th></tr></thead><tbody>'
        '<tr class="out"><th scope="row">'
        '<span class="name">ease</span></th><td>.5<small>.4 to .6</small></td></tr></tbody></table></div>'
    )


def test_words_stand_to_the_left_and_say_how_they_are_meant() -> None:
    cells = [Cell("1"), Cell("helps", (), "good", strong=True), NOTHING]
    made = table("x", ["a", "b", "c", "d"], [Line(Cell("m"), cells)], words_from=1)
    assert '<th scope="col">b</th><th scope="col" class="left">c</th>' in made
    assert '<td>1</td><td class="good left"><b>helps</b></td><td class="none left">–</td>' in made


def test_markup_of_others_is_text() -> None:
    evil = Cell(MARKUP, (MARKUP,), strong=True)
    made = table(MARKUP, [MARKUP, evil], [Line(evil, [evil, Cell(MARKUP)])])
    assert "<script" not in made
    assert ' onclick="' not in made
    assert made.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") == 1 + 3 + 2 + 3
