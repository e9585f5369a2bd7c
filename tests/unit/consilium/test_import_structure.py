"""Structural faults of files are put right by three rules; whatever else there is stays as it is."""

from collections import Counter
from copy import deepcopy
from io import StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from consilium.importing.loading import prepared
from consilium.importing.report import Report, show
from consilium.importing.structure import DATA_ABSENT_REASON, MEANINGFUL, Rule, put_right, shape, with_structure
from consilium.importing.units import Unit, entry_of
from shared.errors import ConsiliumError
from shared.fhir.definitions import PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.table import elements, part_names
from shared.fhir.validate import check
from tests.unit.shared.fhir.validate.examples import (
    CARE_PLAN,
    COMMUNICATION,
    OBSERVATION,
    PATIENT,
    SERVICE_REQUEST,
    changed,
)
from tests.unit.shared.fhir.validate.instances import minimal, partners, value
from tests.unit.shared.fhir.validate.test_properties import ANY_JSON, PLACES

UNKNOWN = {"extension": [{"url": DATA_ABSENT_REASON, "valueCode": "unknown"}]}
QUESTIONS: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "item": [
        {"linkId": "1", "item": [{"linkId": "1.1", "answer": [{"valueString": "yes", "item": [{"linkId": "a"}]}]}]}
    ],
}
PARAMETERS: dict[str, Any] = {"resourceType": "Parameters", "parameter": [{"name": "one", "resource": PATIENT}]}

# what is broken, where, how; the rule and the path that are told
FAULTS: list[tuple[dict[str, Any], str, Any, Rule, str]] = [
    (CARE_PLAN, "category", {"text": "pain"}, Rule.WRAPPED, "CarePlan.category"),
    (CARE_PLAN, "activity", {"reference": {"reference": "Task/1"}}, Rule.WRAPPED, "CarePlan.activity"),
    (CARE_PLAN, "category.0.coding", {"code": "pain"}, Rule.WRAPPED, "CarePlan.category.coding"),
    (CARE_PLAN, "contained", dict(CARE_PLAN["contained"][0]), Rule.WRAPPED, "CarePlan.contained"),
    (CARE_PLAN, "contained.0.note", {"text": "slowly"}, Rule.WRAPPED, "Goal.note"),
    (CARE_PLAN, "meta.profile", "http://example.org/p", Rule.WRAPPED, "CarePlan.meta.profile"),
    (CARE_PLAN, "extension", {"url": "http://example.org/x", "valueCode": "y"}, Rule.WRAPPED, "CarePlan.extension"),
    (OBSERVATION, "interpretation", {"text": "high"}, Rule.WRAPPED, "Observation.interpretation"),
    (PATIENT, "contact.0.name", {"given": "Ann"}, Rule.WRAPPED, "Patient.contact.name.given"),
    (PARAMETERS, "parameter.0.resource.address", {"city": "Town"}, Rule.WRAPPED, "Patient.address"),
    (CARE_PLAN, "kind", "x", Rule.DROPPED, "CarePlan.kind"),
    (CARE_PLAN, "_period", {"extension": []}, Rule.DROPPED, "CarePlan._period"),
    (CARE_PLAN, "_kind", {"id": "x"}, Rule.DROPPED, "CarePlan._kind"),
    (CARE_PLAN, "activity.1.detail.title", "x", Rule.DROPPED, "CarePlan.activity.detail.title"),
    (
        CARE_PLAN,
        "activity.1.detail.scheduledTiming.unit",
        "x",
        Rule.DROPPED,
        "CarePlan.activity.detail.scheduledTiming.unit",
    ),
    (CARE_PLAN, "contained.0.intent", "x", Rule.DROPPED, "Goal.intent"),
    (CARE_PLAN, "subject.Not an element", "x", Rule.DROPPED, "CarePlan.subject.?"),
    (OBSERVATION, "doNotPerform", False, Rule.DROPPED, "Observation.doNotPerform"),
    (OBSERVATION, "_valueQuantity", {"id": "x"}, Rule.DROPPED, "Observation._valueQuantity"),
    (QUESTIONS, "item.0.prefix", "1.", Rule.DROPPED, "QuestionnaireResponse.item.prefix"),
    (QUESTIONS, "item.0.item.0.type", "string", Rule.DROPPED, "QuestionnaireResponse.item.type"),
    (
        QUESTIONS,
        "item.0.item.0.answer.0.item.0.type",
        "string",
        Rule.DROPPED,
        "QuestionnaireResponse.item.answer.item.type",
    ),
]

