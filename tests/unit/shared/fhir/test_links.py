"""Links between the entries of a transaction (http://hl7.org/fhir/R4/http.html#trules)."""

import copy
from typing import Any

import pytest

from shared.errors import Invalid
from shared.fhir.links import VERSION_SPECIFIC, Links, linked

P = "urn:uuid:1"
LINKS = Links({P: "Patient/1", "Patient?x": "Patient/2"}, {P: "Patient/1"}, {"Patient/1": 3})
ASKS = {"url": VERSION_SPECIFIC, "valueBoolean": True}


def _task(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Task", **more}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"for": {"reference": P}}, {"for": {"reference": "Patient/1"}}),
        ({"for": {"reference": "Patient?x"}}, {"for": {"reference": "Patient/2"}}),
        ({"for": {"display": P}}, {"for": {"display": P}}),
        ({"instantiatesUri": P}, {"instantiatesUri": "Patient/1"}),
        ({"instantiatesUri": "Patient?x"}, {"instantiatesUri": "Patient?x"}),
        ({"instantiatesCanonical": P}, {"instantiatesCanonical": P}),
        ({"description": P}, {"description": P}),
        ({"identifier": [{"system": P, "value": P}]}, {"identifier": [{"system": "Patient/1", "value": P}]}),
        ({"input": [{"valueUrl": P}, {"valueString": P}]}, {"input": [{"valueUrl": "Patient/1"}, {"valueString": P}]}),
        (
            {"input": [{"valueReference": {"reference": P}}]},
            {"input": [{"valueReference": {"reference": "Patient/1"}}]},
        ),
        ({"_status": {"extension": [{"valueUri": P}]}}, {"_status": {"extension": [{"valueUri": "Patient/1"}]}}),
        (
            {"contained": [{"resourceType": "Goal", "subject": {"reference": P}}]},
            {"contained": [{"resourceType": "Goal", "subject": {"reference": "Patient/1"}}]},
        ),
        (
            {"text": {"div": f"<a href='{P}'/><a href=\"x\">{P}</a>"}},
            {"text": {"div": f"<a href='Patient/1'/><a href=\"x\">{P}</a>"}},
        ),
        (
            {"nonsense": {"reference": P}, "for": 5, "input": [None, 5]},
            {"nonsense": {"reference": P}, "for": 5, "input": [None, 5]},
        ),
        ({"for": {"reference": P, "extension": [ASKS]}}, {"for": {"reference": "Patient/1/_history/3"}}),
        (
            {"for": {"reference": "Patient/1", "extension": [ASKS, {"url": "urn:x"}]}},
            {"for": {"reference": "Patient/1/_history/3", "extension": [{"url": "urn:x"}]}},
        ),
        (
            {"for": {"reference": "Patient?x", "extension": [ASKS]}},
            {"for": {"reference": "Patient/2", "extension": [ASKS]}},
        ),
        (
            {"for": {"reference": P, "extension": [ASKS | {"valueBoolean": False}]}},
            {"for": {"reference": "Patient/1", "extension": [ASKS | {"valueBoolean": False}]}},
        ),
    ],
)
def test_links_are_put_in_place_by_the_type_of_their_element(before: dict[str, Any], after: dict[str, Any]) -> None:
    resource = _task(**before)
    kept = copy.deepcopy(resource)
    assert linked(resource, LINKS) == _task(**after)
    assert resource == kept


@pytest.mark.parametrize("element", ["status", "instantiatesUri", "authoredOn", "description", "text"])
def test_an_object_in_place_of_a_primitive_is_left_to_the_validation(element: str) -> None:
    wrong: dict[str, Any] = {"div": {"x": 1}, "reference": P, "url": ["urn:x", {"a": [{}]}]}
    for value in (wrong, [wrong], {}):
        linked(_task(**{element: value, f"_{element}": value}), LINKS)


def test_what_is_nested_too_deeply_is_refused() -> None:
    nested: dict[str, Any] = {"url": "urn:x"}
    for _ in range(300):
        nested = {"url": "urn:x", "extension": [nested]}
    with pytest.raises(Invalid):
        linked(_task(extension=[nested]), LINKS)
