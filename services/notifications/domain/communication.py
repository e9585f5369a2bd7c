"""The Communication that stands for one message (http://hl7.org/fhir/R4/communication.html)."""

from typing import Any

from services.notifications.domain.happening import Happening
from services.notifications.domain.receivers import recipient
from services.notifications.domain.rules import Message

EVENT_SYSTEM = "urn:consilium:event"
"""``Identifier.system``: the event that the message tells."""
RULE_SYSTEM = "urn:consilium:notification-rule"
CATEGORY = {"system": "http://terminology.hl7.org/CodeSystem/communication-category", "code": "notification"}
NOT_DONE_SYSTEM = "http://terminology.hl7.org/CodeSystem/communication-not-done-reason"


def communication(message: Message, happening: Happening, *, at: str, delivered: bool) -> dict[str, Any]:
    """The resource; ``completed`` when it is delivered already, else ``in-progress``. ``at`` is a FHIR instant."""
    resource: dict[str, Any] = {
        "resourceType": "Communication",
        "identifier": [{"system": EVENT_SYSTEM, "value": happening.event_id}],
        "status": "completed" if delivered else "in-progress",
        "category": [{"coding": [CATEGORY]}],
        "topic": {
            "coding": [{"system": RULE_SYSTEM, "version": message.rule.version, "code": message.rule.id}],
        },
        "about": [{"reference": happening.focus}],
        "recipient": [recipient(message.receiver)],
        "payload": [{"contentString": message.text}],
    }
    if happening.patient:
        resource["subject"] = {"reference": happening.patient}
    if happening.based_on:
        resource["basedOn"] = [{"reference": happening.based_on}]
    if delivered:
        resource["sent"] = at
    return resource


def sent(before: dict[str, Any], at: str) -> dict[str, Any]:
    """``before`` once every channel has taken it."""
    after = {key: value for key, value in before.items() if key != "statusReason"}
    return {**after, "status": "completed", "sent": before.get("sent", at)}


def undeliverable(before: dict[str, Any]) -> dict[str, Any]:
    """``before`` when a channel gave up: on hold, because a coordinator may replay it."""
    reason = {"coding": [{"system": NOT_DONE_SYSTEM, "code": "system-error"}]}
    return {**before, "status": "on-hold", "statusReason": reason}


def resumed(before: dict[str, Any]) -> dict[str, Any]:
    """``before`` when a coordinator has it tried again."""
    after = {key: value for key, value in before.items() if key != "statusReason"}
    return {**after, "status": "in-progress"}
