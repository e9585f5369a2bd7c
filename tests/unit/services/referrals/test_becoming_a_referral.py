"""A Task that others know as something else becomes a referral: it is opened then, as if it were new."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from services.referrals.domain.agreement import in_force
from services.referrals.domain.calendar import Calendar
from services.referrals.domain.marks import ACKNOWLEDGED, marked
from services.referrals.domain.referral import known_as
from services.referrals.domain.standing import follows
from services.referrals.domain.transitions import Happened
from shared.errors import Unprocessable
from shared.security.caller import Caller
from tests.factories.referrals import BACK_END, COORDINATOR, REQUESTER, order, task
from tests.unit.services.referrals.deciding import NOW, decide_task, told

OTHER = {"code": {"text": "Call the patient."}}
PLACE = Calendar(ZoneInfo("UTC"), lambda day: False)
AT = "2026-03-02T12:00:00Z"


@pytest.mark.parametrize("caller", [REQUESTER, COORDINATOR])
def test_it_is_told_as_a_new_one_and_puts_its_order_in_force(caller: Caller) -> None:
    decision = decide_task(task(**OTHER), task(), caller, order(status="draft"))
    assert told(decision) == ["requested"]
    [consequence] = decision.consequences
    assert consequence.reference == "ServiceRequest/o1"
    assert consequence.amend is in_force


@pytest.mark.parametrize("status", ["revoked", "completed", "entered-in-error"])
def test_it_asks_nobody_to_fulfil_an_order_that_has_ended(status: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        decide_task(task(**OTHER), task(), REQUESTER, order(status=status))
    assert refused.value.issues[0].expression == ("Task.focus",)


@pytest.mark.parametrize("status", ["accepted", "in-progress", "completed"])
def test_a_person_begins_it_where_a_referral_begins(status: str) -> None:
    with pytest.raises(Unprocessable):
        decide_task(task(status, **OTHER), task(status), COORDINATOR)
    assert len(told(decide_task(task(status, **OTHER), task(status), BACK_END))) == 1


def test_it_brings_no_mark_along_that_nobody_has_judged() -> None:
    other = marked(task("ready", **OTHER), ACKNOWLEDGED, AT)
    assert decide_task(task("ready", **OTHER), other, REQUESTER).resource is not None
    with pytest.raises(Unprocessable):
        decide_task(other, marked(task("ready"), ACKNOWLEDGED, AT), REQUESTER)


def test_it_was_sent_when_it_became_one() -> None:
    meta = {"versionId": "2"}
    before, after = task(meta=meta, **OTHER), task(meta=meta)
    day = NOW + timedelta(days=1)
    standing = follows(None, known_as(before), after, Happened.REQUESTED, day, PLACE)
    assert (standing.sent_at, standing.accepted_at, standing.waits_since) == (day, None, day)
    assert known_as(task("draft", **OTHER)) is not None, "nobody has heard of a draft"
