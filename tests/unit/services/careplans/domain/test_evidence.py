"""G3002 and G3003 in a month: each element there, missing, or not known; minutes to the edge."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, ACTIVITY_STATUS
from services.careplans.domain.evidence import ELEMENTS, Material, State, judge
from services.careplans.domain.minutes import Entry, Kind, Mode, check, counting, last_review, total
from shared.errors import Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role

NOW = datetime(2026, 4, 2, 9, tzinfo=UTC)
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
COORDINATOR = Caller("k", Role.COORDINATOR)
DOCTOR = Caller("d", Role.CLINICIAN, fhir_user="Practitioner/d")


def entry(id_: str = "e", minutes: int = 30, kind: Kind = Kind.VISIT, **more: Any) -> Entry:
    return Entry(
        **{
            "id": id_,
            "care_plan": "c",
            "day": date(2026, 3, 2),
            "minutes": minutes,
            "kind": kind,
            "mode": Mode.IN_PERSON,
            "performer": "Practitioner/d",
            "qualified": True,
            "discipline": "pain-medicine",
            "recorded_by": "k",
            "recorded_at": NOW,
        }
        | more
    )


def pain(onset: str | None = "2025-01-01", **more: Any) -> Resource:
    found: Resource = {
        "resourceType": "Condition",
        "id": "pain",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "82423001"}]},
        "clinicalStatus": {"coding": [{"code": "active"}]},
    }
    return found | ({"onsetDateTime": onset} if onset else {}) | more


PLAN: Resource = {
    "resourceType": "CarePlan",
    "id": "c",
    "status": "active",
    "subject": {"reference": "Patient/p"},
    "goal": [{"reference": "Goal/g"}],
    "activity": [{"id": "a"}],
}
GOAL: Resource = {
    "resourceType": "Goal",
    "id": "g",
    "lifecycleStatus": "active",
    "expressedBy": {"reference": "Patient/p"},
}
NEEDED = (
    entry("v", 30, Kind.VISIT),
    entry("t", 5, Kind.TREATMENT_MANAGEMENT),
    entry("m", 5, Kind.MEDICATION_MANAGEMENT),
    entry("e", 5, Kind.EDUCATION),
    entry("c", 5, Kind.COORDINATION, qualified=False),
)
WHOLE = Material(PLAN, [GOAL], [pain()], ["Observation/peg"], NEEDED, FIRST, LAST)


def states(material: Material) -> dict[str, State]:
    return {each.element.id: each.found.state for each in judge(material).elements}


def test_a_month_with_all_that_is_needed_is_complete() -> None:
    found = judge(WHOLE)
    assert (found.missing, found.complete) == ((), True)
    assert (found.minutes, found.qualified, found.units, found.to_next) == (50, 45, 1, 15)
    shown = {each.element.id: each.found.shown_by for each in found.elements}
    assert shown["diagnosis"] == ("Condition/pain",)
    assert shown["person-centred-plan"] == ("CarePlan/c", "Goal/g")
    assert shown["initial-visit"] == ("minutes/v",)
    assert states(WHOLE)["crisis-care"] is State.IF_NEEDED


@pytest.mark.parametrize(
    ("minutes", "units", "to_next", "enough"),
    [(0, 0, 30, False), (29, 0, 1, False), (30, 0, 15, True), (44, 0, 1, True), (45, 1, 15, True), (60, 2, 15, True),
     (74, 2, 1, True), (75, 3, 15, True)],
)  # fmt: skip
def test_minutes_are_met_or_exceeded(minutes: int, units: int, to_next: int, enough: bool) -> None:
    entries = [entry("e", minutes)] if minutes else []
    # neither others' minutes nor those of another month count
    entries += [entry("o", 100, qualified=False), entry("f", 100, day=date(2026, 2, 28))]
    found = judge(replace(WHOLE, entries=entries))
    assert (found.units, found.to_next, "minutes" not in found.missing) == (units, to_next, enough)


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([pain("2025-12-28")], State.THERE),  # 93 days and more before the end of March
        ([pain("2026-01-01")], State.MISSING),
        ([pain(None)], State.UNKNOWN),
        ([pain(None), pain("2024")], State.THERE),
        ([pain(verificationStatus={"coding": [{"code": "refuted"}]})], State.MISSING),
        ([pain(verificationStatus={"coding": [{"code": "provisional"}]})], State.THERE),
        ([pain(clinicalStatus={"coding": [{"code": "resolved"}]})], State.MISSING),
        ([pain(code={"text": "Asthma"})], State.MISSING),
        ([], State.MISSING),
    ],
)
def test_pain_has_lasted_for_longer_than_three_months(conditions: list[Resource], state: State) -> None:
    assert states(replace(WHOLE, conditions=conditions))["diagnosis"] is state


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"scores": []}, {"validated-scale"}),
        ({"goals": []}, {"person-centred-plan"}),
        ({"goals": [GOAL | {"expressedBy": {"reference": "Practitioner/d"}}]}, {"person-centred-plan"}),
        ({"plan": PLAN | {"status": "draft"}}, {"person-centred-plan"}),
        ({"plan": PLAN | {"activity": []}}, {"person-centred-plan"}),
        ({"entries": NEEDED[1:]}, {"initial-visit", "assessment", "minutes"}),
        ({"entries": (replace(NEEDED[0], minutes=29), *NEEDED[1:])}, {"initial-visit"}),
        ({"entries": (replace(NEEDED[0], mode=Mode.TELEHEALTH), *NEEDED[1:])}, {"initial-visit"}),
        ({"entries": (replace(NEEDED[0], qualified=False), *NEEDED[1:])}, {"initial-visit", "minutes"}),
        # the initial visit may have been years ago; what is of the month must be of the month
        ({"entries": (replace(NEEDED[0], day=date(2024, 1, 1)), *NEEDED[1:])}, {"assessment", "minutes"}),
        ({"entries": (replace(NEEDED[0], day=date(2026, 4, 1)), *NEEDED[1:])},
         {"initial-visit", "assessment", "minutes"}),
        *(({"entries": [each for each in NEEDED if each.kind is not kind]}, {name}) for kind, name in (
            (Kind.TREATMENT_MANAGEMENT, "treatment-management"),
            (Kind.MEDICATION_MANAGEMENT, "medication-management"),
            (Kind.EDUCATION, "education"),
            (Kind.COORDINATION, "coordination"),
        )),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(change: dict[str, Any], missing: set[str]) -> None:
    found = judge(replace(WHOLE, **change))
    assert set(found.missing) == missing
    lacking = {each.element.id for each in found.elements if each.found.lacks and each.element.needed}
    assert lacking == missing - {"minutes"}


def test_behavioural_health_is_shown_by_minutes_or_by_an_open_activity() -> None:
    activity: Resource = {
        "id": "b",
        "extension": [
            {"url": ACTIVITY_STATUS, "valueCode": "in-progress"},
            {"url": ACTIVITY_DISCIPLINE, "valueCode": "mental-health"},
        ],
        "reference": {"reference": "ServiceRequest/s"},
    }
    assert states(WHOLE)["behavioral-health"] is State.IF_NEEDED
    assert states(replace(WHOLE, plan=PLAN | {"activity": [activity]}))["behavioral-health"] is State.THERE
    assert states(replace(WHOLE, entries=[entry(kind=Kind.BEHAVIORAL_HEALTH)]))["behavioral-health"] is State.THERE


def test_only_the_last_of_a_line_of_corrections_counts() -> None:
    line = [entry("a", 30), entry("b", 20, corrects="a", reason="r"), entry("c", 25, corrects="b", reason="r")]
    assert [each.id for each in counting(line)] == ["c"]
    withdrawn = [entry("a", 30), entry("b", 0, corrects="a", reason="r")]
    assert (counting(withdrawn), total(counting(withdrawn))) == ((), 0)
    moved = [entry("a", 30), entry("b", 30, corrects="a", day=date(2026, 2, 1))]
    assert judge(replace(WHOLE, entries=moved)).qualified == 0
    assert total(line, qualified=False) == 0


def test_the_last_review_is_the_last_that_counts() -> None:
    reviews = [entry("a", 10, Kind.PLAN_REVIEW), entry("b", 10, Kind.PLAN_REVIEW, day=date(2026, 3, 9))]
    assert last_review(reviews) == date(2026, 3, 9)
    assert last_review([*reviews, entry("c", 0, Kind.PLAN_REVIEW, corrects="b")]) == date(2026, 3, 2)
    assert last_review([entry()]) is None


@pytest.mark.parametrize(
    ("caller", "given", "corrected", "error"),
    [
        (COORDINATOR, entry(), None, None),
        (DOCTOR, entry(), None, None),
        (DOCTOR, entry(performer="Practitioner/x"), None, Forbidden),
        (DOCTOR, entry(corrects="a"), entry("a", performer="Practitioner/x"), Forbidden),
        (Caller("p", Role.PATIENT, fhir_user="Practitioner/d"), entry(), None, Forbidden),
        (COORDINATOR, entry(day=date(2026, 4, 3)), None, None),
        (COORDINATOR, entry(day=date(2026, 4, 4)), None, Unprocessable),
        (COORDINATOR, entry(day=date(1999, 12, 31)), None, Unprocessable),
        (COORDINATOR, entry(minutes=0), None, Unprocessable),
        (COORDINATOR, entry(minutes=0, corrects="a"), entry("a"), None),
        (COORDINATOR, entry(corrects="a"), entry("a", care_plan="other"), Unprocessable),
    ],
)
def test_who_may_record_what(
    caller: Caller, given: Entry, corrected: Entry | None, error: type[Exception] | None
) -> None:
    if error is None:
        check(given, caller, corrected, NOW)
    else:
        with pytest.raises(error):
            check(given, caller, corrected, NOW)


def test_elements_have_ids_of_their_own() -> None:
    assert len({element.id for element in ELEMENTS}) == len(ELEMENTS)
