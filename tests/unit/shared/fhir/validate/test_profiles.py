"""Checks against profiles (http://hl7.org/fhir/R4/profiling.html)."""

from copy import deepcopy
from typing import Any

import pytest

from shared.errors import Issue
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.json import Resource
from shared.fhir.validate import check
from shared.fhir.validate.profiles import Scope, Visit, check_profile, known, profiles_of
from shared.fhir.validate.profiles.table import facts
from tests.factories.profiled import (
    ABSENT_REASON,
    BSER,
    CARE_PLAN,
    DEFECTS,
    LABORATORY,
    PATIENT,
    PRESSURE,
    PROVENANCE,
    SDOH,
    US_CORE,
    VALID,
    Defect,
    concept,
)
from tests.unit.shared.fhir.validate.examples import ABSENT, changed

OF = dict(VALID)


def issues(resource: Resource, profile: str, scope: Scope | None = None) -> list[Issue]:
    visit = Visit(scope or Scope(resource))
    check_profile(resource, profile, visit)
    return visit.issues


def found(resource: Resource, profile: str) -> list[tuple[str, str, str]]:
    return [(issue.severity, issue.code, issue.expression[0]) for issue in issues(resource, profile)]


@pytest.mark.parametrize(("profile", "resource"), VALID)
def test_what_conforms_is_found_clean_and_left_as_it_was(profile: str, resource: Resource) -> None:
    before = deepcopy(resource)
    check(resource)
    assert issues(resource, profile) == []
    assert resource == before


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d.profile.rsplit('/', 1)[-1]}-{d.path}")
def test_a_defect_is_found_where_it_is(defect: Defect) -> None:
    resource = changed(OF[defect.profile], defect.path, defect.value)
    assert (defect.severity, defect.code, defect.expression) in found(resource, defect.profile)


@pytest.mark.parametrize("url", facts()["profiles"])
def test_every_profile_can_be_compiled(url: str) -> None:
    """An empty resource reaches every count, and what is required at the root is missing."""
    type_ = facts()["profiles"][url]["type"]
    resource = {"resourceType": type_}
    demanded = any(
        row.get("min") and "." not in path and path and ":" not in path
        for path, row in facts()["profiles"][url]["elements"].items()
    )
    assert bool(found(resource, url)) >= demanded


@pytest.mark.parametrize(
    ("canonical", "url"),
    [
        (f"{US_CORE}us-core-careplan", f"{US_CORE}us-core-careplan"),
        (f"{US_CORE}us-core-careplan|7.0.0", f"{US_CORE}us-core-careplan"),
        (f"{US_CORE}us-core-careplan|3.1.1", None),
        (f"{BSER}BSeR-ReferralTask|2.0.0", f"{BSER}BSeR-ReferralTask"),
        ("http://example.org/StructureDefinition/plan", None),
    ],
)
def test_a_profile_is_known_by_its_url_in_the_version_of_the_table(canonical: str, url: str | None) -> None:
    assert known(canonical) == url


def test_profiles_of_a_type_are_those_that_instances_can_claim() -> None:
    assert f"{SDOH}SDOHCC-TaskForReferralManagement" in profiles_of("Task")
    assert f"{SDOH}SDOHCC-ObservationPersonalCharacteristic" not in profiles_of("Observation")  # abstract
    assert profiles_of("Appointment") == ()
    assert {line["type"] for line in facts()["profiles"].values()} <= RESOURCE_TYPES | {"Extension"}


def test_the_profile_of_another_type_is_an_error() -> None:
    assert found(CARE_PLAN, f"{US_CORE}us-core-patient") == [("error", "invalid", "CarePlan")]


