"""Random courses of referrals: what the recipient does over there, and when the requester has second thoughts."""

import random
from typing import Any

from services.referrals.domain.moving import moved
from services.referrals.domain.referral import needs_reason
from services.referrals.domain.states import TERMINAL, state_of
from services.referrals.domain.transitions import TRANSITIONS, Actor, Happened, State, Transition
from tests.e2e.exchange.instances import Instance

Resource = dict[str, Any]
WITHDRAWING = (Happened.CANCELLED, Happened.CANCELLATION_REQUESTED)
REFUSED = (409, 412)
"""Somebody was faster."""


async def answer(there: Instance, id: str, chance: random.Random, *, steps: int) -> None:
    """Take up to ``steps`` random steps of the recipient with the Task ``id``."""
    for number in range(steps):
        task = await there.read(f"Task/{id}")
        rows = _rows(state_of(task), Actor.RECIPIENT)
        if not rows:
            return
        goes_on = [row for row in rows if row.target.status not in TERMINAL]
        row = chance.choice(goes_on if goes_on and chance.random() < 0.8 else rows)
        changed = _with_news(task, row.target, number, chance)
        answered = await there.put("owner", changed, int(task["meta"]["versionId"]))
        assert answered.status_code in (200, *REFUSED), answered.text


def _with_news(task: Resource, state: State, number: int, chance: random.Random) -> Resource:
    changed = moved(task, state, f"Because of {number}." if needs_reason(state) else None)
    if chance.random() < 0.4:
        note = {"text": f"Note {number}", "authorReference": {"reference": "Practitioner/moss"}}
        changed["note"] = [*changed.get("note", ()), note]
    if chance.random() < 0.4:
        report = {"reference": f"https://files.example/report-{number}"}
        changed["output"] = [*changed.get("output", ()), {"type": {"text": "Report"}, "valueReference": report}]
    if chance.random() < 0.2:
        organization = {"reference": "Organization/mind-centre"}
        changed["output"] = [*changed.get("output", ()), {"type": {"text": "Seen by"}, "valueReference": organization}]
    return changed


async def withdraw(here: Instance, id: str) -> bool:
    """Take the referral ``id`` back as its requester, if it can be; whether that was done."""
    while True:
        task = await here.read(f"Task/{id}")
        state = state_of(task)
        goals = [row.target for row in _rows(state, Actor.INITIATOR) if row.happened in WITHDRAWING]
        if state.status in TERMINAL or not goals:
            return False
        changed = moved(task, goals[0], "The patient moved.")
        answered = await here.put("requester", changed, int(task["meta"]["versionId"]))
        assert answered.status_code in (200, *REFUSED), answered.text
        if answered.status_code == 200:
            return True


def _rows(source: State, actor: Actor) -> list[Transition]:
    return [row for row in TRANSITIONS if row.source == source and row.actor is actor]
