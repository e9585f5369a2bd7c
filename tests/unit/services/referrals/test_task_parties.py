"""Who may do what to a Task."""

import pytest

from services.referrals.domain.task import decide
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.kinds import DecisionContext
from shared.security.caller import Caller
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    FOREIGN_EHR,
    OWNER,
    OWNING_EHR,
    PATIENT,
    REQUESTER,
    REQUESTING_EHR,
    STRANGER,
    practitioner_role,
    reference,
    task,
)
from tests.unit.services.referrals.deciding import NOW, decide_task, told

BY_ROLES = {"requester": reference("PractitionerRole/r-a"), "owner": reference("PractitionerRole/r-b")}
ROLE_A = practitioner_role("r-a", "Practitioner/lind", "Organization/pain-clinic")
ROLE_B = practitioner_role("r-b", "Practitioner/moss", "Organization/mind-centre")
NOTE = {"note": [{"text": "Please call before nine."}]}
ACCEPT = ("accepted", "3.0")
ASK_BACK = ("in-progress", "5.2")


@pytest.mark.parametrize(
    ("caller", "accepts", "cancels"),
    [
        (REQUESTER, False, True),
        (OWNER, True, False),
        (STRANGER, False, False),
        (COORDINATOR, False, True),
        (PATIENT, False, False),
        (BACK_END, True, True),
        (REQUESTING_EHR, False, True),
        (OWNING_EHR, True, False),
        (FOREIGN_EHR, False, False),
    ],
    ids=lambda value: value.subject if isinstance(value, Caller) else None,
)
@pytest.mark.parametrize("by_roles", [False, True], ids=["direct", "by role"])
def test_a_role_stands_on_its_side_only(caller: Caller, accepts: bool, cancels: bool, by_roles: bool) -> None:
    parties = BY_ROLES if by_roles else {"requester": reference("Organization/pain-clinic")}
    before = task("received", "2.0", **parties)
    for state, may in ((ACCEPT, accepts), (ASK_BACK, cancels)):
        if may:
            assert told(decide_task(before, task(*state, **parties), caller, ROLE_A, ROLE_B))
        else:
            with pytest.raises(Forbidden):
                decide_task(before, task(*state, **parties), caller, ROLE_A, ROLE_B)


@pytest.mark.parametrize("caller", [REQUESTER, OWNER, COORDINATOR, BACK_END], ids=lambda caller: caller.subject)
def test_a_party_may_change_content_without_the_status(caller: Caller) -> None:
    decision = decide_task(task("accepted", "3.0"), task("accepted", "3.0", **NOTE), caller)
    assert told(decision) == ["updated"]


@pytest.mark.parametrize("caller", [STRANGER, PATIENT, FOREIGN_EHR], ids=lambda caller: caller.subject)
def test_a_stranger_changes_nothing_not_even_content(caller: Caller) -> None:
    with pytest.raises(Forbidden):
        decide_task(task("accepted", "3.0"), task("accepted", "3.0", **NOTE), caller)


def test_a_role_that_is_not_known_here_stands_for_nobody() -> None:
    with pytest.raises(Forbidden):
        decide_task(task("received", "2.0", **BY_ROLES), task("accepted", "3.0", **BY_ROLES), OWNER)


def test_a_healthcare_service_stands_for_its_provider() -> None:
    owner = {"owner": reference("HealthcareService/cbt")}
    service = {
        "resourceType": "HealthcareService",
        "id": "cbt",
        "providedBy": reference("Organization/mind-centre"),
    }
    assert told(decide_task(task(**owner), task("accepted", **owner), OWNER, service)) == ["accepted"]
    with pytest.raises(Forbidden):
        decide_task(task(**owner), task("accepted", **owner), STRANGER, service)


def test_nobody_makes_himself_owner_and_accepts_what_is_somebody_elses() -> None:
    with pytest.raises(Forbidden):
        decide_task(task(), task("accepted", owner=reference("Practitioner/far")), STRANGER)


def test_nobody_makes_himself_requester_and_cancels() -> None:
    with pytest.raises(Forbidden):
        decide_task(task(), task("cancelled", requester=reference("Practitioner/far")), STRANGER)


