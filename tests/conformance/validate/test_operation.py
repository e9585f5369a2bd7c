"""$validate as an operation (http://hl7.org/fhir/R4/resource-operation-validate.html)."""

from typing import Any

import httpx
import pytest

from shared.errors import Conflict
from shared.fhir.json import Resource, dumps
from shared.fhir.kinds import Decision, DecisionContext, ResourceKind
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine
from tests.factories.profiled import ABSENT_REASON, BSER_TASK, CARE_PLAN, MESSAGE, PATIENT, SDOH, US_CORE
from tests.unit.shared.fhir.validate.examples import ABSENT, changed

JSON = {"content-type": "application/fhir+json"}
PLAN_PROFILE, PATIENT_PROFILE = f"{US_CORE}us-core-careplan", f"{US_CORE}us-core-patient"
NAMELESS = changed(PATIENT, "name", ABSENT)


def parameters(*given: dict[str, Any]) -> bytes:
    return dumps({"resourceType": "Parameters", "parameter": list(given)})


def claiming(resource: Resource, *profiles: str) -> Resource:
    return {**resource, "meta": {"profile": list(profiles)}}


async def post(fhir: httpx.AsyncClient, path: str, body: bytes | Resource) -> list[dict[str, Any]]:
    content = body if isinstance(body, bytes) else dumps(body)
    answer = await fhir.post(path, content=content, headers=JSON)
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    issue: list[dict[str, Any]] = answer.json()["issue"]
    return issue


def told(issues: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(issue["severity"], issue["code"]) for issue in issues]


async def total(fhir: httpx.AsyncClient, type_: str) -> int:
    found: int = (await fhir.get(f"{type_}?_total=accurate&_count=0")).json()["total"]
    return found


ALL_OK = [("information", "informational")]


