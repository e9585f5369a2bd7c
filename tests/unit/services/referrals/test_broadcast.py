"""One referral offered to several: who may offer it, take it, give it back; and that nobody else gets it."""

from typing import Any

import pytest

from services.referrals.domain.actions import Code
from services.referrals.domain.availability import available
from services.referrals.domain.broadcast import offered, recipients, withdrawn
from services.referrals.domain.events import ReferralChanged
from shared.errors import ConsiliumError, Forbidden, Unprocessable
from shared.fhir.json import Resource
from shared.security.caller import Caller
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    PATIENT,
    REQUESTER,
    STRANGER,
    practitioner_role,
    reference,
    task,
)
from tests.unit.services.referrals.deciding import decide_task

MIND, ELSEWHERE, THIRD = "Organization/mind-centre", "Organization/elsewhere", "Organization/third"


def restriction(*to: str) -> dict[str, Any]:
    return {"recipient": [reference(each) for each in to]} if to else {"repetitions": 1}


def on_offer(*to: str, **more: Any) -> Resource:
    return task(**({"owner": None, "restriction": restriction(*to)} | more))


def changed(before: Resource, after: Resource, caller: Caller) -> tuple[Resource, ReferralChanged | None]:
    decision = decide_task(before, after, caller)
    assert decision.resource is not None
    facts = [fact for fact in decision.facts if isinstance(fact, ReferralChanged)]
    return decision.resource, facts[0] if facts else None


def test_whoever_claims_it_first_has_it_and_the_others_do_not_any_more() -> None:
    before = on_offer(MIND, ELSEWHERE, THIRD)
    after, fact = changed(before, before | {"status": "accepted", "owner": reference("Practitioner/moss")}, OWNER)
    assert recipients(after) == (MIND,)
    assert fact is not None
    assert fact.withdrawn == (ELSEWHERE, THIRD)
    assert fact.offered == ()
    with pytest.raises(ConsiliumError):
        decide_task(after, after | {"owner": reference("Practitioner/far")}, STRANGER)


def test_only_those_to_whom_it_is_offered_claim_it() -> None:
    before = on_offer(MIND, THIRD)
    with pytest.raises(Forbidden):
        decide_task(before, before | {"status": "accepted", "owner": reference("Practitioner/far")}, STRANGER)


def test_an_offer_is_given_back_and_the_others_keep_theirs() -> None:
    before = on_offer(MIND, ELSEWHERE)
    after, fact = changed(before, before | {"restriction": restriction(ELSEWHERE)}, OWNER)
    assert offered(after) == (ELSEWHERE,)
    assert fact is not None
    assert fact.withdrawn == (), "who gave it back knows"


def test_the_last_one_declines_the_referral() -> None:
    before = on_offer(MIND)
    with pytest.raises(Unprocessable):
        decide_task(before, before | {"restriction": restriction()}, OWNER)
    after, _ = changed(before, before | {"status": "rejected"}, OWNER)
    assert after["status"] == "rejected"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "rejected"},
        {"status": "accepted"},
        {"status": "cancelled"},
        {"restriction": restriction(MIND)},
        {"restriction": restriction(ELSEWHERE, THIRD)},
        {"restriction": restriction(ELSEWHERE), "description": "something else"},
        {"restriction": restriction(ELSEWHERE), "output": [{"type": {"text": "x"}, "valueString": "y"}]},
        {"description": "something else"},
        {"restriction": restriction(ELSEWHERE) | {"period": {"end": "2020-01-01"}}},
        {"restriction": restriction(ELSEWHERE), "note": [{"text": "We have no place."}]},
    ],
)
def test_an_offer_gives_no_other_right(change: dict[str, Any]) -> None:
    before = on_offer(MIND, ELSEWHERE, note=[{"text": "Urgent."}])
    with pytest.raises((Forbidden, Unprocessable)):
        decide_task(before, before | change, OWNER)


