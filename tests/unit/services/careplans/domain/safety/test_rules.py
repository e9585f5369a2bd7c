"""The safety rules against the table of cases, and what must hold for any record."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain.safety.evaluate import BY_ID, RULES, Evaluation, evaluate
from services.careplans.domain.safety.finding import Finding
from tests.unit.services.careplans.domain.safety.cases import CASES
from tests.unit.services.careplans.domain.safety.cases.rows import (
    NOTHING,
    SILENCED,
    Case,
    condition,
    egfr,
    patient,
    procedure,
)
from tests.unit.services.careplans.domain.safety.prescriptions import (
    BID,
    TODAY,
    Body,
    instruction,
    prescribed,
    record,
)
from tests.unit.services.careplans.domain.safety.test_merging import resources


def judged(*bodies: Body) -> Evaluation:
    return evaluate(record(*bodies), TODAY)


def of_rule(evaluation: Evaluation, rule: str) -> tuple[str, Finding | None, str]:
    """The outcome for one rule, its finding, and why it is silenced."""
    for finding in (*evaluation.findings, *evaluation.unknown):
        if finding.rule.id == rule:
            return finding.verdict.outcome, finding, ""
    for silenced in evaluation.silenced:
        if silenced.finding.rule.id == rule:
            return SILENCED, silenced.finding, silenced.why
    return NOTHING, None, ""


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}: {case.what}" for case in CASES])
def test_a_case(case: Case) -> None:
    outcome, finding, why = of_rule(judged(case.patient or patient(), *case.resources), case.rule)
    assert outcome == case.expected, case.source
    if finding is not None:
        said = (finding.verdict.detail, *finding.verdict.missing, why)
        assert any(case.says in each for each in said), said
        assert case.severity in ("", finding.severity)
        assert set(finding.references) <= {f"{each['resourceType']}/{each['id']}" for each in case.resources} | {
            "Patient/p"
        }


def test_there_are_sixty_cases_and_every_rule_has_one_that_triggers_and_one_that_does_not() -> None:
    assert len(CASES) >= 60
    assert all(case.source for case in CASES)
    triggered = {case.rule for case in CASES if case.expected == "found"}
    quiet = {case.rule for case in CASES if case.expected == NOTHING}
    assert triggered == quiet == set(BY_ID)


def test_every_rule_can_be_cited_and_says_nothing_of_an_abrupt_taper() -> None:
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert len(rule.title) < 140
        assert rule.version
        assert rule.source.section
        assert "taper" not in rule.answer or "never stop or taper abruptly" in rule.answer.lower()


def test_a_renewal_is_no_new_finding_and_a_higher_band_is() -> None:
    def keys(*bodies: Body) -> set[str]:
        return {each.key for each in judged(patient(), *bodies).findings if each.rule.id == "opioid-dose-90"}

    daily = {"frequency": 6, "period": 1, "periodUnit": "d"}
    first = keys(prescribed("oxycodone 10 mg tablet", daily, id="1"))
    renewed = keys(prescribed("oxycodone 10 mg tablet", daily, id="2"))
    higher = keys(prescribed("oxycodone 20 mg tablet", daily, id="2"))
    assert first == renewed
    assert first.isdisjoint(higher)


def test_a_text_that_contradicts_is_said_aloud_of_every_medicine() -> None:
    dosage = [instruction(1, "capsule", BID, text="1 capsule 3 times a day")]
    told = judged(patient(), prescribed("gabapentin 300 mg capsule", dosageInstruction=dosage)).missing
    assert told == (
        "MedicationRequest/r MedicationRequest.dosageInstruction.text: the text says 3 times a day, the timing 2",
    )


OTHERS = [
    condition("J44.9", id="c1"),
    condition("D57.1", id="c2"),
    egfr(45),
    egfr(75, day="2025-01-01", id="e2"),
    procedure("Medication review", "2026-02-01"),
]


@given(resources(), st.lists(st.sampled_from(OTHERS), unique_by=lambda each: each["id"]), st.randoms())
def test_the_order_of_the_record_does_not_matter(bodies: list[Body], others: list[Body], random: Any) -> None:
    whole = [patient(), *bodies, *others]
    other = list(whole)
    random.shuffle(other)
    assert judged(*whole) == judged(*other)


@given(
    resources(),
    st.sampled_from(["lorazepam 1 mg tablet", "ibuprofen 600 mg tablet", "oxycodone 10 mg tablet"]),
    st.sampled_from([{"status": "entered-in-error"}, {"status": "draft"}, {"intent": "plan"}, {"doNotPerform": True}]),
)
def test_what_was_never_taken_changes_nothing(bodies: list[Body], what: str, how: Body) -> None:
    before = judged(patient(), *bodies)
    after = judged(patient(), *bodies, prescribed(what, id="never") | how)
    assert (before.findings, before.unknown, before.silenced, before.missing) == (
        after.findings,
        after.unknown,
        after.silenced,
        after.missing,
    )


@given(resources())
def test_no_dose_is_found_from_incomplete_data_without_saying_so(bodies: list[Body]) -> None:
    evaluation = judged(patient(), *bodies)
    for finding, total in product(evaluation.findings, (evaluation.facts.mme, evaluation.facts.acetaminophen)):
        if finding.rule.id in {"opioid-dose-50", "opioid-dose-90"} and total is evaluation.facts.mme and total.gaps:
            assert "at least" in finding.verdict.detail
            assert finding.verdict.missing


@pytest.mark.parametrize("odd", [None, 5, "x", [], [[]], {"coding": 3}, {"text": 4}, True])
def test_odd_types_are_no_crash(odd: Any) -> None:
    for body in (patient(), condition("J44.9"), egfr(45), procedure("Medication review", "2026-02-01")):
        for name in body.keys() - {"resourceType", "id"}:
            judged(patient(), prescribed("ibuprofen 600 mg tablet"), body | {name: odd})
    for name in ("identifier", "basedOn", "derivedFrom", "priorPrescription", "requester", "dispenseRequest"):
        judged(patient(), prescribed("oxycodone 10 mg tablet") | {name: odd})
