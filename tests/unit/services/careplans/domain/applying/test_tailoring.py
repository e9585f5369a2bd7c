"""The clinic's examples of tailoring, each at its threshold: met, not met, missing."""

import pytest

from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.applying.proposal import Outcome
from services.careplans.domain.applying.requests import request_of
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.applying.patients import action, condition, medicine, observation, proposed

PAIN = condition("F45.42")
YES, NO, UNKNOWN = Outcome.PROPOSED, Outcome.NOT_INDICATED, Outcome.UNKNOWN

CASES: list[tuple[str, str, list[Resource], Outcome]] = [
    ("stepped-care", "psychological", [observation("phq9", 10)], YES),
    ("stepped-care", "psychological", [observation("phq9", 9)], NO),
    ("stepped-care", "psychological", [], UNKNOWN),
    ("stepped-care", "psychological-cbt", [observation("phq9", 10)], YES),
    ("stepped-care", "psychological-act", [observation("phq9", 10)], YES),
    ("stepped-care", "mental-health", [PAIN, observation("phq9", 10)], YES),
    ("stepped-care", "mental-health", [PAIN, observation("phq9", 9), observation("gad7", 9)], NO),
    ("stepped-care", "mental-health", [PAIN, observation("phq9", 9)], UNKNOWN),
    ("stepped-care", "mental-health", [PAIN, observation("gad7", 10)], YES),
    ("stepped-care", "mental-health", [condition("F32.1")], YES),
    ("stepped-care", "safety-today", [observation("phq9Item9", 1)], YES),
    ("stepped-care", "safety-today", [observation("phq9Item9", 0)], NO),
    ("stepped-care", "safety-today", [observation("phq9", 20)], UNKNOWN),
    ("stepped-care", "emotion-regulation", [PAIN, observation("emotionRegulationDifficulty", True)], YES),
    ("stepped-care", "emotion-regulation", [PAIN, observation("emotionRegulationDifficulty", False)], NO),
    ("stepped-care", "emotion-regulation", [PAIN], UNKNOWN),
    ("graded-exercise", "understand", [observation("pcs", 31)], YES),
    ("graded-exercise", "understand", [observation("pcs", 30), observation("tsk11", 32)], NO),
    ("graded-exercise", "understand", [observation("pcs", 30)], UNKNOWN),
    ("graded-exercise", "exposure", [observation("pcs", 31)], YES),
    ("graded-exercise", "exposure", [observation("tsk11", 33)], YES),
    ("graded-exercise", "exercise", [PAIN, observation("pcs", 31)], YES),
    ("graded-exercise", "exercise", [condition("J45.9")], NO),
    ("sleep-programme", "programme", [observation("isi", 15)], YES),
    ("sleep-programme", "programme", [observation("isi", 14)], NO),
    ("sleep-programme", "programme", [], UNKNOWN),
    ("sleep-programme", "hygiene", [observation("isi", 15)], YES),
    ("sleep-programme", "hygiene", [observation("isi", 8)], YES),
    ("sleep-programme", "hygiene", [PAIN, observation("isi", 7), observation("sleepDisturbanceT", 59)], NO),
    ("stepped-care", "neuropathic", [observation("neuropathicComponent", True)], YES),
    ("stepped-care", "neuropathic", [condition("M79.2")], YES),
    ("stepped-care", "neuropathic", [PAIN, observation("neuropathicComponent", False)], NO),
    ("stepped-care", "neuropathic", [PAIN], UNKNOWN),
    ("stepped-care", "provisional-diagnosis", [condition("M54.5", verification="provisional")], YES),
    ("stepped-care", "provisional-diagnosis", [condition("M54.5"), observation("redFlags", False)], NO),
    ("stepped-care", "provisional-diagnosis", [condition("M54.5"), observation("redFlags", True)], YES),
    ("stepped-care", "provisional-diagnosis", [condition("M54.5")], UNKNOWN),
    ("stepped-care", "specialist", [observation("peg", 7)], YES),
    ("stepped-care", "specialist", [observation("peg", 6)], NO),
    ("medication-review", "review", [medicine("Oxycodone")], YES),
    ("medication-review", "review", [medicine("Ibuprofen")], NO),
    ("medication-review", "review", [], UNKNOWN),
    ("medication-review", "mild-pain", [observation("painNrs", 7)], YES),
    ("medication-review", "mild-pain", [observation("painNrs", 8)], NO),
    ("medication-review", "tension", [observation("painNrs", 8), medicine("Oxycodone")], NO),
    ("medication-review", "tension", [observation("painNrs", 8), medicine("Ibuprofen")], YES),
    ("education-and-self-management", "learn", [PAIN], YES),
    ("education-and-self-management", "learn", [], UNKNOWN),
]


