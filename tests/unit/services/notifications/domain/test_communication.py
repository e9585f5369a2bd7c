"""The Communication of a message is valid R4, whoever it goes to."""

import pytest

from services.notifications.domain import communication as resources
from services.notifications.domain.happening import Happening
from services.notifications.domain.rules import RULES, Message
from shared.fhir.validate import check

HAPPENING = Happening(
    "0198c0de-0000-7000-8000-000000000001",
    "referral.accepted.v1",
    "Task/t1",
    patient="Patient/p1",
    based_on="ServiceRequest/s1",
)
AT = "2026-03-01T09:00:00.000Z"


@pytest.mark.parametrize("receiver", ["Practitioner/x", "role:coordinator", "discipline:mental-health"])
@pytest.mark.parametrize("delivered", [True, False])
def test_a_message_becomes_a_valid_communication(receiver: str, delivered: bool) -> None:
    made = resources.communication(Message(receiver, RULES[0], "A text."), HAPPENING, at=AT, delivered=delivered)
    check(made)
    assert made["status"] == ("completed" if delivered else "in-progress")
    assert ("sent" in made) is delivered
    assert made["topic"]["coding"][0]["code"] == RULES[0].id


def test_the_ways_of_a_communication_are_valid() -> None:
    waiting = resources.communication(Message("Practitioner/x", RULES[0], "A text."), HAPPENING, at=AT, delivered=False)
    held = resources.undeliverable(waiting)
    again = resources.resumed(held)
    sent = resources.sent(again, AT)
    for resource in (waiting, held, again, sent):
        check(resource)
    assert [resource["status"] for resource in (waiting, held, again, sent)] == [
        "in-progress",
        "on-hold",
        "in-progress",
        "completed",
    ]
    assert "statusReason" in held
    assert "statusReason" not in sent
