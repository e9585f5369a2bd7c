"""Who may open a referral of an order."""

from typing import Any

import pytest

from services.referrals.domain.opening import PASSED_ON
from services.referrals.domain.transitions import PLAIN
from shared.errors import Forbidden
from shared.security.caller import Caller, Discipline, Role
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    OWNING_EHR,
    REQUESTER,
    STRANGER,
    order,
    practitioner_role,
    reference,
    task,
)
from tests.unit.services.referrals.deciding import decide_task, told

Resource = dict[str, Any]
COLLEAGUE = Caller("dr-hale", Role.CLINICIAN, Discipline.PAIN_MEDICINE, "Practitioner/hale", "Organization/pain-clinic")
CALLERS = (REQUESTER, COLLEAGUE, OWNER, STRANGER, COORDINATOR, BACK_END, OWNING_EHR)
ROLES = (
    practitioner_role("r-a", "Practitioner/lind", "Organization/pain-clinic"),
    practitioner_role("r-b", "Practitioner/moss", "Organization/mind-centre"),
)
OTHER_ORDER = order(id="o2")
PART = {"id": "t2", "partOf": [reference("Task/t1")], "owner": reference("Organization/elsewhere")}


def _by(caller: Caller) -> Resource:
    """Who the caller says requests it."""
    return reference(caller.fhir_user or caller.organization or "Practitioner/lind")


@pytest.mark.parametrize(
    ("requester", "allowed"),
    [
        ("Practitioner/lind", {REQUESTER, COORDINATOR, BACK_END, OWNING_EHR}),
        ("Organization/pain-clinic", {REQUESTER, COLLEAGUE, COORDINATOR, BACK_END, OWNING_EHR}),
        ("PractitionerRole/r-a", {REQUESTER, COLLEAGUE, COORDINATOR, BACK_END, OWNING_EHR}),
        ("PractitionerRole/r-b", {OWNER, COORDINATOR, BACK_END, OWNING_EHR}),
        ("PractitionerRole/unknown", {COORDINATOR, BACK_END, OWNING_EHR}),
        (None, {COORDINATOR, BACK_END, OWNING_EHR}),
    ],
)
@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.subject)
@pytest.mark.parametrize("status", ["draft", "requested"])
def test_an_order_is_asked_for_by_its_requester_coordinators_and_back_ends(
    requester: str | None, allowed: set[Caller], caller: Caller, status: str
) -> None:
    ordered = order(requester=reference(requester) if requester else None)
    opened = task(status, requester=_by(caller))
    if caller in allowed:
        assert told(decide_task(None, opened, caller, ordered, *ROLES)) == ["requested"] * (status == "requested")
    else:
        with pytest.raises(Forbidden) as refused:
            decide_task(None, opened, caller, ordered, *ROLES)
        assert refused.value.issues[0].expression == ("Task.focus", "Task.partOf")


@pytest.mark.parametrize("owner", ["Organization/mind-centre", "Practitioner/moss", "PractitionerRole/r-b"])
@pytest.mark.parametrize("status", sorted({row.source.status for row in PLAIN} | {row.target.status for row in PLAIN}))
def test_the_owner_of_a_referral_passes_it_on_while_it_lasts(owner: str, status: str) -> None:
    parent = task(status, owner=reference(owner))
    part = task(requester=_by(OWNER), **PART)
    if status in PASSED_ON:
        assert told(decide_task(None, part, OWNER, parent, *ROLES)) == ["requested"]
    else:
        with pytest.raises(Forbidden):
            decide_task(None, part, OWNER, parent, *ROLES)


def test_a_referral_lasts_from_when_it_was_sent_until_it_ends() -> None:
    assert {"requested", "received", "accepted", "ready", "in-progress", "on-hold"} == PASSED_ON


NOT_FULFILLED = {"code": {"text": "Call the patient."}}
BASED = {"basedOn": [reference("ServiceRequest/o1")]}