# what no rule names, or what would say something else afterwards
LEFT: list[tuple[dict[str, Any], str, Any]] = [
    (CARE_PLAN, "category", "pain"),
    (CARE_PLAN, "category", []),
    (CARE_PLAN, "category", None),
    (CARE_PLAN, "title", ["Shared plan"]),
    (CARE_PLAN, "status", "bogus"),
    (CARE_PLAN, "period", "2024"),
    (CARE_PLAN, "meta.profile", {"url": "http://example.org/p"}),
    (CARE_PLAN, "contained.0.resourceType", "Unknown"),
    (CARE_PLAN, "subject.modifierExtension", [{"url": "http://example.org/not", "valueBoolean": True}]),
    (OBSERVATION, "doNotPerform", True),
    (OBSERVATION, "value", 4),
    (OBSERVATION, "valueDecimal", 4),
    (OBSERVATION, "code", None),
    (OBSERVATION, "component", [{}]),
    (PATIENT, "name.0._given", {"id": "x"}),
]


@pytest.mark.parametrize(("resource", "path", "fault", "rule", "told"), FAULTS)
def test_a_fault_is_put_right_and_told(resource: dict[str, Any], path: str, fault: Any, rule: Rule, told: str) -> None:
    broken = changed(resource, path, fault)
    before = deepcopy(broken)
    counts: Counter[str] = Counter()
    with pytest.raises(ConsiliumError):
        check(broken)
    found = put_right(broken, counts)
    check(found)
    assert counts == {f"{rule}: {told}": 1}
    assert broken == before
    expected = resource if rule is Rule.DROPPED else changed(broken, path, _wrapped(fault))
    assert found == expected


def _wrapped(fault: Any) -> Any:
    return {"given": [fault["given"]]} if isinstance(fault, dict) and "given" in fault else [fault]


@pytest.mark.parametrize(("resource", "path", "fault"), LEFT)
def test_what_no_rule_names_is_left_for_the_server(resource: dict[str, Any], path: str, fault: Any) -> None:
    broken = changed(resource, path, fault)
    counts: Counter[str] = Counter()
    assert put_right(broken, counts) is broken
    assert not counts
    with pytest.raises(ConsiliumError):
        check(broken)


def test_a_required_concept_that_is_missing_is_said_to_be_unknown() -> None:
    component = {"valueString": "left"}
    broken = {name: item for name, item in OBSERVATION.items() if name != "code"} | {
        "component": [component, component]
    }
    counts: Counter[str] = Counter()
    found = put_right(broken, counts)
    check(found)
    assert found == broken | {"code": UNKNOWN, "component": [component | {"code": UNKNOWN}] * 2}
    assert counts == {f"{Rule.FILLED}: Observation.code": 1, f"{Rule.FILLED}: Observation.component.code": 2}


def test_only_required_concepts_with_open_codes_are_filled() -> None:
    for resource in (SERVICE_REQUEST, COMMUNICATION):
        broken = {name: item for name, item in resource.items() if name not in ("status", "code")}
        assert put_right(broken, Counter()) is broken


def test_a_sidecar_of_a_single_value_goes_into_a_list_with_it() -> None:
    name = {"given": "Ann", "_given": {"id": "x"}}
    found = put_right(changed(PATIENT, "name.0", name), Counter())
    check(found)
    assert found["name"] == [{"given": ["Ann"], "_given": [{"id": "x"}]}]


def test_no_member_that_turns_a_statement_around_is_ever_dropped() -> None:
    for path in (path for type_ in RESOURCE_TYPES for path in (type_, *part_names(type_))):
        for name in MEANINGFUL - shape(path).members.keys():
            assert not shape(path).surplus(name, True)