def test_an_open_task_is_claimed_by_whoever_accepts_it() -> None:
    decision = decide_task(task(owner=None), task("accepted", owner=reference("Practitioner/far")), STRANGER)
    assert told(decision) == ["accepted"]


@pytest.mark.parametrize(
    ("after", "refusal"),
    [
        (task("accepted", owner=reference("Practitioner/moss")), Forbidden),  # for somebody else
        (task("accepted", owner=None), Forbidden),  # for nobody
        (task("rejected", owner=reference("Practitioner/far")), Forbidden),  # to decline it for all
        (task("requested", owner=reference("Practitioner/far")), Forbidden),  # without a word
    ],
    ids=["for another", "for nobody", "to decline", "silently"],
)
def test_an_open_task_is_claimed_in_no_other_way(after: dict[str, object], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        decide_task(task(owner=None), after, STRANGER)


def test_an_open_task_is_claimed_only_by_those_it_was_offered_to() -> None:
    offered = {"restriction": {"recipient": [reference("PractitionerRole/r-b")]}}
    before = task(owner=None, **offered)
    claimed = decide_task(before, task("accepted", owner=reference("Practitioner/moss"), **offered), OWNER, ROLE_B)
    assert told(claimed) == ["accepted"]
    with pytest.raises(Forbidden):
        decide_task(before, task("accepted", owner=reference("Practitioner/far"), **offered), STRANGER, ROLE_B)


def test_a_patient_claims_nothing() -> None:
    with pytest.raises(Forbidden):
        decide_task(task(owner=None), task("accepted", owner=reference("Patient/p1")), PATIENT)


def test_a_patient_completes_a_task_of_their_own() -> None:
    questionnaire = {"code": {"text": "Complete questionnaire"}, "owner": reference("Patient/p1"), "focus": None}
    decision = decide_task(task("in-progress", **questionnaire), task("completed", **questionnaire), PATIENT)
    assert decision.resource is not None
    assert told(decision) == []


@pytest.mark.parametrize("caller", [REQUESTER, COORDINATOR], ids=lambda caller: caller.subject)
def test_the_initiators_side_chooses_another_owner_before_acceptance(caller: Caller) -> None:
    other = {"owner": reference("Organization/elsewhere")}
    assert told(decide_task(task("received", "2.0"), task("received", "2.0", **other), caller)) == ["updated"]
    with pytest.raises(Forbidden):
        decide_task(task("accepted", "3.0"), task("accepted", "3.0", **other), caller)


def test_the_recipient_accepts_in_person_what_was_sent_to_the_organization() -> None:
    decision = decide_task(task(), task("accepted", owner=reference("Practitioner/moss")), OWNER)
    assert told(decision) == ["accepted"]


def test_the_recipient_passes_nothing_on_to_somebody_else() -> None:
    with pytest.raises(Forbidden):
        decide_task(task(), task("accepted", owner=reference("Practitioner/far")), OWNER)


@pytest.mark.parametrize("caller", [REQUESTER, COORDINATOR], ids=lambda caller: caller.subject)
@pytest.mark.parametrize(
    "results",
    [
        {"output": [{"type": {"text": "report"}, "valueReference": reference("DocumentReference/d1")}]},
        {"executionPeriod": {"start": "2026-03-09"}},
    ],
    ids=["output", "executionPeriod"],
)
def test_what_came_of_it_is_for_the_recipient_to_say(caller: Caller, results: dict[str, object]) -> None:
    before = task("in-progress", "5.1.1")
    with pytest.raises(Forbidden):
        decide_task(before, task("in-progress", "5.1.1", **results), caller)
    assert decide_task(before, task("in-progress", "5.1.1", **results), OWNER).resource is not None


@pytest.mark.parametrize("caller", [REQUESTER, COORDINATOR], ids=lambda caller: caller.subject)
@pytest.mark.parametrize("before", [None, task("draft")], ids=["new", "draft"])
def test_nobody_sends_a_referral_with_a_visit_that_was_not_given(
    before: dict[str, object] | None, caller: Caller
) -> None:
    visited = {"executionPeriod": {"start": "2026-03-09"}}
    for status in ("draft", "requested"):
        with pytest.raises(Forbidden):
            decide_task(before, task(status, **visited), caller)
    assert decide_task(None, task("completed", **visited), BACK_END).resource is not None


@pytest.mark.parametrize("element", ["requester", "focus", "for"])
def test_what_a_referral_is_about_does_not_change_once_it_was_sent(element: str) -> None:
    changed = {element: reference("Practitioner/moss" if element == "requester" else "ServiceRequest/o2")}
    with pytest.raises(Unprocessable) as refused:
        decide_task(task("accepted", "3.0"), task("accepted", "3.0", **changed), BACK_END)
    assert refused.value.issues[0].expression == (f"Task.{element}",)


@pytest.mark.parametrize("element", ["requester", "for", "owner"])
def test_who_is_named_by_a_display_alone_does_not_become_somebody_else(element: str) -> None:
    for before in ({element: {"display": "Robin"}}, {element: None} if element == "owner" else {}):
        with pytest.raises((Forbidden, Unprocessable)):
            decide_task(task("accepted", **before), task("accepted", **{element: {"display": "Lee"}}), COORDINATOR)


def test_another_display_is_not_another_requester() -> None:
    named = {"requester": {"reference": "Practitioner/lind", "display": "Dr Lind"}}
    assert told(decide_task(task(), task(**named), REQUESTER)) == ["updated"]


def test_a_referral_does_not_stop_being_one() -> None:
    with pytest.raises(Unprocessable) as refused:
        decide_task(task(), task(code={"text": "call"}), REQUESTER)
    assert refused.value.issues[0].expression == ("Task.code",)


def test_a_draft_is_not_turned_into_a_referral_from_somebody_else() -> None:
    forged = task("requested", requester=reference("Practitioner/moss"), owner=reference("Practitioner/lind"))
    with pytest.raises(Forbidden):
        decide_task(task("draft", owner=reference("Practitioner/lind")), forged, REQUESTER)


@pytest.mark.parametrize(
    ("caller", "status", "refusal"),
    [
        (REQUESTER, "draft", None),
        (REQUESTER, "entered-in-error", None),
        (REQUESTER, "accepted", Conflict),
        (COORDINATOR, "requested", Conflict),
        (OWNER, "draft", Forbidden),
        (STRANGER, "draft", Forbidden),
        (PATIENT, "draft", Forbidden),
        (BACK_END, "accepted", None),
    ],
    ids=lambda value: value.subject if isinstance(value, Caller) else None,
)
def test_a_task_that_was_sent_is_not_deleted_by_people(
    caller: Caller, status: str, refusal: type[Exception] | None
) -> None:
    if refusal:
        with pytest.raises(refusal):
            decide_task(task(status), None, caller)
    else:
        expected = ["entered-in-error"] if status == "accepted" else []
        assert told(decide_task(task(status), None, caller)) == expected


def test_both_sides_may_be_one_person() -> None:
    own = {"requester": reference("Practitioner/moss")}
    assert told(decide_task(task("received", "2.0", **own), task("accepted", "3.0", **own), OWNER)) == ["accepted"]
    assert told(decide_task(task("received", "2.0", **own), task("in-progress", "5.2", **own), OWNER))


def test_a_coordinator_accepts_only_what_they_own() -> None:
    own = {"owner": reference("Practitioner/co")}
    assert told(decide_task(task(**own), task("accepted", **own), COORDINATOR)) == ["accepted"]


@pytest.mark.parametrize("caller", [REQUESTER, STRANGER, COORDINATOR], ids=lambda caller: caller.subject)
def test_a_deleted_task_does_not_begin_anew(caller: Caller) -> None:
    again = task("requested", requester=reference(caller.fhir_user or ""))
    with pytest.raises(Conflict):
        decide(None, again, DecisionContext(caller, NOW, revives=True))
    assert decide(None, again, DecisionContext(BACK_END, NOW, revives=True)).facts