async def test_a_valid_resource_is_all_ok_and_not_stored(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/resource-operation-validate.html: 200, an OperationOutcome without errors"""
    issues = await post(fhir, "Patient/$validate", PATIENT)
    assert issues == [{"severity": "information", "code": "informational", "diagnostics": "All OK"}]
    assert await total(fhir, "Patient") == 0


async def test_an_invalid_resource_is_200_too(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/operationoutcome.html: the call succeeded, what it found is in the issues"""
    issues = await post(fhir, "Patient/$validate", changed(PATIENT, "gender", "bogus"))
    assert [(i["severity"], i["code"], i["expression"]) for i in issues] == [
        ("error", "code-invalid", ["Patient.gender"])
    ]


async def test_the_resource_and_the_profile_in_parameters(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/resource-operation-validate.html: parameters resource, mode, profile"""
    body = parameters(
        {"name": "resource", "resource": NAMELESS},
        {"name": "mode", "valueCode": "profile"},
        {"name": "profile", "valueUri": PATIENT_PROFILE},
    )
    issues = await post(fhir, "Patient/$validate", body)
    assert [(i["code"], i["expression"]) for i in issues] == [("required", ["Patient.name"])]
    assert told(await post(fhir, "Patient/$validate", NAMELESS)) == ALL_OK


async def test_what_a_resource_claims_is_checked(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/resource.html#profile-tags"""
    for profile in (PATIENT_PROFILE, f"{PATIENT_PROFILE}|7.0.0"):
        issues = await post(fhir, "Patient/$validate", claiming(NAMELESS, profile))
        assert told(issues) == [("error", "required")]
    base = "http://hl7.org/fhir/StructureDefinition/Patient"
    assert told(await post(fhir, "Patient/$validate", claiming(NAMELESS, base))) == ALL_OK


async def test_an_unknown_profile_is_an_error_where_it_is_asked_for_and_a_warning_where_it_is_claimed(
    fhir: httpx.AsyncClient,
) -> None:
    unknown = "http://example.org/StructureDefinition/unknown"
    asked = await post(fhir, f"Patient/$validate?profile={unknown}", PATIENT)
    assert told(asked) == [("error", "not-supported")]
    claimed = await post(fhir, "Patient/$validate", claiming(PATIENT, unknown))
    assert told(claimed) == [("warning", "not-supported")]
    assert claimed[0]["expression"] == ["Patient.meta.profile[0]"]
    assert unknown not in str(asked + claimed)


async def test_several_profiles(fhir: httpx.AsyncClient) -> None:
    query = f"profile={SDOH}SDOHCC-TaskForReferralManagement&profile={SDOH}SDOHCC-TaskForPatient"
    issues = await post(fhir, f"Task/$validate?{query}", BSER_TASK)
    by = {issue["diagnostics"].split(":")[0] for issue in issues}
    assert by == {"SDOHCC-TaskForReferralManagement", "SDOHCC-TaskForPatient"}


async def test_the_profile_of_another_type(fhir: httpx.AsyncClient) -> None:
    assert told(await post(fhir, f"Patient/$validate?profile={PLAN_PROFILE}", PATIENT)) == [("error", "invalid")]


async def test_what_is_no_r4_is_not_held_to_a_profile(fhir: httpx.AsyncClient) -> None:
    issues = await post(fhir, f"Patient/$validate?profile={PATIENT_PROFILE}", {"resourceType": "Patient", "colour": 1})
    assert told(issues) == [("error", "structure"), ("information", "informational")]


async def test_the_stored_resource(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/operations.html#executing: no parameter is complex, so GET will do"""
    stored = (await fhir.post("Patient", content=dumps(NAMELESS), headers=JSON)).json()
    path = f"Patient/{stored['id']}/$validate"
    plain = await fhir.get(path)
    assert (plain.status_code, told(plain.json()["issue"])) == (200, ALL_OK)
    by_profile = await fhir.get(path, params={"profile": PATIENT_PROFILE})
    assert told(by_profile.json()["issue"]) == [("error", "required")]
    posted = await post(fhir, path, parameters({"name": "profile", "valueCanonical": PATIENT_PROFILE}))
    assert told(posted) == [("error", "required")]


async def test_mode_create_finds_references_to_what_is_not_here_and_stores_nothing(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/valueset-resource-validation-mode.html: acceptable as a create"""
    assert told(await post(fhir, "CarePlan/$validate", CARE_PLAN)) == ALL_OK
    missing = await post(fhir, "CarePlan/$validate?mode=create", CARE_PLAN)
    assert [(i["code"], i["expression"]) for i in missing] == [("not-found", ["CarePlan.subject"])]
    await fhir.put("Patient/anna", content=dumps({**PATIENT, "id": "anna"}), headers=JSON)
    assert told(await post(fhir, "CarePlan/$validate?mode=create", CARE_PLAN)) == ALL_OK
    assert await total(fhir, "CarePlan") == 0


async def test_mode_update_at_an_instance(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/anna", content=dumps({**PATIENT, "id": "anna"}), headers=JSON)
    new = {**NAMELESS, "id": "anna"}
    assert told(await post(fhir, "Patient/anna/$validate?mode=update", new)) == ALL_OK
    other = await post(fhir, "Patient/anna/$validate?mode=update", {**NAMELESS, "id": "berta"})
    assert told(other) == [("error", "invalid")]
    stored = await fhir.get("Patient/anna")
    assert stored.headers["etag"] == 'W/"1"'
    assert "name" in stored.json()


async def test_mode_delete_finds_what_still_refers_to_it(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/anna", content=dumps({**PATIENT, "id": "anna"}), headers=JSON)
    free = await fhir.get("Patient/anna/$validate?mode=delete")
    assert told(free.json()["issue"]) == ALL_OK
    await fhir.post("CarePlan", content=dumps(CARE_PLAN), headers=JSON)
    held = await post(fhir, "Patient/anna/$validate", parameters({"name": "mode", "valueCode": "delete"}))
    assert told(held) == [("error", "conflict")]
    absent = await fhir.get("Patient/nobody/$validate?mode=delete")
    assert told(absent.json()["issue"]) == [("error", "not-found")]
    assert (await fhir.get("Patient/anna")).status_code == 200


def _only_forward(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    if before is not None and before["status"] == "completed":
        raise Conflict("A completed task stays as it is.")
    return Decision(after)


async def test_the_rules_of_the_service_are_asked_as_at_a_write(database_url: str, verifier: FixedVerifier) -> None:
    """http://hl7.org/fhir/R4/valueset-resource-validation-mode.html: acceptable as an update"""
    await create_tables(database_url)
    service = every_type(ResourceKind("Task", decide=_only_forward))
    done = {"resourceType": "Task", "id": "t", "status": "completed", "intent": "order"}
    async with running_engine(database_url, service) as engine, client_of(engine, service, verifier) as fhir:
        await fhir.put("Task/t", content=dumps(done), headers=JSON)
        again = {**done, "status": "in-progress"}
        assert told(await post(fhir, "Task/t/$validate", again)) == ALL_OK
        assert told(await post(fhir, "Task/t/$validate?mode=update", again)) == [("error", "conflict")]
        assert told((await fhir.get("Task/t/$validate?mode=delete")).json()["issue"]) == [("error", "conflict")]
        assert (await fhir.get("Task/t")).headers["etag"] == 'W/"1"'


async def test_the_entries_of_a_bundle_are_held_to_what_they_claim(fhir: httpx.AsyncClient) -> None:
    bundle = changed(MESSAGE, "entry.1.resource.meta", {"profile": [f"{SDOH}SDOHCC-TaskForReferralManagement"]})
    issues = await post(fhir, "Bundle/$validate", bundle)
    assert ("code-invalid", ["Bundle.entry[1].resource.status"]) in [(i["code"], i["expression"]) for i in issues]
    assert told(await post(fhir, "Bundle/$validate", MESSAGE)) == ALL_OK


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "Patient/absent/$validate", None, 404),
        ("GET", "Patient/$validate", None, 400),
        ("POST", "Patient/$validate", b"", 400),
        ("POST", "Patient/$validate", b"[]", 400),
        ("POST", "Patient/$validate", b"{", 400),
        ("POST", "Patient/$validate?mode=bogus", dumps(PATIENT), 400),
        ("POST", "Patient/$validate?mode=create&mode=profile", dumps(PATIENT), 400),
        ("POST", "Patient/$validate?mode=update", dumps(PATIENT), 400),
        ("POST", "Patient/$validate?mode=delete", parameters(), 400),
        ("POST", "Patient/$validate", parameters({"name": "resource", "valueString": "x"}), 400),
        ("POST", "Patient/$validate", parameters(*[{"name": "resource", "resource": PATIENT}] * 2), 400),
        ("POST", "Patient/$validate", dumps({"resourceType": "Parameters", "parameter": {}}), 400),
        ("POST", "Patient/$validate?" + "profile=http://example.org&" * 21, dumps(PATIENT), 400),
        ("POST", "$validate", dumps(PATIENT), 404),
        ("PUT", "Patient/$validate", dumps(PATIENT), 405),
    ],
)
async def test_calls_that_make_no_sense(
    fhir: httpx.AsyncClient, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = await fhir.request(method, path, content=body, headers=JSON)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "content",
    [
        {"resourceType": "CarePlan"},
        {"resourceType": "Nonsense"},
        {"resourceType": ["Patient"]},
        {"resourceType": "Patient", "meta": "x", "name": {}, "_gender": "x", "contained": [None]},
        {"resourceType": "Patient", "meta": {"profile": [PATIENT_PROFILE, None, 3]}, "extension": [None, "x"]},
        {"resourceType": "Patient", "meta": {"profile": PATIENT_PROFILE}},
    ],
)
async def test_nonsense_has_findings_and_no_500(fhir: httpx.AsyncClient, content: Resource) -> None:
    issues = await post(fhir, f"Patient/$validate?profile={PATIENT_PROFILE}", content)
    assert "error" in [severity for severity, _ in told(issues)]


async def test_what_was_sent_is_not_repeated(fhir: httpx.AsyncClient) -> None:
    canary = "Canary-Q7x"
    broken = claiming(changed(PATIENT, "gender", canary), f"http://example.org/{canary}")
    answer = await fhir.post(f"Patient/$validate?profile=http://{canary}", content=dumps(broken), headers=JSON)
    assert answer.status_code == 200
    assert canary not in answer.text


async def test_a_masked_element_is_no_defect(fhir: httpx.AsyncClient) -> None:
    masked = {**changed(PATIENT, "gender", ABSENT), "_gender": ABSENT_REASON}
    assert told(await post(fhir, f"Patient/$validate?profile={PATIENT_PROFILE}", masked)) == ALL_OK


async def test_the_profiles_that_are_told_are_those_that_are_checked(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/capabilitystatement-definitions.html#CapabilityStatement.rest.resource.supportedProfile"""
    statement = (await fhir.get("metadata")).json()
    told_of = {each["type"]: each.get("supportedProfile", []) for each in statement["rest"][0]["resource"]}
    assert PLAN_PROFILE in told_of["CarePlan"]
    assert "validate" in [each["name"] for each in statement["rest"][0]["resource"][0]["operation"]]
    for type_, profiles in told_of.items():
        for profile in profiles:
            issues = await post(fhir, f"{type_}/$validate?profile={profile}", {"resourceType": type_})
            assert not {"not-supported", "invalid"} & {code for _, code in told(issues)}
