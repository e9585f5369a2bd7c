"""A resource that would keep the event loop busy for long is refused before most of it is visited."""

from collections.abc import Callable
from time import process_time
from typing import Any

import pytest

from shared.errors import Unprocessable
from shared.fhir.json import Resource
from shared.fhir.validate import check
from shared.fhir.validate.walk import MOST_ELEMENTS
from tests.unit.shared.fhir.validate.examples import PATIENT

SOON = 2.0
"""Seconds of this process, on any machine; without a bound some of these take several times as long."""
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def _branching(depth: int) -> list[dict[str, Any]]:
    """Two to the power of ``depth`` extensions in extensions."""
    within = {"extension": _branching(depth - 1)} if depth else {"valueString": "a"}
    return [{"url": "http://example.org/x", **within} for _ in range(2)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: {"identifier": [{"value": "v"}] * 2_000_000}, id="identifiers"),
        pytest.param(lambda: {"name": [{"given": ["a"] * 3_000_000}]}, id="repeated primitives"),
        pytest.param(lambda: {"name": [{"_given": [{"id": "a"}] * 3_000_000}]}, id="their sidecars"),
        pytest.param(lambda: {"extension": _branching(16)}, id="many short lists"),
        pytest.param(lambda: dict.fromkeys(map(str, range(1_000_000)), 1), id="unknown members"),
        pytest.param(
            lambda: {"text": {"status": "generated", "div": DIV.format("<p>a</p>" * 500_000)}}, id="narrative"
        ),
    ],
)
def test_too_many_elements_are_too_costly_and_refused_early(content: Callable[[], Resource]) -> None:
    resource = {"resourceType": "Patient", **content()}
    began = process_time()
    with pytest.raises(Unprocessable) as refused:
        check(resource)
    assert process_time() - began < SOON
    assert [issue.code for issue in refused.value.issues] == ["too-costly"]


def test_as_many_elements_as_allowed_are_accepted() -> None:
    names = [{"given": ["a"] * (MOST_ELEMENTS - 1)}]
    check({"resourceType": "Patient", "name": names})
    names[0]["given"].append("a")
    with pytest.raises(Unprocessable):
        check({"resourceType": "Patient", "name": names})


def test_a_bundle_of_a_whole_record_is_accepted() -> None:
    entries = [{"fullUrl": f"https://example.org/fhir/Patient/{n}", "resource": PATIENT} for n in range(1_000)]
    check({"resourceType": "Bundle", "type": "collection", "entry": entries})
