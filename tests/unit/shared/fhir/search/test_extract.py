"""From a resource to its index entries."""

from decimal import Decimal

from shared.fhir.search.extract import extract, reference_term
from shared.fhir.search.parameters import parameters_of, search_parameters
from shared.store.indexing import EARLIEST, LATEST, term

PLAN = {
    "resourceType": "CarePlan",
    "id": "1",
    "meta": {"tag": [{"system": "urn:tags", "code": "Pilot"}], "profile": ["http://p/x|1.0"]},
    "identifier": [{"system": "urn:plans", "value": "A1"}],
    "status": "active",
    "intent": "plan",
    "category": [{"coding": [{"system": "urn:c", "code": "Assess"}, {"code": "bare"}]}, {"text": "only words"}],
    "subject": {"reference": "Patient/p1"},
    "author": {"reference": "Practitioner/d1"},
    "period": {"start": "2024-01"},
    "goal": [{"identifier": {"system": "urn:g", "value": "G"}}],
    "contained": [{"resourceType": "Goal", "id": "g", "subject": {"reference": "Patient/p2"}}],
}


def test_tokens_can_be_found_by_code_by_system_and_by_both() -> None:
    terms = extract(PLAN).terms
    assert term("CarePlan", "category", "assess") in terms
    assert term("CarePlan", "category", "urn:c", "assess") in terms
    assert term("CarePlan", "category", "urn:c", "", "") in terms
    assert term("CarePlan", "category", "", "bare") in terms
    assert term("CarePlan", "category", "", "assess") not in terms
    assert term("CarePlan", "identifier", "urn:plans", "A1") in terms
    assert term("CarePlan", "_tag", "urn:tags", "pilot") in terms
    assert term("CarePlan", "_profile", "http://p/x") in terms


def test_every_reference_is_known_also_where_no_parameter_looks() -> None:
    terms = extract(PLAN).terms
    assert reference_term("Patient", "p1") in terms
    assert reference_term("Practitioner", "d1") in terms
    assert reference_term("Patient", "p2") in terms
    assert reference_term("Patient", "p3") not in terms


def test_the_compartment_is_the_patient_and_a_patient_is_in_its_own() -> None:
    assert extract(PLAN).patient == "p1"
    assert extract({"resourceType": "Patient", "id": "p1"}).patient == "p1"
    assert extract(PLAN | {"subject": {"reference": "Group/p1"}}).patient is None


def test_a_period_without_end_is_open() -> None:
    [date] = extract(PLAN).dates
    assert date.high == LATEST
    [date] = extract(PLAN | {"period": {"end": "2024"}}).dates
    assert date.low == EARLIEST


def test_strings_are_folded_and_names_indexed_by_their_parts() -> None:
    name = {"family": "Müller", "given": ["Ana", "María"]}
    strings = extract({"resourceType": "Patient", "id": "1", "name": [name]}).strings
    parameter = parameters_of("Patient")["name"]
    assert {entry.value for entry in strings if entry.param == parameter.key} == {"muller", "ana", "maria"}


def test_quantities_keep_their_decimals_and_comparators_open_an_end() -> None:
    observation = {"resourceType": "Observation", "id": "1", "valueQuantity": {"value": Decimal("1.10"), "unit": "mg"}}
    assert {(str(q.low), str(q.high)) for q in extract(observation).quantities} == {("1.10", "1.10")}
    observation["valueQuantity"] = {"value": 5, "comparator": "<"}
    assert all(q.low < 0 and q.high == 5 for q in extract(observation).quantities)


def test_a_patient_is_dead_or_not() -> None:
    alive, dead = term("Patient", "deceased", "false"), term("Patient", "deceased", "true")
    assert alive in extract({"resourceType": "Patient", "id": "1"}).terms
    assert dead in extract({"resourceType": "Patient", "id": "1", "deceasedDateTime": "2024"}).terms
    assert alive in extract({"resourceType": "Patient", "id": "1", "deceasedBoolean": False}).terms


def test_telecoms_are_told_apart_by_system() -> None:
    telecom = [{"system": "phone", "value": "555"}, {"system": "email", "value": "a@b"}]
    terms = extract({"resourceType": "Patient", "id": "1", "telecom": telecom}).terms
    assert term("Patient", "phone", "555") in terms
    assert term("Patient", "phone", "a@b") not in terms
    assert term("Patient", "email", "a@b") in terms


def test_null_in_a_list_of_primitives_is_passed_over() -> None:
    name = {"given": [None, "Ana"]}
    strings = extract({"resourceType": "Patient", "id": "1", "name": [name]}).strings
    assert {entry.value for entry in strings} == {"ana"}


def test_all_core_parameters_but_the_listed_ones_are_compiled() -> None:
    left_out = {
        name
        for type_ in ("CarePlan", "Task", "Goal", "Patient", "Bundle")
        for name, p in parameters_of(type_).items()
        if p.kind == "unsupported"
    }
    assert left_out == {"_content", "_query", "_text", "composition", "message"}
    assert len(search_parameters("Task")) > 20
