"""patch with JSON Patch (http://hl7.org/fhir/R4/http.html#patch, https://www.rfc-editor.org/rfc/rfc6902)."""

import asyncio

import httpx
import pytest

from shared.fhir.kinds import ResourceKind
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine
from tests.factories.patches import JSON_PATCH, json_patch
from tests.factories.resources import care_plan, observation, patient

MALE = {"op": "replace", "path": "/gender", "value": "male"}
PATCH_TYPES = [JSON_PATCH, "application/fhir+json", "application/fhir+xml", "application/merge-patch+json"]
WANTED = "Patient?identifier=urn:oid:1.2.3|p-1"


async def _robin(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.put("Patient/robin", json=patient(id="robin"))).status_code == 201


async def _etag(fhir: httpx.AsyncClient) -> str:
    return str((await fhir.get("Patient/robin")).headers["etag"])


async def test_a_patch_makes_the_next_version(fhir: httpx.AsyncClient) -> None:
    await _robin(fhir)
    answer = await fhir.patch("Patient/robin", **json_patch(MALE))
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.headers["location"].endswith("/Patient/robin/_history/2")
    assert answer.json()["gender"] == "male"
    assert (await fhir.get("Patient/robin")).json() == answer.json()
    entry = (await fhir.get("Patient/robin/_history")).json()["entry"][0]
    assert entry["request"]["method"] == "PATCH"


async def test_what_was_patched_is_found_by_its_new_value(fhir: httpx.AsyncClient) -> None:
    await _robin(fhir)
    await fhir.patch("Patient/robin", **json_patch(MALE))
    assert (await fhir.get("Patient?gender=male&_total=accurate")).json()["total"] == 1
    assert (await fhir.get("Patient?gender=female&_total=accurate")).json()["total"] == 0


async def test_a_test_that_fails_leaves_the_resource_unchanged(fhir: httpx.AsyncClient) -> None:
    await _robin(fhir)
    answer = await fhir.patch(
        "Patient/robin", **json_patch(MALE, {"op": "test", "path": "/birthDate", "value": "1999-01-01"})
    )
    assert answer.status_code == 422
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "1971" not in answer.text
    assert await _etag(fhir) == 'W/"1"'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"{}", 400),
        (b'[{"op":"add","path":"/gender"}]', 400),
        (b'[{"op":"append","path":"/gender","value":"x"}]', 400),
        (b'[{"op":"remove","path":"/telecom"}]', 422),
        (b'[{"op":"replace","path":"/gender","value":"bogus"}]', 422),
        (b'[{"op":"add","path":"/nonsense","value":1}]', 422),
        (b'[{"op":"remove","path":""}]', 422),
        (b'[{"op":"replace","path":"","value":5}]', 422),
        (b'[{"op":"replace","path":"","value":{}}]', 422),
        (b'[{"op":"add","path":"/gender","value":null}]', 422),
        (b'[{"op":"replace","path":"/id","value":"wren"}]', 422),
        (b'[{"op":"remove","path":"/id"}]', 422),
        (b'[{"op":"replace","path":"/resourceType","value":"Person"}]', 422),
        (b'[{"op":"add","path":"/meta","value":5}]', 422),
        (b'[{"op":"add","path":"/managingOrganization","value":{"reference":"Organization/none"}}]', 422),
        (b"[" + b",".join(b'{"op":"copy","from":"","path":"/x%d"}' % n for n in range(60)) + b"]", 413),
        (b'[{"op":"add","path":"/x","value":' + b"[" * 400 + b"]" * 400 + b"}]", 422),
    ],
)
async def test_what_cannot_be_applied_changes_nothing(fhir: httpx.AsyncClient, body: bytes, status: int) -> None:
    await _robin(fhir)
    answer = await fhir.patch("Patient/robin", content=body, headers={"content-type": JSON_PATCH})
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert await _etag(fhir) == 'W/"1"'


@pytest.mark.parametrize("path", ["/meta/versionId", "/meta/lastUpdated", "/meta"])
async def test_version_and_time_are_the_servers(fhir: httpx.AsyncClient, path: str) -> None:
    """http://hl7.org/fhir/R4/resource.html#Meta"""
    await _robin(fhir)
    answer = await fhir.patch("Patient/robin", **json_patch({"op": "remove", "path": path}))
    assert answer.status_code == 200
    assert answer.json()["meta"]["versionId"] == "2"
    assert "lastUpdated" in answer.json()["meta"]
    forged = json_patch({"op": "add", "path": "/meta/versionId", "value": "77"})
    assert (await fhir.patch("Patient/robin", **forged)).json()["meta"]["versionId"] == "3"