@pytest.mark.parametrize(
    ("resource", "profile", "path", "value"),
    [
        (PATIENT, "us-core-patient", "name.0", ABSENT_REASON),
        (PATIENT, "us-core-patient", "maritalStatus", {"text": "long together"}),
        (PATIENT, "us-core-patient", "gender", "unknown"),
        (LABORATORY, "us-core-observation-lab", "valueQuantity", {"value": 4, "unit": "mg/L"}),
        (PROVENANCE, "us-core-provenance", "agent.0", {"who": {"reference": "Organization/o1"}}),
        (PRESSURE, "us-core-blood-pressure", "subject", {"identifier": {"value": "7"}}),
        (PRESSURE, "us-core-blood-pressure", "subject", {"reference": "urn:uuid:0d5a1b5e-8a1c-4f0e-9d6e-2f2f2b1d7a01"}),
    ],
)
def test_what_a_profile_leaves_open_is_no_finding(resource: Resource, profile: str, path: str, value: Any) -> None:
    assert issues(changed(resource, path, value), US_CORE + profile) == []


def test_a_primitive_that_is_only_an_extension_counts_as_present() -> None:
    masked = changed(changed(PATIENT, "gender", ABSENT), "_gender", ABSENT_REASON)
    assert issues(masked, f"{US_CORE}us-core-patient") == []


def test_a_target_in_the_same_bundle_has_the_type_that_it_has() -> None:
    group = {"resourceType": "Group", "type": "person", "actual": True}
    address = "urn:uuid:0d5a1b5e-8a1c-4f0e-9d6e-2f2f2b1d7a01"
    pressure = changed(PRESSURE, "subject", {"reference": address})
    profile = f"{US_CORE}us-core-blood-pressure"
    assert issues(pressure, profile, Scope(pressure, {address: {"resourceType": "Patient"}})) == []
    wrong = issues(pressure, profile, Scope(pressure, {address: group}))
    assert [(issue.code, issue.expression) for issue in wrong] == [("value", ("Observation.subject",))]


def test_a_value_set_that_is_not_listed_is_told_as_not_checked() -> None:
    document = changed(OF[f"{US_CORE}us-core-documentreference"], "type", concept("http://loinc.org", "11506-3"))
    (issue,) = issues(document, f"{US_CORE}us-core-documentreference")
    assert (issue.severity, issue.code, issue.expression) == (
        "information",
        "informational",
        ("DocumentReference.type",),
    )


def test_an_extension_element_in_the_place_of_a_target_is_not_guessed() -> None:
    """A rule that asks for the type of a target which nothing tells is not checked, and not broken."""
    agent = {"type": PROVENANCE["agent"][0]["type"], "who": {"display": "somebody"}}
    (issue,) = issues(changed(PROVENANCE, "agent", [agent]), f"{US_CORE}us-core-provenance")
    assert (issue.severity, issue.expression) == ("information", ("Provenance.agent[0]",))


def test_findings_are_bounded() -> None:
    many = changed(PATIENT, "identifier", [{"use": "usual"}] * 400)
    assert len(issues(many, f"{US_CORE}us-core-patient")) == 50


def test_steps_are_bounded() -> None:
    many = changed(PATIENT, "identifier", [{"system": "http://example.org", "value": "1"}] * 200)
    visit = Visit(Scope(many), left=500)
    check_profile(many, f"{US_CORE}us-core-patient", visit)
    assert visit.issues[-1].code == "too-costly"


def test_evaluations_are_bounded() -> None:
    names = changed(PATIENT, "name", [{"family": "Example"}] * 1000)
    last = issues(names, f"{US_CORE}us-core-patient")[-1]
    assert (last.severity, last.expression) == ("information", ())


def test_what_an_expression_looks_at_is_bounded() -> None:
    task = OF[f"{SDOH}SDOHCC-TaskForPatient"]
    large = {**task, "input": task["input"] * 5000}
    told = issues(large, f"{SDOH}SDOHCC-TaskForPatient")
    assert {issue.severity for issue in told} == {"information"}
    assert all(issue.text.endswith("there is too much to look at") for issue in told)


def test_what_was_sent_is_not_repeated() -> None:
    canary = "Canary-Q7x"
    for defect in DEFECTS:
        value = canary if isinstance(defect.value, str) else defect.value
        for issue in issues(changed(OF[defect.profile], defect.path, value), defect.profile):
            assert canary not in issue.text + "".join(issue.expression)
