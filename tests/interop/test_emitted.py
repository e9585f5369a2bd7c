"""What our services make themselves has no error in the eyes of an independent validator, nor in those of ours."""

from collections.abc import AsyncIterator, Iterator

from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.json import Resource
from shared.fhir.validate.judging import judged
from tests.e2e.conftest import NAMES
from tests.e2e.evidence import Evidence
from tests.e2e.referring import act, furnish, send
from tests.eventually import eventually
from tests.factories.system import COORDINATOR, EHR, THERAPIST, Site, System
from tests.interop.validator import PROFILES, findings
from tests.unit.shared.fhir.validate.examples import ABSENT, changed

US_CORE = {profile["type"]: profile["url"] for profile in PROFILES}
"""The profile that each type is held to."""
PROVENANCE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance"
"""Ours alone: ``@medplum/core`` 4.5.2 cannot read the order of this profile's slices."""
OURS = frozenset({"CarePlan", "CareTeam", "Communication", "Provenance", "ServiceRequest", "Task"})
"""The types that our services create, or change by their own rules."""
ANSWERS = (
    (EHR, "/fhir/metadata"),
    (EHR, "/fhir/CarePlan?_include=CarePlan:care-team&_revinclude=Provenance:target"),
    (EHR, "/fhir/Task?_sort=-_lastUpdated&_count=1"),
    (EHR, "/fhir/Task?status=nothing-of-the-kind"),
    (EHR, "/fhir/Nonsense"),
    (EHR, "/fhir/CarePlan/absent"),
    (COORDINATOR, "/fhir/ServiceRequest?_summary=count"),
)
"""Bundles, OperationOutcomes and the CapabilityStatement are made at each request."""


async def test_an_independent_validator_finds_no_error_in_what_we_emit(
    plain_system: System, evidence: Evidence
) -> None:
    async with plain_system.site() as site, site.working():
        (patient,) = await furnish(site)
        mental, physical = await send(site, patient), await send(site, patient, THERAPIST)
        assert mental is not None
        assert physical is not None
        for sent in (mental, physical):
            await act(site, sent, "accept")
            await act(site, sent, "schedule")
        await eventually(evidence.drained)
        await eventually(evidence.all_heard)
        emitted = [one for name in NAMES for type_ in OURS for one in await evidence.resources(name, type_)]
        answers = [one async for one in _answered(site, patient)]
    assert {one["resourceType"] for one in emitted} == OURS
    assert {one["resourceType"] for one in answers} >= {"Bundle", "CapabilityStatement", "OperationOutcome"}

    cases = list(_cases([*emitted, *answers]))
    told = findings(cases)
    wrong = {one["resourceType"]: found for (one, _), found in zip(cases, map(_errors, told), strict=True) if found}
    assert wrong == {}
    for one, urls in cases:
        urls = [*urls, PROVENANCE] if one["resourceType"] == "Provenance" else urls
        assert [issue for issue in judged(one, urls) if issue.severity == "error"] == []


def test_the_validator_finds_what_is_wrong() -> None:
    """Were it silent about everything, the test above would say nothing."""
    plan = {
        "resourceType": "CarePlan",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Plan</div>'},
        "status": "active",
        "intent": "plan",
        "category": [
            {"coding": [{"system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "code": "assess-plan"}]}
        ],
        "subject": {"reference": "Patient/anna"},
    }
    other = {"coding": [{"system": "http://example.org", "code": "other"}]}
    broken = [
        changed(plan, "status", ABSENT),
        changed(plan, "subject", ABSENT),
        changed(plan, "colour", "red"),
        changed(plan, "category", [other]),
        changed(plan, "category", ABSENT),
    ]
    profile = [US_CORE["CarePlan"]]
    good, *found = map(_errors, findings([(one, profile) for one in [plan, *broken]]))
    assert good == []
    assert all(found)


def _errors(found: list[str]) -> list[str]:
    return [one for one in found if one.startswith(("error", "fatal"))]


def _cases(resources: list[Resource]) -> Iterator[tuple[Resource, list[str]]]:
    """Each resource, and each in a Bundle, with the profile of its type."""
    for one in resources:
        assert one["resourceType"] in RESOURCE_TYPES
        yield one, [US_CORE[one["resourceType"]]] if one["resourceType"] in US_CORE else []
        yield from _cases([entry["resource"] for entry in one.get("entry", ()) if "resource" in entry])


async def _answered(site: Site, patient: str) -> AsyncIterator[Resource]:
    of_patient = [(EHR, f"/fhir/{patient}/{name}") for name in ("_history", "$meta", "$validate?mode=update")]
    for caller, path in (*ANSWERS, *of_patient):
        answer = await site.by(caller).get(path)
        assert answer.status_code == 200 or (caller, path) not in of_patient, answer.text
        yield answer.json()
