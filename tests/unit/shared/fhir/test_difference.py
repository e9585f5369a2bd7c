"""What an OperationOutcome contains of a change that came late."""

from decimal import Decimal
from typing import Any

import pytest

from shared.errors import Conflict
from shared.fhir.comparison import Element, Side
from shared.fhir.difference import LINK, add_difference
from shared.fhir.json import canonical, loads
from shared.fhir.outcome import error_response, outcome_of
from shared.fhir.validate import check

PLAN: dict[str, Any] = {
    "resourceType": "CarePlan",
    "id": "p",
    "meta": {"versionId": "7"},
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/p"},
    "contained": [{"resourceType": "Patient", "id": "x"}],
    "author": {"reference": "#x"},
}


def told(*elements: Element) -> Conflict:
    error = Conflict("Late.")
    add_difference(error, PLAN, 3, elements)
    return error


def test_the_outcome_is_valid_whatever_the_current_resource_holds() -> None:
    """Its own contained resources and versionId would be against dom-2 and dom-4 of the OperationOutcome."""
    outcome = outcome_of(told(Element("CarePlan.title", None, "theirs", Decimal("1.10"), Side.BOTH)))
    check(outcome)
    (diff,) = outcome["contained"]
    assert outcome["extension"] == [{"url": LINK, "valueReference": {"reference": "#diff"}}]
    assert [each["name"] for each in diff["parameter"]] == ["base", "current", "resource", "element"]
    assert diff["parameter"][2]["resource"] is PLAN
    parts = {part["name"]: part.get("valueString") for part in diff["parameter"][3]["part"]}
    assert (parts.get("base"), parts["theirs"], parts["mine"]) == (None, '"theirs"', "1.10")


@pytest.mark.parametrize(
    ("side", "theirs", "clashes"),
    [
        (Side.BOTH, "x", True),
        (Side.BOTH, "y", False),
        (Side.MINE, "x", False),
        (Side.THEIRS, "x", False),
        (None, "x", True),
        (None, "y", False),
    ],
)
def test_what_clashes_has_an_issue(side: Side | None, theirs: str, clashes: bool) -> None:
    error = told(Element("CarePlan.title", "base", theirs, "y", side))
    assert [(issue.text == "Late.", issue.expression) for issue in error.issues] == (
        [(False, ("CarePlan.title",))] if clashes else [(True, ())]
    )
    answer = error_response(error)
    assert (answer.status, dict(answer.headers)[b"etag"]) == (409, b'W/"7"')
    assert loads(answer.body)["issue"][0]["code"] == "conflict"


def test_an_error_without_a_difference_contains_nothing() -> None:
    assert outcome_of(Conflict("No.")).keys() == {"resourceType", "issue"}


def test_canonical_json_knows_no_order_of_members_but_the_digits() -> None:
    assert canonical({"a": 1, "b": [1, 2]}) == canonical({"b": [1, 2], "a": 1})
    assert len({canonical(value) for value in ([1, 2], [2, 1], Decimal("1.0"), Decimal("1.00"), 1, "1", True)}) == 7
