"""$meta-add and $meta-delete (http://hl7.org/fhir/R4/resource-operation-meta-add.html)."""

from typing import Any

import httpx
import pytest

from tests.factories.resources import patient

PAIN = {"system": "http://example.org/tags", "code": "pain"}
SLEEP = {"system": "http://example.org/tags", "code": "sleep"}
SECRET = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
PROFILE = "http://example.org/StructureDefinition/a"


async def change(fhir: httpx.AsyncClient, name: str, meta: Any, id_: str = "a", **headers: str) -> httpx.Response:
    body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
    return await fhir.post(f"Patient/{id_}/${name}", json=body, headers=headers)


@pytest.fixture
async def made(fhir: httpx.AsyncClient) -> dict[str, Any]:
    answer = await fhir.put("Patient/a", json=patient(id="a", meta={"tag": [PAIN], "source": "http://example.org/s"}))
    assert answer.status_code == 201
    resource: dict[str, Any] = answer.json()
    return resource


async def test_what_is_added_is_found_and_is_a_new_version(fhir: httpx.AsyncClient, made: dict[str, Any]) -> None:
    """Ours differ from R4's in the version: see docs/meta.md."""
    given = {"tag": [SLEEP], "security": [SECRET], "profile": [PROFILE], "versionId": "9", "source": "http://other.org"}
    answer = await change(fhir, "meta-add", given)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    resource = (await fhir.get("Patient/a")).json()
    assert answer.json()["parameter"] == [{"name": "return", "valueMeta": resource["meta"]}]
    assert resource["meta"]["tag"] == [PAIN, SLEEP]
    assert resource["meta"]["security"] == [SECRET]
    assert resource["meta"]["profile"] == [PROFILE]
    assert (resource["meta"]["versionId"], resource["meta"]["source"]) == ("2", "http://example.org/s")
    assert {**resource, "meta": None} == {**made, "meta": None}
    for query in ("_tag=http://example.org/tags|sleep", "_security=R", f"_profile={PROFILE}"):
        assert len((await fhir.get(f"Patient?{query}")).json()["entry"]) == 1
    assert (await fhir.get("Patient/a/_history/1")).json() == made


async def test_sets_have_no_duplicates_and_display_does_not_count(
    fhir: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    answer = await change(fhir, "meta-add", {"tag": [PAIN | {"display": "Pain", "version": "2"}, SLEEP, SLEEP]})
    assert answer.json()["parameter"][0]["valueMeta"]["tag"] == [PAIN, SLEEP]


async def test_what_changes_nothing_makes_no_version(fhir: httpx.AsyncClient, made: dict[str, Any]) -> None:
    for name, meta in (("meta-add", {"tag": [PAIN]}), ("meta-add", {}), ("meta-delete", {"tag": [SLEEP]})):
        answer = await change(fhir, name, meta)
        assert answer.json()["parameter"] == [{"name": "return", "valueMeta": made["meta"]}]
        assert answer.headers["etag"] == 'W/"1"'


async def test_what_is_deleted_is_found_no_more(fhir: httpx.AsyncClient, made: dict[str, Any]) -> None:
    """http://hl7.org/fhir/R4/resource-operation-meta-delete.html"""
    answer = await change(fhir, "meta-delete", {"tag": [PAIN | {"display": "Pain"}, SLEEP]})
    assert answer.status_code == 200
    assert "tag" not in answer.json()["parameter"][0]["valueMeta"]
    assert "entry" not in (await fhir.get("Patient?_tag=pain")).json()
    other_system = await change(fhir, "meta-add", {"tag": [PAIN]})
    assert other_system.json()["parameter"][0]["valueMeta"]["tag"] == [PAIN]
    kept = await change(fhir, "meta-delete", {"tag": [{"code": "pain"}]})
    assert kept.json()["parameter"][0]["valueMeta"]["tag"] == [PAIN]


async def test_guards_are_those_of_an_update(fhir: httpx.AsyncClient, made: dict[str, Any]) -> None:
    stale = await change(fhir, "meta-add", {"tag": [SLEEP]}, **{"if-match": 'W/"7"'})
    assert stale.status_code == 412
    assert (await change(fhir, "meta-add", {"tag": [SLEEP]}, id_="absent")).status_code == 404
    assert (await fhir.delete("Patient/a")).status_code == 204
    assert (await change(fhir, "meta-add", {"tag": [SLEEP]})).status_code == 410
    assert (await fhir.get("Patient/a/$meta-add")).status_code == 405


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        ([], 400),
        ({"resourceType": "Patient"}, 400),
        ({"resourceType": "Parameters"}, 400),
        ({"resourceType": "Parameters", "parameter": 1}, 400),
        ({"resourceType": "Parameters", "parameter": [1]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "other", "valueMeta": {}}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueString": "a"}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": 1}}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": ["a"]}}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"profile": [[]]}}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": {}}]}}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"a": "b"}]}}]}, 422),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"profile": ["a b"]}}]}, 422),
    ],
)
async def test_what_is_no_meta_is_refused(
    fhir: httpx.AsyncClient, made: dict[str, Any], body: object, status: int
) -> None:
    answer = await (fhir.post("Patient/a/$meta-add") if body is None else fhir.post("Patient/a/$meta-add", json=body))
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert (await fhir.get("Patient/a")).json() == made


async def test_history_and_batches_hold_it_as_an_update(fhir: httpx.AsyncClient, made: dict[str, Any]) -> None:
    assert (await change(fhir, "meta-add", {"tag": [SLEEP]})).status_code == 200
    history = (await fhir.get("Patient/a/_history")).json()
    assert [entry["request"]["method"] for entry in history["entry"]] == ["PUT", "PUT"]
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {
                "request": {"method": "POST", "url": "Patient/a/$meta-delete"},
                "resource": {
                    "resourceType": "Parameters",
                    "parameter": [{"name": "meta", "valueMeta": {"tag": [SLEEP]}}],
                },
            }
        ],
    }
    (entry,) = (await fhir.post("", json=batch)).json()["entry"]
    assert entry["response"]["status"].startswith("200")
    assert (await fhir.get("Patient/a/$meta")).json()["parameter"][0]["valueMeta"]["tag"] == [PAIN]
