"""What a referral must carry, how it is opened, and what it tells."""

import pytest

from services.referrals.domain.transitions import BUSINESS_STATUS
from shared.errors import ConsiliumError, Forbidden, Unprocessable
from shared.security.caller import Caller
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    FOREIGN_EHR,
    OWNER,
    OWNING_EHR,
    PATIENT,
    REASON,
    REQUESTER,
    REQUESTING_EHR,
    STRANGER,
    practitioner_role,
    reference,
    task,
)
from tests.unit.services.referrals.deciding import decide_task, told

PLAIN_TASK = {"code": {"text": "Specimen Collection"}, "intent": "filler-order", "focus": None, "for": None}


def expressions(error: ConsiliumError) -> set[str]:
    return {expression for issue in error.issues for expression in issue.expression}


@pytest.mark.parametrize("element", ["focus", "for", "authoredOn", "requester", "intent"])
@pytest.mark.parametrize("caller", [COORDINATOR, BACK_END], ids=lambda caller: caller.subject)
def test_a_referral_needs_this_element(element: str, caller: Caller) -> None:
    wrong = {element: "plan" if element == "intent" else None}
    with pytest.raises(Unprocessable) as refused:
        decide_task(None, task(**wrong), caller)
    assert expressions(refused.value) == {f"Task.{element}"}


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(Unprocessable) as refused:
        decide_task(None, task(**{"for": None, "authoredOn": None}), BACK_END)
    assert expressions(refused.value) == {"Task.for", "Task.authoredOn"}


def test_a_referral_is_for_the_subject_of_its_order() -> None:
    with pytest.raises(Unprocessable) as refused:
        decide_task(None, task(**{"for": reference("Patient/p2")}), REQUESTER)
    assert expressions(refused.value) == {"Task.for"}


@pytest.mark.parametrize("status", ["completed", "accepted", "cancelled"])
def test_a_task_that_is_no_referral_obeys_the_state_machine_only(status: str) -> None:
    made = task(status, statusReason=None, authoredOn=None, **PLAIN_TASK)
    decision = decide_task(None, made, BACK_END)
    assert decision.resource == made
    assert told(decision) == []


REASONED = [
    (("received", "2.0"), ("rejected", "4.0"), OWNER),
    (("received", "2.0"), ("in-progress", "5.2"), REQUESTER),
    (("in-progress", "5.2"), ("cancelled", "6.0"), OWNER),
    (("in-progress", "5.1.1"), ("on-hold", "5.1.1"), OWNER),
    (("in-progress", "5.1.1"), ("failed", "5.1.1"), OWNER),
    (("requested", None), ("rejected", None), OWNER),
    (("requested", None), ("cancelled", None), REQUESTER),
    (("in-progress", None), ("on-hold", None), OWNER),
    (("in-progress", None), ("failed", None), OWNER),
]


@pytest.mark.parametrize(("source", "target", "caller"), REASONED, ids=str)
@pytest.mark.parametrize("reason", [None, {"coding": [{"code": "x"}]}, {"text": "  "}], ids=["none", "codes", "blank"])
def test_a_reason_in_words_is_required(
    source: tuple[str, str | None], target: tuple[str, str | None], caller: Caller, reason: dict[str, object] | None
) -> None:
    before = task(*source)
    with pytest.raises(Unprocessable) as refused:
        decide_task(before, task(*target, statusReason=reason), caller)
    assert expressions(refused.value) == {"Task.statusReason.text"}
    assert told(decide_task(before, task(*target, statusReason=REASON), caller))


def test_a_reason_needs_words_wherever_there_is_one() -> None:
    with pytest.raises(Unprocessable) as refused:
        decide_task(task(), task("accepted", statusReason={"coding": [{"code": "x"}]}), OWNER)
    assert expressions(refused.value) == {"Task.statusReason.text"}
    assert told(decide_task(task(), task("accepted", statusReason=None), OWNER)) == ["accepted"]


@pytest.mark.parametrize(
    ("status", "bser", "tells"),
    [
        ("draft", None, []),
        ("requested", None, ["requested"]),
        ("requested", "2.0", ["requested"]),
        ("received", "2.0", ["requested"]),
        ("ready", None, ["accepted"]),
    ],
)
@pytest.mark.parametrize("caller", [REQUESTER, COORDINATOR, BACK_END, REQUESTING_EHR], ids=lambda c: c.subject)
def test_a_referral_is_opened_here(status: str, bser: str | None, tells: list[str], caller: Caller) -> None:
    parties = {"requester": reference("PractitionerRole/r-a")}
    role = practitioner_role("r-a", "Practitioner/lind", "Organization/pain-clinic")
    assert told(decide_task(None, task(status, bser, **parties), caller, role)) == tells


