"""How a plan stands: what is open, what is missing, what is due, and what was not touched for too long."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from services.careplans.domain.board import SHAPES, Listing, gaps_at, is_open_issue
from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, ACTIVITY_STATUS, DISCIPLINE_SYSTEM, GOAL_DISCIPLINE
from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.series import Point, Series
from services.careplans.domain.measures.stepped_care import OFF_TARGET, ON_TARGET
from services.careplans.domain.safety.issues import STATE
from services.careplans.domain.standing import (
    MEASURED_WITHIN,
    STALE_AFTER,
    STILL_TAKEN,
    Section,
    Standing,
    stale_after,
    stand,
    touched_sections,
)
from shared.fhir.json import Resource

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CREATED = NOW - timedelta(weeks=20)
PATIENT = {"reference": "Patient/p"}


def activity(discipline: str | None, status: str = "in-progress", **more: Any) -> Resource:
    extensions = [{"url": ACTIVITY_STATUS, "valueCode": status}]
    extensions += [{"url": ACTIVITY_DISCIPLINE, "valueCode": discipline}] if discipline else []
    return {"id": f"{discipline}-{status}", "extension": extensions} | more


def plan(*activities: Resource, goals: tuple[str, ...] = (), **more: Any) -> Resource:
    found: Resource = {
        "resourceType": "CarePlan",
        "id": "c",
        "meta": {"versionId": "3", "lastUpdated": "2026-05-01T00:00:00Z"},
        "status": "active",
        "subject": PATIENT,
        "created": CREATED.isoformat(),
        "activity": list(activities),
        "goal": [{"reference": f"Goal/{id_}"} for id_ in goals],
    }
    return found | more


def team(*members: tuple[str, str | None], ended: str | None = None) -> Resource:
    return {
        "resourceType": "CareTeam",
        "participant": [
            {
                "member": {"reference": reference},
                "role": [{"coding": [{"system": DISCIPLINE_SYSTEM, "code": discipline}]}] if discipline else [],
            }
            | ({"period": {"end": ended}} if ended else {})
            for reference, discipline in members
        ],
    }


def goal(id_: str, *, by_patient: bool = False, discipline: str | None = None, status: str = "active") -> Resource:
    found: Resource = {"resourceType": "Goal", "id": id_, "lifecycleStatus": status, "subject": PATIENT}
    if by_patient:
        found["expressedBy"] = PATIENT
    if discipline:
        found["extension"] = [{"url": GOAL_DISCIPLINE, "valueCode": discipline}]
    return found


def scores(measure: str, *values: tuple[float, str]) -> Series:
    """(weeks ago, score), oldest first."""
    points = [Point(NOW - timedelta(weeks=weeks), Fraction(value), f"Observation/{weeks}") for weeks, value in values]
    return Series(BY_ID[measure], tuple(points))


def standing(of: Resource, **more: Any) -> Standing:
    given = {"team": None, "goals": (), "scores": ()} | more
    return stand(of, given.pop("team"), given.pop("goals"), given.pop("scores"), now=NOW, **given)


def test_a_plan_with_all_it_needs_has_no_gap() -> None:
    found = standing(
        plan(activity("mental-health"), activity("physical-therapy", "completed"), goals=("g",)),
        team=team(("Practitioner/a", "mental-health")),
        goals=[goal("g", by_patient=True)],
        scores=[scores("peg", (1, "5"))],
    )
    assert (found.gaps, gaps_at(found, NOW)) == ((), ())
    assert (found.disciplines, found.members) == (("mental-health",), ("Practitioner/a",))
    assert (found.open_activities, found.activities, found.goals, found.version) == (1, 2, 1, 3)
    assert found.gap_at == found.unmeasured_at == NOW - timedelta(weeks=1) + MEASURED_WITHIN


@pytest.mark.parametrize(
    ("of", "more", "gaps"),
    [
        (plan(), {}, {"no-goal", "no-patient-goal"}),
        (plan(goals=("g",)), {"goals": [goal("g")]}, {"no-patient-goal"}),
        # a goal that is not pursued any more, and one that the plan does not name, are none
        (plan(goals=("g",)), {"goals": [goal("g", status="completed")]}, {"no-goal", "no-patient-goal"}),
        (plan(), {"goals": [goal("g", by_patient=True)]}, {"no-goal", "no-patient-goal"}),
        (plan(goals=("g",)), {"goals": [goal("g", by_patient=True, status="proposed")]}, set()),
        (
            plan(goals=("g",)),
            {"goals": [goal("g", by_patient=True, discipline="mental-health")]},
            {"no-activity:mental-health"},
        ),
        (
            plan(activity("mental-health", "cancelled"), goals=("g",)),
            {"goals": [goal("g", by_patient=True)]},
            {"no-activity:mental-health"},
        ),
        (
            plan(activity("mental-health", "entered-in-error"), goals=("g",)),
            {"goals": [goal("g", by_patient=True)]},
            set(),
        ),
        (
            plan(activity("mental-health"), goals=("g",)),
            {"goals": [goal("g", by_patient=True)]},
            {"no-member:mental-health"},
        ),
        (
            plan(activity("mental-health"), goals=("g",)),
            {"goals": [goal("g", by_patient=True)], "team": team(("Practitioner/a", "physical-therapy"))},
            {"no-member:mental-health", "no-activity:physical-therapy"},
        ),
        (
            plan(activity("mental-health"), goals=("g",)),
            {"goals": [goal("g", by_patient=True)], "team": team(("P/a", "mental-health"), ended="2026-05-31")},
            {"no-member:mental-health"},
        ),
        # the patient's own needs nobody else, and what is everybody's no discipline
        (
            plan(activity("self-care"), activity(None), goals=("g",)),
            {"goals": [goal("g", by_patient=True, discipline="self-care")]},
            set(),
        ),
    ],
)
def test_what_a_plan_lacks(of: Resource, more: dict[str, Any], gaps: set[str]) -> None:
    found = standing(of, **more)
    assert set(found.gaps) == gaps
    assert (found.gap_at == CREATED) is bool(gaps)


@pytest.mark.parametrize(
    ("weeks", "gap"), [(MEASURED_WITHIN.days / 7, True), (MEASURED_WITHIN.days / 7 - 0.001, False)]
)
def test_nothing_measured_for_a_quarter_is_a_gap_that_comes_with_time(weeks: float, gap: bool) -> None:
    found = standing(plan(), scores=[scores("peg", (weeks, "5"))])
    assert ("not-measured" in gaps_at(found, NOW)) is gap
    assert "not-measured" not in found.gaps
    assert "not-measured" in gaps_at(standing(plan()), NOW)  # 20 weeks old, and no score at all


@pytest.mark.parametrize(
    ("series", "reviewed", "expected"),
    [
        ([], None, CREATED + ON_TARGET),
        ([], NOW - timedelta(weeks=2), NOW - timedelta(weeks=2) + ON_TARGET),
        ([scores("phq-9", (1, "3"))], None, NOW - timedelta(weeks=1) + ON_TARGET),
        ([scores("phq-9", (1, "12"))], None, NOW - timedelta(weeks=1) + OFF_TARGET),
        ([scores("phq-9", (1, "12"))], NOW, NOW + ON_TARGET),
        ([scores("phq-9", (1, "12"))], NOW - timedelta(weeks=2), NOW - timedelta(weeks=1) + OFF_TARGET),
        ([scores("phq-9", (3, "12")), scores("peg", (1, "5"))], None, NOW - timedelta(weeks=3) + OFF_TARGET),
        # a measure that is not taken any more calls for nothing
        (
            [scores("phq-9", (1 + STILL_TAKEN.days / 7 + 0.01, "12")), scores("peg", (1, "5"))],
            None,
            NOW - timedelta(weeks=1) + OFF_TARGET,
        ),
    ],
)
def test_when_the_next_review_is_due(series: list[Series], reviewed: datetime | None, expected: datetime) -> None:
    found = standing(plan(), scores=series, last_review_at=reviewed)
    assert abs(found.next_review_at - expected) < timedelta(seconds=1)


def test_flags_name_their_measure() -> None:
    found = standing(
        plan(),
        scores=[scores("phq-9", (8, "10"), (4, "16"), (1, "16")), scores("peg", (4, "5"), (1, "6"))],
        harmless=False,
    )
    assert set(found.flags) == {"self-harm-answer", "step-up:phq-9", "deteriorated:phq-9", "deteriorated:peg"}
    assert standing(plan(), harmless=True).flags == standing(plan(), harmless=None).flags == ()


def test_sections_are_stale_by_their_own_limits() -> None:
    stored = datetime(2026, 5, 1, tzinfo=UTC)
    of = plan(activity("mental-health"), activity(None), activity("physical-therapy", "completed"), goals=("g",))
    found = standing(
        of,
        team=team(("Practitioner/a", "mental-health")),
        goals=[goal("g")],
        touched={"activities:mental-health": NOW - timedelta(weeks=30), "gone": NOW},
    )
    assert found.sections == {
        "activities:all": stored,
        "activities:mental-health": NOW - timedelta(weeks=30),
        "goals": stored,
        "team": stored,
    }
    assert found.stale_at == NOW - timedelta(weeks=30) + STALE_AFTER[Section.ACTIVITIES][0]
    assert stale_after("activities:mental-health") == STALE_AFTER[Section.ACTIVITIES][0]


def test_a_write_touches_the_sections_that_it_changes() -> None:
    one, other = activity("mental-health"), activity("physical-therapy")
    before = plan(one, other, goals=("g",))
    assert set(touched_sections(None, before)) == {"goals", "activities:mental-health", "activities:physical-therapy"}
    assert list(touched_sections(before, plan(one, other | {"progress": []}, goals=("g",)))) == [
        "activities:physical-therapy"
    ]
    assert list(touched_sections(before, plan(one, goals=("g",)))) == ["activities:physical-therapy"]
    assert list(touched_sections(before, plan(one, other, goals=("g", "h")))) == ["goals"]
    assert list(touched_sections(before, before | {"title": "x"})) == []
    assert list(touched_sections(None, team(("Practitioner/a", None)))) == ["team"]
    assert list(touched_sections(team(("P/a", None)), team(("P/a", None)) | {"name": "x"})) == []


@pytest.mark.parametrize(
    ("issue", "open_"),
    [
        ({"status": "preliminary"}, True),
        ({"status": "final"}, True),
        ({"status": "final", "mitigation": [{"action": {"text": "acknowledged"}}]}, False),
        ({"status": "final", "mitigation": [{}], "extension": [{"url": STATE, "valueCode": "open"}]}, True),
        ({"status": "final", "extension": [{"url": STATE, "valueCode": "snoozed"}]}, False),
        ({"status": "cancelled"}, False),
        ({"status": "entered-in-error"}, False),
    ],
)
def test_an_issue_is_open_until_somebody_says_what_was_done(issue: Resource, open_: bool) -> None:
    assert is_open_issue(issue) is open_


def test_every_list_has_a_shape() -> None:
    assert SHAPES.keys() == set(Listing)
