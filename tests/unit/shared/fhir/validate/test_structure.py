"""Elements, cardinalities, JSON types (http://hl7.org/fhir/R4/json.html)."""

from copy import deepcopy
from typing import Any

import pytest

from shared.errors import Invalid, Unprocessable
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.definitions.table import elements
from shared.fhir.json import Resource
from shared.fhir.validate import check
from tests.unit.shared.fhir.validate.examples import (
    ABSENT,
    CARE_PLAN,
    CONDITION,
    EXAMPLES,
    OBSERVATION,
    PATIENT,
    TASK,
    changed,
)
from tests.unit.shared.fhir.validate.instances import minimal, partners, value


@pytest.mark.parametrize("resource", EXAMPLES, ids=lambda resource: str(resource["resourceType"]))
def test_a_valid_resource_is_accepted(resource: Resource) -> None:
    check(resource)


def test_a_check_leaves_the_resource_as_it_is() -> None:
    before = deepcopy(CARE_PLAN)
    check(CARE_PLAN)
    assert before == CARE_PLAN


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_every_type_of_r4_is_accepted_with_each_of_its_elements(type_: str) -> None:
    least = minimal(type_)
    check(least)
    for element in elements(type_):
        for name, datatype in element.names():
            others = {member for member, _ in element.names()} if element.choice else set()
            made = {member: each for member, each in least.items() if member not in others}
            check(made | {name: value(element, datatype)} | partners(type_, element.name))


DEFECTS: list[tuple[str, Resource, str, Any, str]] = [
    ("an unknown element", CARE_PLAN, "colour", "red", "structure CarePlan"),
    ("an unknown element further down", CARE_PLAN, "activity.1.detail.colour", "red",
     "structure CarePlan.activity[1].detail"),
    ("an element of a sibling type", CARE_PLAN, "period.low", {"value": 1}, "structure CarePlan.period"),
    ("resourceType in a datatype", CARE_PLAN, "period.resourceType", "Period", "structure CarePlan.period"),
    ("a missing required element", CARE_PLAN, "status", ABSENT, "required CarePlan.status"),
    ("a missing required element further down", TASK, "input.0.type", ABSENT, "required Task.input[0].type"),
    ("a missing required choice", TASK, "input.0.valuePositiveInt", ABSENT, "required Task.input[0].value"),
    ("two types of one choice", OBSERVATION, "valueString", "four", "structure Observation"),
    ("one where R4 wants many", CARE_PLAN, "category", {"text": "pain"}, "structure CarePlan.category"),
    ("many where R4 wants one", CARE_PLAN, "title", ["Shared plan"], "structure CarePlan.title"),
    ("many objects where R4 wants one", CARE_PLAN, "subject", [{"reference": "Patient/a"}],
     "structure CarePlan.subject"),
    ("an array in an array", CARE_PLAN, "category.0", [{"text": "pain"}], "structure CarePlan.category[0]"),
    ("an empty array", CARE_PLAN, "note", [], "structure CarePlan.note"),
    ("an empty object", CARE_PLAN, "period", {}, "structure CarePlan.period"),
    ("an object with nothing but an id", CARE_PLAN, "period", {"id": "x"}, "structure CarePlan.period"),
    ("an empty string", CARE_PLAN, "title", "", "value CarePlan.title"),
    ("null", CARE_PLAN, "period", None, "structure CarePlan.period"),
    ("null for a primitive", CARE_PLAN, "title", None, "structure CarePlan.title"),
    ("null in an array", CARE_PLAN, "category.0", None, "structure CarePlan.category[0]"),
    ("a string for an object", CARE_PLAN, "subject", "Patient/anna", "structure CarePlan.subject"),
    ("a number for a string", CARE_PLAN, "title", 1, "structure CarePlan.title"),
    ("a string for a boolean", CARE_PLAN, "activity.1.detail.doNotPerform", "false",
     "structure CarePlan.activity[1].detail.doNotPerform"),
    ("a boolean for a number", OBSERVATION, "valueQuantity.value", True,
     "structure Observation.value.ofType(Quantity).value"),
    ("null without an extension beside it", PATIENT, "name.0._given.1", None, "structure Patient.name[0].given[1]"),
    ("a sidecar that is no object", CARE_PLAN, "_title", "x", "structure CarePlan.title"),
    ("an empty sidecar", CARE_PLAN, "_title", {}, "structure CarePlan.title"),
    ("a sidecar with unknown members", CARE_PLAN, "_title.value", "x", "structure CarePlan.title"),
    ("a sidecar of an object", CARE_PLAN, "_period", {"id": "x"}, "structure CarePlan"),
    ("an extension without a URL", CARE_PLAN, "extension.0.url", ABSENT, "required CarePlan.extension[0].url"),
    ("an extension with an unknown value type", CARE_PLAN, "extension.0.valueNarrative", {},
     "structure CarePlan.extension[0]"),
    ("a comparator on a simple quantity", OBSERVATION, "referenceRange.0.low.comparator", "<",
     "structure Observation.referenceRange[0].low"),
    ("a nested resource without a type", CARE_PLAN, "contained.0.resourceType", ABSENT,
     "structure CarePlan.contained[0]"),
    ("a nested resource of no type of R4", CARE_PLAN, "contained.0.resourceType", "Plan",
     "structure CarePlan.contained[0]"),
    ("a defect of a nested resource", CARE_PLAN, "contained.0.description", ABSENT,
     "required CarePlan.contained[0].description"),
]  # fmt: skip


