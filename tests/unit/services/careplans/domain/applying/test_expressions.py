"""Conditions in FHIRPath: yes, no, not known, or refused."""

import pytest

from services.careplans.domain.applying.expressions import _parsed, evaluate, truth, variables
from shared.errors import Unprocessable

KNOWN = {"phq9": 10, "yes": True, "no": False, "none": [], "observations": []}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("%phq9 >= 10", True),
        ("%phq9 > 10", False),
        ("%none >= 10", None),
        ("%none or %yes", True),
        ("%none or %no", None),
        ("%none and %no", False),
        ("%none and %yes", None),
        ("%none.not()", None),
        ("%no.not()", True),
        ("(%yes or %none).not()", False),
        ("'%unknown' = '%unknown'", True),
        ("%none.where($this > %phq9).exists() or %observations.exists().not()", True),
        ("(1|2|3).where((2|3).where($this > 1).exists()).exists((%phq9) > 1)", True),
        ("(1|2|3).where($this.exists()).where(($this).exists()).all(((1|2).where($this.exists())).exists())", True),
    ],
)
def test_what_is_missing_decides_only_where_the_rest_does_not(expression: str, result: bool | None) -> None:
    assert truth(expression, KNOWN, "x") is result


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("%phq >= 10", "business-rule"),
        ("%phq9 >=", "business-rule"),
        ("", "business-rule"),
        ("%phq9", "business-rule"),
        ("%phq9 | 2", "business-rule"),
        ("%phq9 >= 'ten'", "business-rule"),
        ("%phq9.unheardOf()", "business-rule"),
        ("'a'.matches('(a+)+b')", "not-supported"),
        ("'a'.`matches`('a')", "not-supported"),
        ("'a'.matches /* so */ ('a')", "not-supported"),
        ("now() > @2026-01-01", "not-supported"),
        ("%phq9.trace('x') > 1", "not-supported"),
        ("%yes" + " or %yes" * 400, "business-rule"),
        ("(1|2|3)" + ".select(1|2|3)" * 40 + ".exists()", "not-supported"),
        ("'a'" + ".replace('a', 'aaaaaaaa')" * 40 + " = 'a'", "not-supported"),
        ("'a'" + ".encode('hex')" * 90 + " = 'a'", "not-supported"),
        ("(1|2|3).aggregate($total & $total, 'a') = 'a'", "not-supported"),
        ("%none.where(%observations.where(code = 'a').exists()).exists()", "not-supported"),
        ("%none.where(($this).exists() and %`observations`.exists()).exists()", "not-supported"),
        ("(1|2).where((1|2).all((1|2).exists($this = 1)))", "not-supported"),
        ("(1|2).where /* so */ ((1|2).`where`((1|2).where($this = 1).exists()).exists())", "not-supported"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_path(expression: str, code: str) -> None:
    with pytest.raises(Unprocessable) as raised:
        truth(expression, KNOWN, "PlanDefinition.action[0].condition[0].expression")
    (issue,) = raised.value.issues
    assert (issue.code, issue.expression) == (code, ("PlanDefinition.action[0].condition[0].expression",))
    assert "phq9" not in issue.text


def test_an_expression_is_parsed_once() -> None:
    before = _parsed.cache_info().misses
    for _ in range(3):
        assert evaluate("%phq9 + 12345", KNOWN, "x") == [12355]
    assert _parsed.cache_info().misses == before + 1


def test_variables_are_named_once_in_order() -> None:
    assert variables("%b > 1 or %a or %b or '%c' = '' or %`d`") == ("b", "a", "d")