def every_element() -> list[tuple[str, dict[str, Any]]]:
    """A valid instance of each resource type for each of its elements and JSON names."""
    found = []
    for type_ in sorted(RESOURCE_TYPES):
        for element in elements(type_):
            for name, of in element.names():
                more = partners(type_, element.name)
                found.append((f"{type_}.{name}", minimal(type_) | {name: value(element, of)} | more))
    return found


def test_a_valid_resource_of_any_type_is_the_same_object() -> None:
    counts: Counter[str] = Counter()
    for label, resource in every_element():
        assert put_right(resource, counts) is resource, label
    assert not counts


def test_every_list_of_every_type_is_found() -> None:
    for label, resource in every_element():
        _, _, name = label.partition(".")
        if isinstance(resource.get(name), list):
            single = resource | {name: resource[name][0]}
            counts: Counter[str] = Counter()
            assert put_right(single, counts) == resource, label
            assert counts == {f"{Rule.WRAPPED}: {label}": 1}


def test_every_sidecar_on_an_object_is_found() -> None:
    for type_ in sorted(RESOURCE_TYPES):
        whole = minimal(type_)
        for name, member in shape(type_).members.items():
            if not member.primitive and not name.startswith("_") and member.content not in PRIMITIVE_TYPES:
                assert put_right(whole | {f"_{name}": {"id": "x"}}, Counter()) == whole, name


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), ANY_JSON)
def test_only_what_is_not_valid_is_touched_and_one_pass_is_enough(place: tuple[dict[str, Any], str], item: Any) -> None:
    resource = changed(*place, item)
    before = deepcopy(resource)
    counts: Counter[str] = Counter()
    found = put_right(resource, counts)
    assert resource == before
    assert (found is resource) == (not counts)
    assert put_right(found, Counter()) is found
    try:
        check(resource)
    except ConsiliumError:
        return
    assert found is resource


def test_an_entry_without_a_fault_and_one_without_a_resource_stay_the_same() -> None:
    delete = {"request": {"method": "DELETE", "url": "CarePlan/plan"}}
    whole = Unit("file", True, (entry_of(CARE_PLAN), delete))
    assert with_structure(whole, Counter()) is whole
    mixed = Unit("file", True, (*whole.entries, entry_of(changed(CARE_PLAN, "kind", "x"))))
    found = with_structure(mixed, Counter())
    assert [now is before for now, before in zip(found.entries, mixed.entries, strict=True)] == [True, True, False]
    assert found.entries[2]["resource"] == CARE_PLAN


@pytest.mark.parametrize("strict", [False, True])
def test_a_strict_import_sends_faults_as_they_are(strict: bool) -> None:
    broken = changed(CARE_PLAN, "kind", "x")
    report = Report()
    (unit,) = prepared([Unit("file", True, (entry_of(broken),))], report, strict=strict)
    assert unit.entries[0]["resource"] == (broken if strict else CARE_PLAN)
    assert report.repaired.total() == (0 if strict else 1)


def test_what_is_nested_too_deeply_is_left_for_the_server() -> None:
    deep: dict[str, Any] = {"linkId": "1", "prefix": "x"}
    for _ in range(500):
        deep = {"linkId": "1", "item": [deep]}
    broken = QUESTIONS | {"item": [deep]}
    assert put_right(broken, Counter()) is broken


def test_the_report_tells_repairs_one_to_a_line_and_how_to_have_none() -> None:
    report = Report()
    item = {"linkId": "1", "answerOption": [{"valueString": "never"}]}
    resource = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item, item]}
    put_right(resource, report.repaired)
    told = StringIO()
    show(report, Console(file=told, width=40))
    (line,) = [line for line in told.getvalue().splitlines() if "answerOption" in line]
    assert line.strip() == "2 x left out, because R4 has no such element: QuestionnaireResponse.item.answerOption"
    assert "--strict" in told.getvalue()
    assert "your files are as they were" in " ".join(told.getvalue().split())
