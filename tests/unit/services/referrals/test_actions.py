"""Actions are ways through the tables: no row without an action, no action without a row."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.referrals.domain.acting import Done, done
from services.referrals.domain.actions import ACTIONS, Code, rows, targets
from services.referrals.domain.availability import BSER, SDOH, Available, available, refusal
from services.referrals.domain.inputs import Name, check_inputs
from services.referrals.domain.marks import ACKNOWLEDGED, REPLACED, RETURNED, marked, returned
from services.referrals.domain.states import check_step, state_of
from services.referrals.domain.transitions import TRANSITIONS, Actor, State, Transition
from shared.errors import Conflict, Forbidden
from shared.security.caller import Caller
from tests.factories.referrals import BACK_END, COORDINATOR, OWNER, PATIENT, REQUESTER, STRANGER, reference, task
from tests.unit.services.referrals.deciding import BY_ACTOR, OTHER, decide_task, told

Resource = dict[str, Any]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STATES = sorted(
    {state for row in TRANSITIONS for state in (row.source, row.target)} | {State("entered-in-error")}, key=str
)
GIVEN = {
    Name.REASON: "Because.",
    Name.OWNER: "Organization/elsewhere",
    Name.RECIPIENTS: "Organization/elsewhere PractitionerRole/moss",
    Name.APPOINTMENT: "Appointment/a1",
    Name.NOTE: "DocumentReference/n1",
    Name.REPORT: "DiagnosticReport/r1",
    Name.QUESTIONS: "Is there a recent MRI?",
    Name.ANSWER: "Of March.",
    Name.COMMENT: "Thank you.",
}
TELLS = {
    Code.ASSIGN: "updated",
    Code.OFFER: "updated",
    Code.RETURN_WITH_QUESTIONS: "returned",
    Code.ANSWER: "answered",
    Code.ACKNOWLEDGE_REPORT: "closed",
}
OFFERED: dict[str, tuple[str, str]] = {
    # state: (the initiator's, the recipient's)
    "draft": ("assign cancel mark-as-error offer send send-agreed", ""),
    "requested": (
        "assign mark-as-error offer recall reroute",
        "accept acknowledge assign decline return-with-questions",
    ),
    "requested 2.0": (
        "assign mark-as-error offer recall reroute",
        "accept acknowledge assign decline return-with-questions",
    ),
    "received": (
        "assign mark-as-error recall request-cancellation reroute",
        "accept assign decline return-with-questions",
    ),
    "received 2.0": ("assign mark-as-error request-cancellation", "accept assign decline return-with-questions"),
    "accepted": (
        "cancel mark-as-error request-cancellation reroute",
        "complete decline return-with-questions schedule send-note start",
    ),
    "accepted 3.0": (
        "mark-as-error request-cancellation",
        "complete decline return-with-questions schedule send-note",
    ),
    "ready": ("assign cancel mark-as-error reroute", "return-with-questions start"),
    "in-progress": (
        "cancel mark-as-error request-cancellation reroute",
        "cancel-appointment complete decline fail hold return-with-questions schedule send-note",
    ),
    "in-progress 5.1": ("mark-as-error request-cancellation", "decline fail hold return-with-questions"),
    "in-progress 5.1.1": (
        "mark-as-error request-cancellation",
        "cancel-appointment complete decline fail hold record-no-show reschedule return-with-questions send-note",
    ),
    "in-progress 5.1.2": (
        "mark-as-error request-cancellation",
        "cancel-appointment decline fail hold reschedule return-with-questions",
    ),
    "in-progress 5.1.3": ("mark-as-error request-cancellation", "fail hold return-with-questions schedule"),
    "in-progress 5.1.4": (
        "mark-as-error request-cancellation",
        "cancel-appointment complete decline fail hold return-with-questions schedule send-note",
    ),
    "in-progress 5.2": ("mark-as-error", "complete confirm-cancellation"),
    "on-hold": ("cancel mark-as-error reroute", "fail resume return-with-questions"),
    "rejected": ("mark-as-error reroute", ""),
    "cancelled": ("mark-as-error reroute", ""),
    "failed": ("mark-as-error reroute", ""),
    "completed": ("acknowledge-report mark-as-error", ""),
    "entered-in-error": ("", ""),
} | {
    f"on-hold {business}": ("mark-as-error request-cancellation", "fail resume return-with-questions")
    for business in ("5.1", "5.1.1", "5.1.2", "5.1.3", "5.1.4")
}


def written(state: State, **more: Any) -> Resource:
    return task(state.status, state.business, **more)


def offers(task_: Resource, caller: Caller) -> dict[Code, Available]:
    return {each.action.code: each for each in available(task_, caller, {})}


def filled(offer: Available, **more: str) -> dict[Name, str]:
    """All inputs that are needed."""
    return {each.name: GIVEN[each.name] for each in offer.inputs if each.required} | {
        Name(name): value for name, value in more.items()
    }


def acted(task_: Resource, code: Code, caller: Caller, **more: str) -> Done:
    offer = offers(task_, caller)[code]
    given = filled(offer, **more)
    check_inputs(offer.inputs, given, str)
    known = {caller.fhir_user or "": {"resourceType": "Practitioner"}}
    return done(task_, offer, given, caller, known, NOW)


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: row.tid)
def test_every_row_is_taken_by_exactly_one_action_of_its_actor(row: Transition) -> None:
    taking = [action for action in ACTIONS.values() if row in rows(action, row.source)]
    assert len(taking) == 1
    assert taking[0].actors == {row.actor}


@pytest.mark.parametrize("state", STATES, ids=str)
def test_every_target_of_an_action_is_legal_for_its_side(state: State) -> None:
    for action in ACTIONS.values():
        for goal in targets(action, state):
            check_step(state, goal, action.actors)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_each_side_is_offered_what_the_state_allows(state: State) -> None:
    initiator, recipient = OFFERED.get(str(state)) or OFFERED[state.status]
    for caller, expected in ((REQUESTER, initiator), (OWNER, recipient), (STRANGER, ""), (PATIENT, "")):
        assert sorted(offers(written(state), caller)) == expected.split()
    assert set(offers(written(state), COORDINATOR)) == set(initiator.split())
    assert set(offers(written(state), BACK_END)) == set(initiator.split()) | set(recipient.split())


@pytest.mark.parametrize("asked", [False, True], ids=["", "returned"])
@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("actor", Actor)
def test_every_action_that_is_offered_passes_the_rules_in_each_of_its_choices(
    state: State, actor: Actor, asked: bool
) -> None:
    before, caller = written(state), BY_ACTOR[actor]
    if asked:
        before = marked(before, RETURNED, "2026-03-01T12:00:00Z")
    for code, offer in offers(before, caller).items():
        choices = next((each.choices for each in offer.inputs if each.name is Name.STATE), (None,))
        assert len(choices) == max(1, len(offer.targets))
        for choice, goal in zip(choices, offer.targets or (state,), strict=True):
            more = {} if choice is None else {"state": choice}
            owner = {"owner": "Practitioner/moss"} if code is Code.ASSIGN and actor is Actor.RECIPIENT else {}
            after = acted(before, code, caller, **more, **owner)
            assert state_of(after.task) == goal
            expected = TELLS.get(code) or (ACTIONS[code].happened or "cancelled")
            if code is Code.REROUTE and not offer.targets:
                expected = "updated"
            ended = after.task
            if after.successor is not None:
                ended = marked(ended, REPLACED, reference("Task/t2"))
                assert told(decide_task(None, after.successor | {"id": "t2"}, caller)) == ["requested"]
            silent = code in (Code.ASSIGN, Code.OFFER) and state.status == "draft"
            assert told(decide_task(before, ended, caller)) == ([] if silent else [expected]), code


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("actor", Actor)
def test_what_is_not_offered_is_refused_by_side_or_by_state(state: State, actor: Actor) -> None:
    before, caller = written(state), BY_ACTOR[actor]
    offered = available(before, caller, {})
    for code, action in ACTIONS.items():
        if code in {each.action.code for each in offered}:
            continue
        error = refusal(code, before, caller, {}, offered)
        if actor in action.actors or code in (Code.CLAIM, Code.GIVE_BACK):
            assert isinstance(error, Conflict)
            assert str(state) in str(error)
            assert all(each.action.code.value in str(error) for each in offered)
        else:
            assert isinstance(error, Forbidden)
            assert OTHER[actor] is not caller


def test_a_stranger_is_not_told_the_state() -> None:
    error = refusal(Code.ACCEPT, written(State("received", "2.0")), STRANGER, {}, ())
    assert isinstance(error, Forbidden)
    assert "received" not in str(error)


def test_an_action_stays_with_the_kind_of_states_that_the_task_is_in() -> None:
    for profile, business in ((None, None), ("http://example.org/other", None), (BSER, "3.0")):
        meta = None if profile is None else {"profile": [profile]}
        after = acted(task("received", meta=meta), Code.ACCEPT, OWNER).task
        assert state_of(after) == State("accepted", business)
    assert state_of(acted(task("received", "2.0"), Code.ACCEPT, OWNER).task) == State("accepted", "3.0")
    assert state_of(acted(task("received"), Code.ACCEPT, OWNER, state="accepted 3.0").task).business == "3.0"
    bser = task("received", meta={"profile": [BSER]})
    assert state_of(acted(bser, Code.ACCEPT, OWNER, state="accepted").task) == State("accepted")


def test_sdoh_care_knows_no_receipt() -> None:
    meta = {"profile": [SDOH]}
    assert sorted(offers(task("requested", meta=meta), OWNER)) == [
        *("accept", "assign", "decline", "return-with-questions"),
    ]
    assert sorted(offers(task("requested", meta=meta, owner=None), STRANGER)) == ["accept"]
    draft = task("draft", meta={"profile": [SDOH, BSER]})
    assert [str(goal) for goal in offers(draft, REQUESTER)[Code.SEND].targets] == ["requested 2.0", "requested"]


def test_an_appointment_is_more_than_a_visit_without_a_word() -> None:
    before = task("accepted", "3.0")
    assert [goal.business for goal in offers(before, OWNER)[Code.SCHEDULE].targets] == ["5.1.1", "5.1"]
    assert [goal.business for goal in offers(before, OWNER)[Code.SEND_NOTE].targets] == ["5.1.4", "5.1"]


def test_the_reason_of_a_cancellation_request_need_not_be_given_again() -> None:
    before = task("in-progress", "5.2", statusReason={"text": "Moved away."})
    after = acted(before, Code.CONFIRM_CANCELLATION, OWNER).task
    assert after["statusReason"] == {"text": "Moved away."}
    held = task("on-hold", statusReason={"text": "In hospital."})
    (reason,) = [each for each in offers(held, REQUESTER)[Code.CANCEL].inputs if each.name is Name.REASON]
    assert reason.required, "why it was held is not why it is cancelled"


def test_what_comes_with_an_action_is_in_the_task() -> None:
    after = acted(task("accepted", "3.0", statusReason=None), Code.SCHEDULE, OWNER, appointment="Appointment/a1").task
    assert after["output"] == [{"type": {"text": "appointment"}, "valueReference": reference("Appointment/a1")}]
    again = acted(after, Code.RESCHEDULE, OWNER, comment="In another room.").task
    assert len(again["output"]) == 2
    assert again["note"] == [
        {
            "authorReference": reference("Practitioner/moss"),
            "time": "2026-03-02T12:00:00.000Z",
            "text": "In another room.",
        }
    ]
    assert told(decide_task(after, again, OWNER)) == ["rescheduled"]


def test_a_question_is_answered_or_made_needless_by_a_step() -> None:
    asked = acted(task("received", "2.0"), Code.RETURN_WITH_QUESTIONS, OWNER).task
    assert state_of(asked) == State("received", "2.0")
    assert returned(asked) == "2026-03-02T12:00:00.000Z"
    assert Code.ANSWER in offers(asked, REQUESTER)
    assert Code.RETURN_WITH_QUESTIONS not in offers(asked, OWNER)
    answered = acted(asked, Code.ANSWER, REQUESTER).task
    assert returned(answered) is None
    assert [note["text"] for note in answered["note"]] == ["Is there a recent MRI?", "Of March."]
    accepted = acted(asked, Code.ACCEPT, OWNER).task
    assert "extension" not in accepted
    assert told(decide_task(asked, accepted, OWNER)) == ["accepted"]


def test_a_report_is_acknowledged_once() -> None:
    read = acted(task("completed", "7.0"), Code.ACKNOWLEDGE_REPORT, REQUESTER).task
    assert read["extension"] == [{"url": ACKNOWLEDGED, "valueDateTime": "2026-03-02T12:00:00.000Z"}]
    assert Code.ACKNOWLEDGE_REPORT not in offers(read, REQUESTER)


def test_an_open_referral_is_claimed_or_accepted_by_whom_it_is_offered_to() -> None:
    before = task(owner=None, restriction={"recipient": [reference("Practitioner/far")]})
    assert sorted(offers(before, STRANGER)) == ["accept", "claim", "decline"]
    assert not offers(before, OWNER)
    for code, status in ((Code.CLAIM, "received"), (Code.ACCEPT, "accepted")):
        after = acted(before, code, STRANGER).task
        assert (after["status"], after["owner"]) == (status, reference("Practitioner/far"))
        assert told(decide_task(before, after, STRANGER)) == [status]
        assert isinstance(refusal(code, before, OWNER, {}, ()), Forbidden)
    received = task("received", owner=None)
    claimed = acted(received, Code.CLAIM, STRANGER).task
    assert told(decide_task(received, claimed, STRANGER)) == ["updated"]
    assert not offers(task(owner=None), PATIENT)


def test_what_is_offered_to_somebody_else_begins_anew() -> None:
    before = task(
        "received",
        meta={"versionId": "3", "profile": ["http://example.org/p"], "tag": [{"code": "x"}]},
        identifier=[{"value": "7"}],
        note=[{"text": "For you alone."}],
        output=[{"type": {"text": "note"}, "valueReference": reference("DocumentReference/d")}],
        restriction={"recipient": [reference("Practitioner/moss")], "repetitions": 1},
        input=[{"type": {"text": "history"}, "valueString": "long"}],
    )
    before = marked(before, RETURNED, "2026-03-01T12:00:00Z")
    after = acted(before, Code.REROUTE, REQUESTER, comment="Please.")
    assert after.task["status"] == "cancelled"
    assert after.task["statusReason"] == {"text": "Because."}
    assert [note["text"] for note in after.task["note"]] == ["For you alone."]
    anew = after.successor
    assert anew is not None
    assert (anew["status"], anew["owner"], anew["requester"]) == (
        "requested",
        reference("Organization/elsewhere"),
        before["requester"],
    )
    assert anew["meta"] == {"profile": ["http://example.org/p"]}
    assert anew["restriction"] == {"repetitions": 1}
    assert [note["text"] for note in anew["note"]] == ["Please."]
    assert anew["input"][0]["valueString"] == "long"
    assert anew["input"][1]["valueReference"] == reference("Task/t1")
    assert not {"id", "identifier", "output", "statusReason", "extension", "businessStatus"} & anew.keys()
    again = acted(anew | {"id": "t2"}, Code.REROUTE, REQUESTER).successor
    assert again is not None
    assert [given.get("valueReference") for given in again["input"]] == [None, reference("Task/t2")]


def test_a_referral_is_offered_to_somebody_else_once() -> None:
    declined = task("rejected", "4.0")
    after = acted(declined, Code.REROUTE, REQUESTER)
    assert after.task == declined
    replaced = marked(declined, REPLACED, reference("Task/t2"))
    assert Code.REROUTE not in offers(replaced, REQUESTER)
