"""Pages beside the report: advice with its calibration, and the way there from the report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from made_up_cases import made_up

from crossaisle.advisor.advice import Advised, advise
from crossaisle.advisor.calibration import calibration
from crossaisle.api import MethodSpec, Study, evaluate
from crossaisle.errors import ArtifactError
from crossaisle.report import write, write_advice
from crossaisle.testing_world import tiny_problem, tiny_world

pytest.importorskip("vl_convert")


def test_the_advice_page_says_what_to_try_and_how_well_advice_held(tmp_path: Path) -> None:
    cases = made_up()
    found, judged = advise(tiny_problem(), cases), calibration(cases)
    text = write_advice(found, judged, tmp_path).read_text(encoding="utf-8")
    assert found.sentence.replace("'", "&#39;") in text
    assert f"over {len(cases)} cases of 12 targets" in text
    assert f"{100 * judged.covered:.0f}&nbsp;% of what was measured" in text
    assert text.count("<svg") == 2
    assert not re.search(r'(src|href)="(?!#)', text)
    assert json.loads((tmp_path / "advice.json").read_text())["target"] == "cake"
    assert Advised.read(tmp_path / "advice.json") == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no .*crossaisle advise"),
        ('{"schema_version": 1, "rows": [', "is not a file of advice"),
        ('{"schema_version": 99}', "has schema 99, this version reads 1; upgrade"),
        ('{"schema_version": 1, "rows": []}', "is not a whole advice.json .*ask for advice again"),
        ("[]", "is not a whole advice.json"),
    ],
)
def test_what_is_no_advice_is_refused_in_a_sentence(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "advice.json").write_text(text)
    with pytest.raises(ArtifactError, match=said):
        Advised.read(tmp_path / "advice.json")


def test_calibration_counts_what_lay_inside() -> None:
    judged = calibration(made_up(noise=0.1))
    inside = sum(r.inside for r in judged.rows) / len(judged.rows)
    assert judged.covered == pytest.approx(inside)
    assert 0.6 <= judged.covered <= 0.95
    assert judged.correlation > 0.5
    assert set(judged.covered_by_target) == {f"shop: t{n}" for n in range(12)}
    with pytest.raises(ValueError, match="at least two targets"):
        calibration(made_up(targets=2)[:4])


def test_the_report_leads_to_the_pages_beside_it(tmp_path: Path) -> None:
    study = Study("cake", cut="2024-03-25", weeks=(2.0,), ship="user_kernel")
    report = evaluate(tiny_world(), study, (MethodSpec("popularity"), MethodSpec("user_kernel")))
    page = write(report, tmp_path)
    assert "advice.html" not in page.read_text(encoding="utf-8")
    write_advice(advise(tiny_problem(), made_up()), None, tmp_path)
    assert '<a href="advice.html">Advice</a>' in page.read_text(encoding="utf-8")
