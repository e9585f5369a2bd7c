"""Who may say by an extension what no state says, however the Task is written."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.referrals.domain.calendar import Calendar
from services.referrals.domain.marks import ACKNOWLEDGED, REPLACED, RETURNED, acknowledged, marked, returned, without
from services.referrals.domain.milestones import Milestone, reached
from services.referrals.domain.standing import follows
from services.referrals.domain.transitions import Happened
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.security.caller import Caller
from tests.factories.referrals import BACK_END, OWNER, REQUESTER, STRANGER, reference, task
from tests.unit.services.referrals.deciding import NOW, decide_task, told

Resource = dict[str, Any]
AT, LATER = "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z"
PLACE = Calendar(ZoneInfo("UTC"), lambda day: False)
OTHER = {"url": "http://example.org/other", "valueString": "x"}


@pytest.mark.parametrize(
    ("before", "after", "caller", "outcome"),
    [
        (task("received"), marked(task("received"), RETURNED, AT), OWNER, "returned"),
        (task("received"), marked(task("received"), RETURNED, AT), REQUESTER, Forbidden),
        (task("received"), marked(task("received"), RETURNED, AT), STRANGER, Forbidden),
        (marked(task("received"), RETURNED, AT), task("received"), REQUESTER, "answered"),
        (marked(task("received"), RETURNED, AT), task("received"), OWNER, Forbidden),
        (marked(task("received"), RETURNED, AT), task("accepted"), OWNER, "accepted"),
        (marked(task("received"), RETURNED, AT), marked(task("received"), RETURNED, LATER), OWNER, "returned"),
        (task("rejected"), marked(task("rejected"), RETURNED, AT), OWNER, Conflict),
        (task("in-progress", "5.2"), marked(task("in-progress", "5.2"), RETURNED, AT), OWNER, Conflict),
        (task("completed"), marked(task("completed"), ACKNOWLEDGED, AT), REQUESTER, "closed"),
        (task("completed"), marked(task("completed"), ACKNOWLEDGED, AT), OWNER, Forbidden),
        (task("in-progress"), marked(task("in-progress"), ACKNOWLEDGED, AT), REQUESTER, Conflict),
        (task("in-progress"), marked(task("completed"), ACKNOWLEDGED, AT), OWNER, Forbidden),
        (task("in-progress"), marked(task("completed"), ACKNOWLEDGED, AT), BACK_END, "completed"),
        (marked(task("completed"), ACKNOWLEDGED, AT), task("completed"), REQUESTER, Unprocessable),
        (marked(task("completed"), ACKNOWLEDGED, AT), task("completed"), BACK_END, Unprocessable),
        (
            *(marked(task("completed"), ACKNOWLEDGED, AT), marked(task("completed"), ACKNOWLEDGED, LATER)),
            *(REQUESTER, Unprocessable),
        ),
        (task("rejected"), marked(task("rejected"), REPLACED, reference("Task/t2")), REQUESTER, "updated"),
        (task("rejected"), marked(task("rejected"), REPLACED, reference("Task/t2")), OWNER, Forbidden),
        (task("accepted"), marked(task("accepted"), REPLACED, reference("Task/t2")), REQUESTER, Conflict),
        (None, marked(task(), RETURNED, AT), REQUESTER, Unprocessable),
        (None, marked(task("completed"), ACKNOWLEDGED, AT), BACK_END, "completed"),
        (None, task(extension=[OTHER]), REQUESTER, "requested"),
        *(
            (task("rejected"), marked(task("rejected"), REPLACED, another), REQUESTER, Unprocessable)
            for another in ({"display": "Somebody"}, reference("Patient/p1"), reference("Task/t1"))
        ),
    ],
)
def test_a_mark_is_for_one_side_at_one_time(
    before: Resource | None, after: Resource, caller: Caller, outcome: str | type[Exception]
) -> None:
    if isinstance(outcome, str):
        assert told(decide_task(before, after, caller)) == [outcome]
    else:
        with pytest.raises(outcome):
            decide_task(before, after, caller)


@pytest.mark.parametrize(
    "extension",
    [[{"url": RETURNED, "valueString": "yes"}], [{"url": RETURNED}], 2 * [{"url": RETURNED, "valueDateTime": AT}]],
)
def test_a_mark_that_says_nothing_or_comes_twice_is_refused(extension: list[Resource]) -> None:
    with pytest.raises(Unprocessable) as refused:
        decide_task(task("received"), task("received", extension=extension), OWNER)
    assert refused.value.issues[0].expression == ("Task.extension",)


@pytest.mark.parametrize("caller", [OWNER, BACK_END])
def test_a_step_ends_the_question_that_somebody_forgot_to_take_out(caller: Caller) -> None:
    asked = marked(task("received", extension=[OTHER]), RETURNED, AT)
    after = decide_task(asked, asked | {"status": "accepted"}, caller).resource
    assert after is not None
    assert after["extension"] == [OTHER]
    again = decide_task(asked, marked(task("accepted"), RETURNED, LATER), caller).resource
    assert again is not None
    assert returned(again) == LATER, "another question goes along with the step"


def test_other_extensions_stay() -> None:
    both = marked(task(extension=[OTHER]), RETURNED, AT)
    assert without(both, RETURNED)["extension"] == [OTHER]
    assert marked(both, RETURNED, LATER)["extension"] == [OTHER, {"url": RETURNED, "valueDateTime": LATER}]


def test_a_question_waits_for_nobody_when_all_has_ended() -> None:
    assert returned(marked(task("cancelled"), RETURNED, AT)) is None
    assert acknowledged(marked(task("completed"), ACKNOWLEDGED, AT)) == AT


def test_an_acknowledged_report_closes_the_loop() -> None:
    meta = {"versionId": "2"}
    before, after = task("completed", meta=meta), marked(task("completed", meta=meta), ACKNOWLEDGED, AT)
    assert reached(before, after, Happened.CLOSED) == {Milestone.CLOSED}
    begun = task("in-progress", meta=meta)
    known = follows(follows(None, None, begun, None, NOW, PLACE), begun, before, Happened.COMPLETED, NOW, PLACE)
    assert (known.waits_for, known.closed_at) == ("closing", None)
    closed = follows(known, before, after, Happened.CLOSED, NOW, PLACE)
    assert (closed.waits_for, closed.closed_at, closed.ended_at) == (None, NOW, NOW)
    assert Milestone.CLOSED in reached(None, after, Happened.COMPLETED), "also where it was brought in so"


def test_a_referral_stands_as_returned_until_it_is_answered() -> None:
    meta, day = {"versionId": "2"}, timedelta(days=1)
    plain, asked = task("received", meta=meta), marked(task("received", meta=meta), RETURNED, AT)
    known = follows(None, None, plain, None, NOW, PLACE)
    first = follows(known, plain, asked, Happened.RETURNED, NOW + day, PLACE)
    assert (known.returned_at, first.returned_at) == (None, NOW + day)
    noted = asked | {"note": [{"text": "Please."}]}
    assert follows(first, asked, noted, Happened.UPDATED, NOW + 2 * day, PLACE).returned_at == NOW + day
    assert follows(first, asked, plain, Happened.ANSWERED, NOW + 2 * day, PLACE).returned_at is None
    assert follows(first, asked, task("rejected", meta=meta), Happened.DECLINED, NOW, PLACE).returned_at is None