async def test_decimals_keep_their_digits(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/json.html#decimal"""
    await _robin(fhir)
    body = observation("Patient/robin", id="peg")
    await fhir.put("Observation/peg", json=body)
    patch = b'[{"op":"replace","path":"/valueQuantity/value","value":1.10}]'
    await fhir.patch("Observation/peg", content=patch, headers={"content-type": JSON_PATCH})
    assert b'"value":1.10,' in (await fhir.get("Observation/peg")).content


@pytest.mark.parametrize(
    "media",
    ["application/xml-patch+xml", "text/plain", "application/x-www-form-urlencoded"],
)
async def test_another_kind_of_patch_is_415_and_told_which_are_taken(fhir: httpx.AsyncClient, media: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc5789#section-2.2"""
    await _robin(fhir)
    answer = await fhir.patch("Patient/robin", content=b"{}", headers={"content-type": media})
    assert answer.status_code == 415
    assert answer.headers["accept-patch"].split(", ") == PATCH_TYPES


async def test_nothing_to_patch_is_404_or_410(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.patch("Patient/nobody", **json_patch(MALE))).status_code == 404
    await _robin(fhir)
    await fhir.delete("Patient/robin")
    assert (await fhir.patch("Patient/robin", **json_patch(MALE))).status_code == 410


@pytest.mark.parametrize(("tag", "status"), [('W/"1"', 200), ('W/"7"', 412), ("seven", 400)])
async def test_if_match_guards(fhir: httpx.AsyncClient, tag: str, status: int) -> None:
    """http://hl7.org/fhir/R4/http.html#concurrency"""
    await _robin(fhir)
    patch = json_patch(MALE)
    patch["headers"]["if-match"] = tag
    assert (await fhir.patch("Patient/robin", **patch)).status_code == status


async def test_a_person_must_send_if_match_where_the_kind_demands_it(database_url: str) -> None:
    await create_tables(database_url)
    service = every_type(ResourceKind("Patient", if_match_required=True))
    verifier = FixedVerifier(Caller("x", Role.CLINICIAN))
    async with running_engine(database_url, service) as engine, client_of(engine, service, verifier) as fhir:
        await _robin(fhir)
        assert (await fhir.patch("Patient/robin", **json_patch(MALE))).status_code == 428
        assert (await fhir.patch(WANTED, **json_patch(MALE))).status_code == 428


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [("minimal", ""), ("representation", "Patient"), ("OperationOutcome", "OperationOutcome")],
)
async def test_prefer_says_what_comes_back(fhir: httpx.AsyncClient, prefer: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/http.html#ops"""
    await _robin(fhir)
    patch = json_patch(MALE)
    patch["headers"]["prefer"] = f"return={prefer}"
    answer = await fhir.patch("Patient/robin", **patch)
    assert (answer.json()["resourceType"] if answer.content else "") == expected


async def test_patches_at_once_all_take_effect(fhir: httpx.AsyncClient) -> None:
    def phone(number: int) -> dict[str, str]:
        return {"system": "phone", "value": str(number)}

    await _robin(fhir)
    await fhir.patch("Patient/robin", **json_patch({"op": "add", "path": "/telecom", "value": [phone(0)]}))
    patches = (json_patch({"op": "add", "path": "/telecom/-", "value": phone(n)}) for n in range(1, 21))
    answers = await asyncio.gather(*(fhir.patch("Patient/robin", **each) for each in patches))
    assert {answer.status_code for answer in answers} == {200}
    told = {each["value"] for each in (await fhir.get("Patient/robin")).json()["telecom"]}
    assert told == {str(n) for n in range(21)}


async def test_of_patches_with_the_same_if_match_one_wins(fhir: httpx.AsyncClient) -> None:
    await _robin(fhir)
    patch = json_patch(MALE)
    patch["headers"]["if-match"] = 'W/"1"'
    answers = await asyncio.gather(*(fhir.patch("Patient/robin", **patch) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19


async def test_by_criteria_one_is_patched_none_is_404_many_is_412(fhir: httpx.AsyncClient) -> None:
    """Conditional patch: http://hl7.org/fhir/R4/http.html#patch"""
    assert (await fhir.patch(WANTED, **json_patch(MALE))).status_code == 404
    await _robin(fhir)
    answer = await fhir.patch(WANTED, **json_patch(MALE))
    assert (answer.status_code, answer.json()["gender"]) == (200, "male")
    await fhir.put("Patient/wren", json=patient(id="wren"))
    assert (await fhir.patch(WANTED, **json_patch(MALE))).status_code == 412
    assert await _etag(fhir) == 'W/"2"'


@pytest.mark.parametrize("criteria", ["", "?", "?no-such-parameter=1", "?_count=1"])
async def test_criteria_that_select_nothing_in_particular_are_400(fhir: httpx.AsyncClient, criteria: str) -> None:
    await _robin(fhir)
    assert (await fhir.patch(f"Patient{criteria}", **json_patch(MALE))).status_code == 400
    assert await _etag(fhir) == 'W/"1"'


async def test_of_patches_by_criteria_that_stop_matching_one_is_applied(fhir: httpx.AsyncClient) -> None:
    """All conditional writes of a type take turns: nineteen find nothing any more."""
    await _robin(fhir)
    taken = json_patch({"op": "replace", "path": "/identifier/0/value", "value": "taken"})
    answers = await asyncio.gather(*(fhir.patch(WANTED, **taken) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 19


async def test_a_reference_by_the_servers_own_url_becomes_relative(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/references.html#literal"""
    await _robin(fhir)
    await fhir.put("CarePlan/plan", json=care_plan("Patient/robin", id="plan"))
    await fhir.put("Patient/wren", json=patient(id="wren"))
    patch = json_patch({"op": "replace", "path": "/subject/reference", "value": "http://test/fhir/Patient/wren"})
    assert (await fhir.patch("CarePlan/plan", **patch)).json()["subject"]["reference"] == "Patient/wren"


async def test_the_capability_statement_tells_of_it(fhir: httpx.AsyncClient) -> None:
    statement = (await fhir.get("metadata")).json()
    assert statement["patchFormat"] == PATCH_TYPES
    told = statement["rest"][0]["resource"][0]["interaction"]
    assert {"code": "patch"} in told
