"""The chain from an activity to what the measures did meanwhile: numbers where they are known, reasons where not."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from services.careplans.domain.chain import ABOUT, FOLLOWED_FOR, About, Meanwhile, Unknown, chain
from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, ACTIVITY_STATUS, ACTIVITY_TASK
from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.response import Response
from services.careplans.domain.measures.series import Point, Series
from services.careplans.domain.referral import Referral
from shared.fhir.json import Resource

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def activity(id_: str, status: str, **more: Any) -> Resource:
    return {
        "id": id_,
        "extension": [
            {"url": ACTIVITY_STATUS, "valueCode": status},
            {"url": ACTIVITY_DISCIPLINE, "valueCode": "physical-therapy"},
            {"url": ACTIVITY_TASK, "valueReference": {"reference": f"Task/{id_}"}},
        ],
        "reference": {"reference": f"ServiceRequest/{id_}"},
    } | more


def versions(*statuses: tuple[float, str], id_: str = "a", **more: Any) -> list[tuple[datetime, Resource]]:
    """A plan whose activity has each status from that day on."""
    return [(day(at), {"activity": [activity(id_, status, **more)]}) for at, status in statuses]


def scores(measure: str, *values: tuple[float, str]) -> Series:
    points = tuple(Point(day(at), Fraction(value), f"Observation/{at}") for at, value in values)
    return Series(BY_ID[measure], points)


def only(of: list[tuple[datetime, Resource]], series: Series) -> Meanwhile:
    [link] = chain(of, (), [series])
    [found] = link.measures
    return found


DONE = versions((0, "not-started"), (10, "in-progress"), (60, "completed"))


def test_an_activity_has_its_request_its_task_its_states_and_its_reports() -> None:
    reported = versions(
        (0, "not-started"),
        (10, "in-progress"),
        (60, "completed"),
        outcomeReference=[{"reference": "DiagnosticReport/r"}],
    )
    referral = Referral("Task/a", 3, "Patient/p", "completed", accepted_at=day(2))
    [link] = chain(reported, [referral], ())
    assert (link.activity, link.request, link.task) == ("a", "ServiceRequest/a", "Task/a")
    assert [(state.status, state.at) for state in link.states] == [
        ("not-started", day(0)),
        ("accepted", day(2)),
        ("in-progress", day(10)),
        ("completed", day(60)),
    ]
    assert (link.begun, link.ended, link.reports) == (day(10), day(60), ("DiagnosticReport/r",))


def test_a_change_is_from_the_last_score_before_the_beginning_to_the_last_that_counts() -> None:
    found = only(DONE, scores("odi", (-30, "60"), (9, "42"), (30, "36"), (61, "28"), (200, "10")))
    assert found.before is not None
    assert found.first is not None
    assert found.latest is not None
    assert [point.value for point in (found.before, found.first, found.latest)] == [42, 36, 28]
    assert (found.response, found.unknown) == (Response.RESPONDER, None)
    assert found.says == (
        "Oswestry Disability Index went from 42 (2026-01-10) to 28 (2026-03-03), class responder. This happened in the"
        " time of the activity, and need not be its effect; no other activity was under way in that time."
    )


@pytest.mark.parametrize(("after_end", "counts"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_scores_count_for_a_quarter_after_the_end(after_end: timedelta, counts: bool) -> None:
    late = (FOLLOWED_FOR + after_end) / timedelta(days=1) + 60
    found = only(DONE, scores("peg", (9, "8"), (late, "4")))
    assert (found.latest is not None) is counts
    assert found.unknown is (None if counts else Unknown.NO_SCORE_SINCE)


@pytest.mark.parametrize(
    ("of", "values", "unknown", "has"),
    [
        (versions((0, "not-started")), ((1, "8"), (2, "4")), Unknown.NOT_BEGUN, (False, False)),
        (versions((0, "not-started"), (5, "cancelled")), ((1, "8"), (9, "4")), Unknown.NOT_BEGUN, (False, False)),
        (DONE, ((11, "8"), (20, "4")), Unknown.NO_SCORE_BEFORE, (False, True)),
        (DONE, ((1, "8"),), Unknown.NO_SCORE_SINCE, (True, False)),
    ],
)
def test_what_is_not_known_is_said_and_not_made_up(
    of: list[tuple[datetime, Resource]], values: tuple[tuple[float, str], ...], unknown: Unknown, has: tuple[bool, bool]
) -> None:
    found = only(of, scores("peg", *values))
    assert found.unknown is unknown
    assert (found.before is not None, found.latest is not None) == has
    assert (found.response, found.source) == (None, None)
    assert "effect" not in found.says


def test_a_measure_without_a_threshold_has_numbers_and_no_class() -> None:
    found = only(DONE, scores("promis-29-physical-function", (9, "35"), (30, "45")))
    assert (found.response, found.unknown) == (None, None)
    assert "no class: no threshold is published" in found.says


def test_other_activities_of_the_same_time_are_named_and_counted() -> None:
    plans = [
        (
            day(0),
            {"activity": [activity("a", "in-progress"), activity("b", "not-started"), activity("c", "not-started")]},
        ),
        (
            day(10),
            {"activity": [activity("a", "in-progress"), activity("b", "in-progress"), activity("c", "not-started")]},
        ),
        (
            day(20),
            {"activity": [activity("a", "completed"), activity("b", "in-progress"), activity("c", "not-started")]},
        ),
        (
            day(30),
            {"activity": [activity("a", "completed"), activity("b", "in-progress"), activity("c", "in-progress")]},
        ),
    ]
    links = {link.activity: link for link in chain(plans, (), [scores("peg", (-1, "8"), (15, "6"))])}
    assert links["a"].beside == ("b",)
    assert links["b"].beside == ("a", "c")
    assert links["c"].beside == ("b",)
    assert "one other activity was under way" in links["a"].measures[0].says


def test_every_measure_speaks_of_something_and_some_of_function() -> None:
    assert ABOUT.keys() == BY_ID.keys()
    assert all(ABOUT.values())
    assert {id_ for id_, about in ABOUT.items() if About.FUNCTION in about} == {
        "peg",
        "odi",
        "promis-29-pain-interference",
        "promis-29-physical-function",
        "promis-29-social-roles",
    }