@pytest.mark.parametrize(
    ("status", "bser"),
    [("received", None), ("accepted", "3.0"), ("in-progress", "5.1.1"), ("completed", "7.0"), ("draft", "2.0")],
)
@pytest.mark.parametrize("caller", [REQUESTER, COORDINATOR], ids=lambda caller: caller.subject)
def test_a_person_opens_a_referral_nowhere_else(status: str, bser: str | None, caller: Caller) -> None:
    with pytest.raises(Unprocessable):
        decide_task(None, task(status, bser), caller)


@pytest.mark.parametrize(
    ("status", "bser", "tells"),
    [
        ("accepted", None, ["accepted"]),
        ("in-progress", "5.1.1", ["scheduled"]),
        ("in-progress", "5.1", ["started"]),
        ("completed", "7.0", ["completed"]),
        ("requested", "7.0", ["requested"]),
        ("entered-in-error", None, []),
    ],
)
def test_a_back_end_imports_a_referral_in_any_state(status: str, bser: str | None, tells: list[str]) -> None:
    assert told(decide_task(None, task(status, bser), BACK_END)) == tells
    assert told(decide_task(None, task(status, bser), OWNING_EHR)) == tells


@pytest.mark.parametrize("caller", [PATIENT, STRANGER, OWNER, FOREIGN_EHR], ids=lambda caller: caller.subject)
def test_nobody_opens_a_referral_in_the_name_of_another(caller: Caller) -> None:
    with pytest.raises(Forbidden):
        decide_task(None, task(), caller)


def test_a_clinician_names_the_requester() -> None:
    with pytest.raises(Unprocessable) as refused:
        decide_task(None, task(requester=None, code={"text": "call"}, focus=None), REQUESTER)
    assert expressions(refused.value) == {"Task.requester"}


def test_a_received_referral_has_an_owner() -> None:
    with pytest.raises(Unprocessable) as refused:
        decide_task(None, task("received", "2.0", owner=None), REQUESTER)
    assert expressions(refused.value) == {"Task.owner"}
    assert decide_task(None, task(owner=None), REQUESTER).resource is not None


REPORT = {"type": {"text": "report"}, "valueReference": reference("DocumentReference/d1")}
VISIT = {"type": {"text": "visit"}, "valueReference": reference("Appointment/a1")}


@pytest.mark.parametrize(
    ("bser", "change", "tells"),
    [
        ("5.1.1", {"output": [VISIT]}, ["rescheduled"]),
        ("5.1.1", {"executionPeriod": {"start": "2026-04-01"}}, ["rescheduled"]),
        ("5.1.4", {"output": [REPORT]}, ["interim-note"]),
        ("5.1.2", {"output": [REPORT]}, ["updated"]),
        ("5.1.1", {"note": [{"text": "Bring the images."}]}, ["updated"]),
        ("5.1.1", {}, []),
    ],
)
def test_news_in_the_same_state(bser: str, change: dict[str, object], tells: list[str]) -> None:
    assert told(decide_task(task("in-progress", bser), task("in-progress", bser, **change), OWNER)) == tells


@pytest.mark.parametrize(("output", "tells"), [([REPORT], "interim-note"), ([VISIT], "scheduled"), (None, "scheduled")])
def test_a_document_tells_an_interim_note_from_a_visit(output: list[object] | None, tells: str) -> None:
    decision = decide_task(task("accepted", "3.0"), task("in-progress", "5.1", output=output), OWNER)
    assert told(decision) == [tells]


def test_a_draft_tells_nothing_until_it_is_sent() -> None:
    assert told(decide_task(task("draft"), task("draft", note=[{"text": "later"}]), REQUESTER)) == []
    assert told(decide_task(task("draft"), task(), REQUESTER)) == ["requested"]


@pytest.mark.parametrize("codes", [("3.0", "7.0"), ("7.0", "3.0"), ("3.0", "9.9")])
def test_a_task_has_one_business_status(codes: tuple[str, ...]) -> None:
    both = {"coding": [{"system": BUSINESS_STATUS, "code": code} for code in codes]}
    with pytest.raises(Unprocessable):
        decide_task(task("received", "2.0"), {**task("accepted", "3.0"), "businessStatus": both}, OWNER)


def test_no_text_of_a_refusal_repeats_what_was_sent() -> None:
    canary = "canary-7f3a"
    sent = task("accepted", canary, **{"for": reference(f"Patient/{canary}"), "statusReason": {"coding": [canary]}})
    assert sent["businessStatus"]["coding"][0]["system"] == BUSINESS_STATUS
    for after in (sent, {**sent, "businessStatus": {"text": canary}}):
        for caller in (REQUESTER, OWNER, STRANGER, BACK_END):
            with pytest.raises(ConsiliumError) as refused:
                decide_task(task(), after, caller)
            assert canary not in str(refused.value.issues)


def test_an_order_in_another_record_is_not_compared() -> None:
    assert told(decide_task(None, task(focus=reference("ServiceRequest/far-away")), REQUESTER)) == ["requested"]
