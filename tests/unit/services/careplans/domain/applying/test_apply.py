"""Wishes, contraindications, nesting, and plans that other people wrote."""

from typing import Any

import pytest

from services.careplans.domain.applying.apply import apply
from services.careplans.domain.applying.circumstances import Circumstances, Declined
from services.careplans.domain.applying.definitions import plan_of
from services.careplans.domain.applying.extensions import GROUP
from services.careplans.domain.applying.proposal import Outcome, Proposal
from shared.errors import Unprocessable
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.applying.patients import (
    AS_OF,
    DEFINITIONS,
    action,
    condition,
    medicine,
    observation,
    patient,
    proposed,
    record,
)

NERVE = condition("M79.2")
LOW = observation("phq9", 14)


def own(*actions: Resource, **more: Any) -> Proposal:
    """A plan of somebody's own, over a patient with nerve pain."""
    plan = {"resourceType": "PlanDefinition", "id": "own", "status": "active", "action": list(actions)} | more
    return apply(plan, DEFINITIONS, record(NERVE), AS_OF)


def when(expression: str, **more: Any) -> Resource:
    return {"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": expression} | more}


def test_a_reason_names_threshold_value_date_and_reference() -> None:
    found = action(proposed("stepped-care", LOW), "psychological")
    assert "PHQ-9 of 10 or more: PHQ-9 is 14 (2026-02-01)" in found.reason
    (judged,) = found.conditions
    assert judged.expression == "%phq9 >= 10"
    assert judged.inputs[0].references == ("Observation/44261-6-2026-02-01",)


def test_a_part_tells_the_reason_of_the_whole() -> None:
    assert "PHQ-9 is 14" in action(proposed("stepped-care", LOW), "psychological-act").reason


@pytest.mark.parametrize("declined", ["cbt-individual", "psychological"])
def test_what_the_patient_declined_is_not_proposed_and_says_so(declined: str) -> None:
    wishes = Circumstances(declined=(Declined(declined, "I tried it twice"),))
    found = action(proposed("stepped-care", LOW, circumstances=wishes), "psychological-cbt")
    assert found.outcome is Outcome.DECLINED
    assert found.reason == "Indicated, and declined by the patient: I tried it twice."


def test_where_all_choices_are_declined_nothing_is_left_to_choose() -> None:
    wishes = Circumstances(declined=(Declined("psychological"),))
    found = action(proposed("stepped-care", LOW, circumstances=wishes), "psychological")
    assert (found.outcome, found.reason) == (Outcome.DECLINED, "None of its parts is proposed.")


def test_groups_are_not_proposed_to_who_does_not_want_them() -> None:
    proposal = proposed("stepped-care", LOW, circumstances=Circumstances(groups=False))
    assert action(proposal, "psychological-cbt-group").outcome is Outcome.DECLINED
    assert action(proposal, "psychological-act").outcome is Outcome.PROPOSED


def test_what_the_patient_would_like_comes_first() -> None:
    found = action(
        proposed("stepped-care", LOW, circumstances=Circumstances(preferred=frozenset({"act"}))), "psychological"
    )
    assert [part.id for part in found.children] == ["psychological-act", "psychological-cbt", "psychological-cbt-group"]
    assert "would like it" in found.children[0].reason


def test_a_contraindication_in_the_record_holds_an_action_and_says_what_it_is() -> None:
    found = action(proposed("stepped-care", NERVE, condition("I44.2")), "neuropathic-tca")
    assert found.outcome is Outcome.CONTRAINDICATED
    assert "Arrhythmia or conduction disorder" in found.reason
    assert found.contraindications[0].inputs[0].references == ("Condition/c-i44.2",)


def test_a_contraindication_outweighs_and_names_a_refusal() -> None:
    wishes = Circumstances(declined=(Declined("tca", "Dry mouth"),))
    found = action(proposed("stepped-care", NERVE, condition("I44.2"), circumstances=wishes), "neuropathic-tca")
    assert found.outcome is Outcome.CONTRAINDICATED
    assert "Dry mouth" in found.reason


@pytest.mark.parametrize(
    ("resources", "born", "outcome"),
    [
        ([medicine("Oxycodone")], "1961-03-01", Outcome.CONTRAINDICATED),
        ([medicine("Oxycodone")], "1961-03-02", Outcome.PROPOSED),
        ([medicine("Ibuprofen")], "1961-03-01", Outcome.PROPOSED),
        ([medicine("Oxycodone"), condition("J44.9")], "1990-01-01", Outcome.CONTRAINDICATED),
    ],
)
def test_two_signs_together_contraindicate(resources: list[Resource], born: str, outcome: Outcome) -> None:
    assert (
        action(proposed("stepped-care", NERVE, *resources, birthDate=born), "neuropathic-gabapentinoid").outcome
        is outcome
    )


def test_a_contraindication_that_is_not_known_is_said_and_does_not_hold() -> None:
    proposal = proposed("stepped-care", NERVE)
    found = action(proposal, "neuropathic-snri")
    assert found.outcome is Outcome.PROPOSED
    assert "Contraindicated if, not known: MAO inhibitor" in found.reason
    assert "takesMaoi" in {entry.name for entry in proposal.needs()}


def test_what_has_to_be_asked_is_asked_and_needs_no_data() -> None:
    found = action(proposed("stepped-care", NERVE, medicine("Ibuprofen")), "neuropathic-tca")
    assert "Caution, to be asked: Risk of suicide" in found.reason
    assert all(judged.needs == () for judged in found.cautions if judged.expression is None)