@pytest.mark.parametrize(
    "change",
    [
        {"restriction": restriction(MIND, ELSEWHERE)},
        {"owner": reference("Practitioner/moss")},
        {"priority": "stat"},
        {"output": [{"type": {"text": "x"}, "valueString": "y"}]},
    ],
)
def test_who_declines_the_last_offer_changes_nothing_else(change: dict[str, Any]) -> None:
    before = on_offer(MIND)
    declined = before | {"status": "rejected", "note": [{"text": "We have no place."}]}
    after, _ = changed(before, declined, OWNER)
    assert after == declined | {"meta": after["meta"]}
    with pytest.raises(Forbidden):
        decide_task(before, declined | change, OWNER)


def test_nobody_hears_of_an_offer_before_it_is_sent() -> None:
    draft = on_offer(MIND, ELSEWHERE, status="draft")
    assert offered(draft) == ()
    with pytest.raises(Forbidden):
        decide_task(draft, draft | {"restriction": restriction(ELSEWHERE)}, OWNER)
    for change in ({"status": "requested", "restriction": restriction(MIND)}, {"status": "cancelled"}):
        _, fact = changed(draft, draft | change, REQUESTER)
        assert fact is not None
        assert fact.withdrawn == (), "who was never told is not told that it is over"
    sent, _ = changed(draft, draft | {"status": "requested", "owner": reference(MIND)}, REQUESTER)
    assert recipients(sent) == (MIND,)


def test_an_offer_stays_with_the_organization_whose_role_the_initiator_chose() -> None:
    role = practitioner_role("r-b", "Practitioner/moss", MIND)
    for offered_to, chosen in ((MIND, "PractitionerRole/r-b"), ("PractitionerRole/r-b", "Practitioner/moss")):
        before = on_offer(offered_to, ELSEWHERE)
        decision = decide_task(before, before | {"owner": reference(chosen)}, REQUESTER, role)
        [fact] = decision.facts
        assert isinstance(fact, ReferralChanged)
        assert fact.withdrawn == (ELSEWHERE,)


@pytest.mark.parametrize("caller", [REQUESTER, COORDINATOR])
def test_the_initiator_says_to_whom_it_is_offered(caller: Caller) -> None:
    before = on_offer(MIND, ELSEWHERE)
    after, fact = changed(before, before | {"restriction": restriction(ELSEWHERE, THIRD)}, caller)
    assert offered(after) == (ELSEWHERE, THIRD)
    assert fact is not None
    assert fact.withdrawn == (MIND,)


def test_the_initiator_may_give_it_to_one_after_all() -> None:
    before = on_offer(MIND, ELSEWHERE)
    after, fact = changed(before, before | {"owner": reference(MIND)}, REQUESTER)
    assert recipients(after) == (MIND,)
    assert fact is not None
    assert fact.withdrawn == (ELSEWHERE,)
    after, fact = changed(before, before | {"status": "cancelled"}, REQUESTER)
    assert fact is not None
    assert fact.withdrawn == (MIND, ELSEWHERE)


def test_nobody_offers_what_somebody_has() -> None:
    before = task("accepted", restriction=restriction(MIND))
    for caller in (REQUESTER, OWNER):
        with pytest.raises((Forbidden, Unprocessable)):
            decide_task(before, before | {"restriction": restriction(MIND, ELSEWHERE)}, caller)
    after, _ = changed(before, before | {"restriction": restriction(ELSEWHERE)}, BACK_END)
    assert recipients(after) == (ELSEWHERE,), "an import says what was agreed elsewhere"


@pytest.mark.parametrize(
    ("caller", "to", "codes"),
    [
        (OWNER, (MIND, ELSEWHERE), {Code.CLAIM, Code.ACCEPT, Code.GIVE_BACK}),
        (OWNER, (MIND,), {Code.CLAIM, Code.ACCEPT, Code.DECLINE}),
        (OWNER, (THIRD,), set()),
        (OWNER, (), {Code.CLAIM, Code.ACCEPT}),
        (PATIENT, (MIND,), set()),
    ],
)
def test_whoever_has_an_offer_takes_it_or_gives_it_back(caller: Caller, to: tuple[str, ...], codes: set[Code]) -> None:
    assert {each.action.code for each in available(on_offer(*to), caller, {})} == codes


def test_nothing_is_withdrawn_from_what_was_offered_to_nobody() -> None:
    assert withdrawn(task(), task("accepted")) == ()
    assert offered(on_offer(MIND, status="cancelled")) == ()
