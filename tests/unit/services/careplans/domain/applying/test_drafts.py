"""Proposals as RequestGroup and CarePlan: valid R4, the same bytes for the same input, a reason everywhere."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain.applying.apply import apply
from services.careplans.domain.applying.care_plan import care_plan
from services.careplans.domain.applying.circumstances import Circumstances, Declined
from services.careplans.domain.applying.extensions import CONSIDERED, NEEDS
from services.careplans.domain.applying.measures import MEASURES
from services.careplans.domain.applying.request_group import request_group
from services.careplans.domain.codes import extension_value
from shared.fhir.json import Resource, dumps
from shared.fhir.validate import check
from tests.unit.services.careplans.domain.applying.patients import (
    AS_OF,
    DEFINITIONS,
    PLANS,
    condition,
    medicine,
    observation,
    proposed,
    record,
)

RICH = [
    condition("F45.42"),
    condition("M79.2"),
    observation("phq9", 14),
    observation("pcs", 31),
    observation("isi", 15),
    observation("peg", 7),
    observation("painNrs", 5),
    medicine("Oxycodone"),
]


def actions(group: Resource) -> Iterator[Resource]:
    for each in group.get("action") or ():
        yield each
        yield from actions(each)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("resources", [[], RICH], ids=["nothing known", "much known"])
def test_drafts_are_valid_r4(plan: str, resources: list[Resource]) -> None:
    proposal = proposed(plan, *resources, circumstances=Circumstances(waits={"mental-health": 60}))
    for draft in (request_group(proposal), care_plan(proposal)):
        references = {str(reference) for reference in check(draft)}
        assert references
        assert (draft["status"], draft["intent"]) == ("draft", "proposal")
        assert draft["instantiatesCanonical"] == [f"https://consilium.care/fhir/PlanDefinition/{plan}|1.1.0"]


def test_every_action_of_the_plan_is_accounted_for_with_a_reason() -> None:
    group = request_group(proposed("stepped-care", *RICH))
    told = [each for each in group["extension"] if each["url"] == CONSIDERED]
    ids = {extension_value(each, "action") for each in told}
    assert {action["id"] for action in _planned(PLANS["stepped-care"])} == ids
    assert all(extension_value(each, "reason") for each in told)
    assert {extension_value(each, "outcome") for each in told} >= {"proposed", "not-indicated", "unknown"}
    assert any(each["url"] == NEEDS and each["valueString"] == "needs GAD-7" for each in group["extension"]) is False
    assert any(each["url"] == NEEDS and each["valueString"] == "needs PHQ-9 item 9" for each in group["extension"])


def test_every_action_says_why_cites_sources_and_leads_to_a_draft_request() -> None:
    group = request_group(proposed("stepped-care", *RICH))
    contained = {f"#{each['id']}": each for each in group["contained"]}
    for action in actions(group):
        assert action["textEquivalent"]
        assert action["documentation"]
        assert ("resource" in action) != ("action" in action)
        if "resource" in action:
            request = contained[action["resource"]["reference"]]
            assert (request["status"], request["intent"]) == ("draft", "proposal")
            assert request["reasonCode"][0]["text"] in action["textEquivalent"]
    by_id = {action["id"]: action for action in actions(group)}
    act = contained[by_id["psychological-act"]["resource"]["reference"]]
    assert act["reasonReference"] == [{"reference": "Observation/44261-6-2026-02-01"}]
    snri = contained[by_id["neuropathic-snri"]["resource"]["reference"]]
    assert (snri["resourceType"], snri["medicationCodeableConcept"]["text"]) == ("MedicationRequest", "SNRIs")
    assert "dosageInstruction" not in snri


def test_only_what_is_proposed_is_in_the_group() -> None:
    wishes = Circumstances(declined=(Declined("act", "No"),))
    proposal = proposed("stepped-care", *RICH, condition("I44.2"), circumstances=wishes)
    group = request_group(proposal)
    outcomes = {each.id: each.outcome.value for each in proposal.all()}
    assert outcomes["psychological-act"] == "declined"
    assert outcomes["neuropathic-tca"] == "contraindicated"
    assert [each["id"] for each in actions(group)] == [each.id for each in proposal.all() if each.proposed]


def test_an_order_is_kept_only_to_what_is_proposed() -> None:
    def before(*declined: Declined) -> list[str]:
        circumstances = Circumstances(declined=declined)
        group = request_group(proposed("graded-exercise", *RICH, circumstances=circumstances))
        (exposure,) = (each for each in actions(group) if each["id"] == "exposure")
        return [each["actionId"] for each in exposure.get("relatedAction", ())]

    assert before() == ["exercise"]
    assert before(Declined("graded-exercise")) == []


def test_the_care_plan_holds_the_goals_of_what_is_proposed() -> None:
    plan = care_plan(proposed("stepped-care", *RICH))
    goals = [each for each in plan["contained"] if each["resourceType"] == "Goal"]
    assert [each["description"]["text"] for each in goals] == [
        "Pain interferes less with what matters to me",
        "Better mood",
    ]
    assert goals[0]["target"][0]["dueDuration"]["value"] == 12
    assert [each["reference"] for each in plan["goal"]] == ["#goal-1", "#goal-2"]


def test_an_own_plan_without_definitions_becomes_tasks() -> None:
    own = {
        "resourceType": "PlanDefinition",
        "status": "active",
        "url": "http://example.org/own",
        "action": [
            {"title": "Call", "action": [{"description": "Ask about sleep"}, {"title": "And pain"}]},
            {"definitionCanonical": "http://example.org/a", "action": [{"title": "Part"}]},
            {"definitionCanonical": "http://example.org/b"},
        ],
    }
    definitions: list[dict[str, Any]] = [
        {
            "resourceType": "ActivityDefinition",
            "url": "http://example.org/a",
            "kind": "ServiceRequest",
            "doNotPerform": True,
        },
        {"resourceType": "ActivityDefinition", "url": "http://example.org/b", "kind": "CommunicationRequest"},
    ]
    group = request_group(apply(own, definitions, record(), AS_OF))
    check(group)
    kinds = [each["resourceType"] for each in group["contained"]]
    assert sorted(kinds) == ["ServiceRequest", "Task", "Task", "Task", "Task"]
    assert next(each for each in group["contained"] if "doNotPerform" in each)["instantiatesCanonical"] == [
        "http://example.org/a"
    ]


scores = st.fixed_dictionaries(
    {}, optional={each.variable: st.integers(int(each.lowest) - 1, int(each.highest) + 1) for each in MEASURES}
)
coded = st.lists(
    st.sampled_from(["F45.42", "M79.2", "F32.1", "N18.3", "I44.2", "J44.9", "L40.0", "K70.3"]), unique=True
)
names = st.lists(st.sampled_from(["Oxycodone", "Ibuprofen", "Warfarin", "Sertraline", "Diazepam"]), unique=True)


@given(st.sampled_from(sorted(PLANS)), scores, coded, names, st.integers(1920, 2020))
def test_any_record_gives_reasons_validity_and_the_same_bytes(
    plan: str, values: dict[str, int], codes: list[str], taken: list[str], born: int
) -> None:
    resources = [
        *(observation(name, value) for name, value in values.items()),
        *(condition(code) for code in codes),
        *(medicine(name) for name in taken),
    ]
    proposal = proposed(plan, *resources, birthDate=str(born))
    assert all(each.reason for each in proposal.all())
    draft = care_plan(proposal)
    check(draft)
    backwards = proposed(plan, *resources, birthDate=str(born))
    assert dumps(draft) == dumps(care_plan(backwards))


def _planned(element: Resource) -> Iterator[Resource]:
    for each in element.get("action") or ():
        yield each
        yield from _planned(each)


def test_definitions_are_not_changed_by_applying() -> None:
    before = dumps(DEFINITIONS)
    care_plan(proposed("stepped-care", *RICH))
    assert dumps(DEFINITIONS) == before