@pytest.mark.parametrize(("defect", "resource", "path", "value", "finding"), DEFECTS)
def test_one_defect_is_one_finding_at_its_place(
    defect: str, resource: Resource, path: str, value: Any, finding: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        check(changed(resource, path, value))
    assert [f"{issue.code} {issue.expression[0]}" for issue in refused.value.issues] == [finding], defect


def test_all_defects_are_told_at_once() -> None:
    broken = changed(changed(changed(CARE_PLAN, "status", "bogus"), "subject", ABSENT), "period.start", "spring")
    with pytest.raises(Unprocessable) as refused:
        check(broken)
    places = {issue.expression[0] for issue in refused.value.issues}
    assert places == {"CarePlan.status", "CarePlan.subject", "CarePlan.period.start"}


@pytest.mark.parametrize("many", [{"category": [{}] * 1000}, {f"unknown-{number}": 1 for number in range(20_000)}])
def test_a_great_many_defects_are_fifty_findings(many: Resource) -> None:
    with pytest.raises(Unprocessable) as refused:
        check(CARE_PLAN | many)
    assert len(refused.value.issues) == 50


NO_RESOURCES = [None, [], "CarePlan", 1, {}, *({"resourceType": each} for each in ("Plan", ["Task"], "DomainResource"))]


@pytest.mark.parametrize("content", NO_RESOURCES)
def test_what_is_no_resource_is_invalid(content: Any) -> None:
    with pytest.raises(Invalid):
        check(content)


def test_deep_nesting_is_a_finding() -> None:
    extension: Resource = {"url": "http://example.org/", "valueString": "text"}
    for _ in range(500):
        extension = {"url": "http://example.org/", "extension": [extension]}
    with pytest.raises(Unprocessable) as refused:
        check(changed(CARE_PLAN, "extension.0", extension))
    assert "deep" in refused.value.issues[0].text


def test_resources_in_bundles_and_parameters_are_checked_as_what_they_are() -> None:
    broken = changed(CONDITION, "clinicalStatus.coding.0.code", "bogus")
    for holder in (
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": broken}]},
        {"resourceType": "Parameters", "parameter": [{"name": "content", "resource": broken}]},
    ):
        with pytest.raises(Unprocessable) as refused:
            check(holder)
        assert [issue.code for issue in refused.value.issues] == ["code-invalid"]
        assert refused.value.issues[0].expression[0].endswith("[0].resource.clinicalStatus")
