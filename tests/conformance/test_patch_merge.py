"""JSON Merge Patch (https://www.rfc-editor.org/rfc/rfc7396): not of R4, but what fhirpy and others send."""

import contextlib
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConsiliumError
from shared.fhir.patch import merge_patched
from tests.factories.resources import patient

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("media", ["application/merge-patch+json", "application/json"])
async def test_members_are_set_and_removed(fhir: httpx.AsyncClient, media: str) -> None:
    await fhir.put("Patient/p", json=patient(id="p"))
    patch = {"active": True, "gender": None, "name": [{"family": "Nightingale"}]}
    answer = await fhir.patch("Patient/p", json=patch, headers={"content-type": media})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["active"], "gender" in told, told["name"]) == (True, False, [{"family": "Nightingale"}])
    assert told["birthDate"] == patient()["birthDate"]
    assert told["meta"]["versionId"] == "2"


async def test_parameters_sent_as_json_are_a_fhirpath_patch(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p", json=patient(id="p", active=True))
    parts = [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Patient.active"}]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    assert "active" not in (await fhir.patch("Patient/p", json=parameters)).json()


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ("1", 400),
        ("null", 400),
        ("{", 400),
        ('{"gender":"unheard of"}', 422),
        ('{"id":null}', 422),
        ('{"id":"other"}', 422),
        ('{"resourceType":"Task"}', 422),
        ('{"a":' * 100 + "1" + "}" * 100, 400),
    ],
)
async def test_a_patch_that_is_none_changes_nothing(fhir: httpx.AsyncClient, patch: str, status: int) -> None:
    await fhir.put("Patient/p", json=patient(id="p"))
    answer = await fhir.patch("Patient/p", content=patch, headers={"content-type": "application/merge-patch+json"})
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert (await fhir.get("Patient/p")).json()["meta"]["versionId"] == "1"


RFC: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
"""https://www.rfc-editor.org/rfc/rfc7396#appendix-A"""


@pytest.mark.parametrize(("target", "patch", "merged"), RFC)
def test_the_examples_of_the_rfc(target: Any, patch: Any, merged: Any) -> None:
    assert merge_patched(target, patch) == merged


@given(st.dictionaries(st.text(max_size=2), VALUES), st.dictionaries(st.text(max_size=2), VALUES))
def test_merging_twice_is_merging_once(target: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patched(target, patch)
    assert merge_patched(once, patch) == once


@given(VALUES, VALUES)
def test_whatever_comes_is_merged_or_refused(target: Any, patch: Any) -> None:
    with contextlib.suppress(ConsiliumError):
        merge_patched(target, patch)