@pytest.mark.parametrize(
    ("parent", "part", "ordered", "may"),
    [
        (task("accepted"), {}, OTHER_ORDER, True),
        (task("accepted", owner=reference("Practitioner/co")), {}, OTHER_ORDER, False),
        (task("accepted", owner=None), {}, OTHER_ORDER, False),
        (task("accepted", **NOT_FULFILLED), {}, OTHER_ORDER, False),
        (task("accepted", focus=reference("ServiceRequest/o2")), {}, OTHER_ORDER, False),
        (task("accepted", id="t9"), {}, OTHER_ORDER, False),
        (task("accepted"), {"partOf": None}, OTHER_ORDER, False),
        (task("accepted"), {"partOf": None, "basedOn": [reference("Task/t1")]}, OTHER_ORDER, False),
        (task("accepted"), {"partOf": [reference("Task/t8"), reference("Task/t1/_history/1")]}, OTHER_ORDER, True),
        (task("accepted"), {"focus": reference("ServiceRequest/o2")}, OTHER_ORDER, False),
        (task("accepted"), {"focus": reference("ServiceRequest/o2")}, OTHER_ORDER | BASED, False),
        (task("accepted"), {"focus": reference("ServiceRequest/o2")}, order(id="o2", requester=None), False),
        (task("accepted"), {"focus": reference("ServiceRequest/o2")}, order(id="o2", requester=None, **BASED), True),
    ],
    ids=[
        "owned",
        "owned by another",
        "open",
        "not a referral",
        "of another order",
        "unknown",
        "not part of it",
        "based on it",
        "part of several",
        "on another order",
        "on another's order for it",
        "on nobody's order",
        "on nobody's order for it",
    ],
)
def test_only_what_the_caller_was_asked_for_is_passed_on(
    parent: Resource, part: Resource, ordered: Resource, may: bool
) -> None:
    opened = task(**{"requester": _by(OWNER)} | PART | part)
    if may:
        assert told(decide_task(None, opened, OWNER, parent, ordered)) == ["requested"]
    else:
        with pytest.raises(Forbidden):
            decide_task(None, opened, OWNER, parent, ordered)


def test_a_part_is_passed_on_again_by_its_own_owner_only() -> None:
    part = task("accepted", requester=_by(OWNER), **PART)
    again = {"id": "t3", "partOf": [reference("Task/t2")]}
    assert told(decide_task(None, task(requester=_by(STRANGER), **again), STRANGER, part)) == ["requested"]
    with pytest.raises(Forbidden):
        decide_task(None, task(requester=_by(OWNER), **again), OWNER, part)


@pytest.mark.parametrize("status", ["accepted", "rejected", "cancelled"])
def test_a_part_of_what_has_ended_passes_nothing_on(status: str) -> None:
    whole = task(status, partOf=[reference("Task/t2")])
    part = task("accepted", requester=_by(OWNER), **PART | {"owner": whole["owner"]})
    again = task(requester=_by(OWNER), id="t3", partOf=[reference("Task/t2")])
    if status == "accepted":
        assert told(decide_task(None, again, OWNER, whole, part)) == ["requested"]
    else:
        with pytest.raises(Forbidden):
            decide_task(None, again, OWNER, whole, part)


@pytest.mark.parametrize(
    "before",
    [
        task("requested", requester=_by(STRANGER), **NOT_FULFILLED),
        task("draft", requester=_by(STRANGER), focus=reference("ServiceRequest/o2")),
        task("requested", requester=_by(STRANGER), focus=reference("Observation/1")),
    ],
    ids=["another code", "a draft of an own order", "another focus"],
)
def test_a_task_becomes_a_referral_of_an_order_under_the_same_rule(before: Resource) -> None:
    own = order(id="o2", requester=_by(STRANGER))
    after = task(before["status"], requester=_by(STRANGER))
    with pytest.raises(Forbidden):
        decide_task(before, after, STRANGER, own)
    assert decide_task(before, after, STRANGER, own, order(requester=_by(STRANGER))).resource is not None


def test_what_is_open_already_goes_on_whoever_ordered_it() -> None:
    before = task(requester=_by(STRANGER))
    assert told(decide_task(before, task("cancelled", requester=_by(STRANGER)), STRANGER)) == ["cancelled"]
