"""What the story led to, once it has arrived everywhere: the plan, its timeline, the messages."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from consilium.demo.api import Api
from consilium.demo.people import COORDINATOR
from consilium.demo.story import STORIES

EXPECTED = {"completed", "cancelled"}
"""What the plan says of the two activities in the end: the one was done, the other declined."""


LAST_TOLD = {"referral-completed-requester", "referral-declined-requester", "referral-declined-coordinators"}
"""The rules by which people hear of the two ends."""

QUIET = 0.5
"""Seconds without another message, or a change of one, after which no more is waited for."""


class NotArrived(RuntimeError):
    """The plan or the messages did not follow in time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that the demo shows."""

    patient: dict[str, Any]
    plan: dict[str, Any]
    timeline: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    """Communications, oldest first."""
    texts: dict[str, str]
    """What orders and outcomes are about, by reference."""


async def await_outcome(api: Api, patient: str, *, within: float = 20.0) -> Outcome:
    """The outcome, when the plan has followed both referrals, people were told of it, and no more messages come.

    Raises ``NotArrived`` after ``within`` seconds."""
    deadline, before = time.monotonic() + within, list[dict[str, Any]]()
    while True:
        plan = await api.get(COORDINATOR, f"/api/plans?patient={patient}")
        statuses = [activity["status"] for activity in plan["activities"]] if plan else []
        messages = await _messages(api, patient)
        if len(statuses) >= len(STORIES) and set(statuses) >= EXPECTED and _told(messages) and messages == before:
            plan_id = plan["care_plan"].rpartition("/")[2]
            timeline = await api.get(COORDINATOR, f"/api/plans/{plan_id}/timeline")
            person = await api.get(COORDINATOR, f"/fhir/{patient}")
            return Outcome(person, plan, timeline, messages, await _texts(api, plan))
        if time.monotonic() > deadline:
            raise NotArrived(f"After {within:.0f} s the plan says {statuses or 'nothing'}; {len(messages)} messages.")
        before = messages
        await asyncio.sleep(QUIET if _told(messages) else 0.1)


async def _messages(api: Api, patient: str) -> list[dict[str, Any]]:
    found = await api.search(COORDINATOR, f"Communication?subject={patient}&_count=200")
    return sorted(found, key=lambda message: str(message["meta"]["lastUpdated"]))


async def _texts(api: Api, plan: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for activity in plan["activities"]:
        for reference in filter(None, (activity["reference"], *activity["outcomes"])):
            resource = await api.get(COORDINATOR, f"/fhir/{reference}") or {}
            value = resource.get("valueQuantity", {}).get("value", "")
            found[reference] = f"{resource.get('code', {}).get('text', reference)} {value}".strip()
    return found


def _told(messages: list[dict[str, Any]]) -> bool:
    told = {coding["code"] for message in messages for coding in message.get("topic", {}).get("coding", [])}
    return told >= LAST_TOLD