@pytest.mark.parametrize(("plan", "id_", "resources", "outcome"), CASES)
def test_an_action_is_proposed_not_indicated_or_not_known(
    plan: str, id_: str, resources: list[Resource], outcome: Outcome
) -> None:
    found = action(proposed(plan, *resources), id_)
    assert found.outcome is outcome, found.reason
    if outcome is UNKNOWN:
        assert "needs" in found.reason


@pytest.mark.parametrize(("days", "outcome"), [(29, YES), (28, NO), (None, UNKNOWN)])
@pytest.mark.parametrize("discipline", ["mental-health", "physical-therapy", "pain-medicine"])
def test_a_long_wait_is_bridged(discipline: str, days: int | None, outcome: Outcome) -> None:
    waits = {} if days is None else {discipline: days}
    assert (
        action(proposed("bridging", circumstances=Circumstances(waits=waits)), f"wait-{discipline}").outcome is outcome
    )


@pytest.mark.parametrize(("wish", "outcome"), [(True, YES), (False, NO), (None, UNKNOWN)])
def test_while_waiting_groups_and_video_are_for_who_wants_them(wish: bool | None, outcome: Outcome) -> None:
    circumstances = Circumstances(waits={"mental-health": 60}, groups=wish, telehealth=wish)
    proposal = proposed("bridging", PAIN, circumstances=circumstances)
    assert action(proposal, "bridge-cbt-group").outcome is outcome
    assert action(proposal, "bridge-telehealth").outcome is outcome
    assert action(proposal, "bridge-course").outcome is YES


def test_exposure_and_education_come_before_loading() -> None:
    proposal = proposed("graded-exercise", PAIN, observation("tsk11", 40))
    before = {each["actionId"] for each in action(proposal, "exposure").action["relatedAction"]}
    assert before == {"exercise"}
    assert action(proposal, "exercise").proposed


def test_an_uncertain_diagnosis_is_looked_at_again_by_a_date_with_red_flags_listed() -> None:
    found = action(proposed("stepped-care", condition("M54.5", verification="provisional")), "provisional-diagnosis")
    assert found.action["timingDateTime"] == "2026-04-12"
    assert "cauda equina" in found.action["textEquivalent"]
    assert "provisional" in found.reason


def test_a_red_flag_is_looked_at_today() -> None:
    found = action(proposed("stepped-care", condition("M54.5"), observation("redFlags", True)), "provisional-diagnosis")
    assert found.action["timingDateTime"] == "2026-03-01"


def test_only_what_leads_to_the_result_is_told() -> None:
    both = proposed("stepped-care", condition("F32.1"), observation("phq9", 8))
    found = action(both, "mental-health")
    assert "Depression among the recorded conditions" in found.reason
    assert "PHQ-9 is 8" not in found.reason
    references = [each["reference"] for each in request_of(found, both, "r")["reasonReference"]]
    assert references == ["Condition/c-f32.1"]
    review = action(proposed("medication-review", medicine("Oxycodone")), "review")
    assert "Number of active medicines is 1" not in review.reason
    tension = action(proposed("medication-review", observation("painNrs", 9), medicine("Oxycodone")), "tension")
    assert "Benzodiazepines not among" not in tension.reason


def test_where_no_input_leads_to_it_alone_all_are_told() -> None:
    found = action(proposed("stepped-care", PAIN, observation("phq9", 9), observation("gad7", 9)), "mental-health")
    for told in ("PHQ-9 is 9", "GAD-7 is 9", "Depression not among 1 recorded condition"):
        assert told in found.reason