def test_data_that_would_change_nothing_is_not_needed() -> None:
    names = {entry.name for entry in proposed("graded-exercise", condition("J45.9"), observation("pcs", 31)).needs()}
    assert "tsk11" not in names


def test_notes_tell_language_times_what_matters_and_what_no_rule_knows() -> None:
    speaks = [{"preferred": True, "language": {"coding": [{"code": "es"}]}}]
    circumstances = Circumstances(matters="Play with my grandchildren", times="evenings")
    proposal = proposed("bridging", condition("L40.0"), circumstances=circumstances, communication=speaks)
    assert proposal.notes == (
        "What matters to the patient: Play with my grandchildren",
        "Speaks: es",
        "Can come: evenings",
        "No rule knows these conditions, look at them yourself: Condition/c-l40.0.",
    )


def test_an_own_plan_asks_the_record_itself() -> None:
    expression = "%conditions.where(code.coding.exists(code = 'M79.2')).exists() and %patient.birthDate < @2000-01-01"
    found = own({"title": "Own", "condition": [when(expression)]}).actions[0]
    assert (found.id, found.title, found.outcome) == ("action-1", "Own", Outcome.PROPOSED)


def test_conditions_are_all_needed_and_start_and_stop_are_for_later() -> None:
    stop = when("%age > 200") | {"kind": "stop"}
    assert own({"id": "a", "condition": [when("%age > 1"), stop]}).actions[0].proposed
    assert (
        own({"id": "a", "condition": [when("%age > 1"), when("%age > 200")]}).actions[0].outcome
        is Outcome.NOT_INDICATED
    )


def test_parts_of_what_is_not_proposed_are_not_either_at_any_depth() -> None:
    proposal = own({"id": "a", "condition": [when("%age > 200")], "action": [{"id": "b", "action": [{"id": "c"}]}]})
    assert [(each.id, each.outcome) for each in proposal.all()] == [
        (id_, Outcome.NOT_INDICATED) for id_ in ("a", "b", "c")
    ]
    assert proposal.empty


def fhirpath(expression: str) -> Resource:
    return {"language": "text/fhirpath", "expression": expression}


@pytest.mark.parametrize(
    ("element", "expression"),
    [
        ({"definitionCanonical": "http://example.org/none"}, "definitionCanonical"),
        ({"definitionUri": "http://example.org/none"}, "definitionUri"),
        ({"condition": [when("%unheardOf")]}, "condition[0].expression"),
        ({"condition": [when("true", language="text/cql")]}, "condition[0].expression"),
        (
            {"condition": [{"kind": "applicability", "expression": {"language": "text/fhirpath"}}]},
            "condition[0].expression",
        ),
        ({"condition": [{"kind": "applicability"}]}, "condition[0].expression"),
        ({"action": [{}, {"condition": [when("1 +")]}]}, "action[1].condition[0].expression"),
        ({"dynamicValue": [{"path": "resource", "expression": fhirpath("1")}]}, "dynamicValue[0].path"),
        ({"dynamicValue": [{"path": "title"}]}, "dynamicValue[0].expression"),
        ({"dynamicValue": [{"path": "title", "expression": fhirpath("true")}]}, "dynamicValue[0].expression"),
    ],
)
def test_what_cannot_be_applied_is_refused_with_its_path(element: Resource, expression: str) -> None:
    with pytest.raises(Unprocessable) as raised:
        own(element)
    assert raised.value.issues[0].expression == (f"PlanDefinition.action[0].{expression}",)


@pytest.mark.parametrize(
    "parts",
    [
        [{"id": "b"}, {"id": "b"}],
        [{"id": "a"}],
        [{"id": "b", "action": [{"id": "a"}]}],
        [{"id": "action-1.2"}, {}],
        [{"id": "a-itself"}],
    ],
)
def test_no_two_actions_have_one_id(parts: list[Resource]) -> None:
    yoga = "https://consilium.care/fhir/ActivityDefinition/yoga"
    whole = {"id": "a"} if parts != [{"id": "action-1.2"}, {}] else {}
    with pytest.raises(Unprocessable, match="same id"):
        own(whole | {"definitionCanonical": yoga, "action": parts})


def test_a_group_of_treatments_that_is_no_code_is_none() -> None:
    group = {"url": GROUP, "valueCodeableConcept": {"text": "movement"}}
    definition = {
        "resourceType": "ActivityDefinition",
        "url": "https://example.org/walk",
        "status": "active",
        "kind": "ServiceRequest",
        "extension": [group],
    }
    (action,) = apply(plan_of(definition), [definition], {"Patient": [patient()]}, AS_OF).actions
    assert action.proposed


def test_a_retired_plan_is_not_applied() -> None:
    with pytest.raises(Unprocessable, match="retired"):
        own(status="retired")


@pytest.mark.parametrize("patients", [[], [patient(), patient(id="q")], [patient(id=None)]])
def test_the_record_is_that_of_one_patient(patients: list[Resource]) -> None:
    with pytest.raises(Unprocessable):
        apply({"resourceType": "PlanDefinition", "status": "active"}, [], {"Patient": patients}, AS_OF)


def test_what_has_a_definition_of_its_own_stays_without_its_parts() -> None:
    part = {"id": "b", "condition": [when("%age > 200")]}
    yoga = {"id": "a", "definitionCanonical": "https://consilium.care/fhir/ActivityDefinition/yoga", "action": [part]}
    assert [each.outcome for each in own(yoga).all()] == [Outcome.PROPOSED, Outcome.NOT_INDICATED]
