"""People and machines who do with a few referrals whatever comes to their mind, at the same moment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.security.caller import Caller, Discipline, Role
from tests.factories.patches import JSON_PATCH
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    PATIENT,
    REQUESTER,
    STRANGER,
    business,
    order,
    reference,
    task,
)
from tests.factories.resources import bundle, entry
from tests.integration.referrals.asking import API
from tests.integration.referrals.ways.steps import ACTIONS, NEEDED
from tests.integration.referrals.ways.table import MISTAKE, ROWS, STATES, State

Resource = dict[str, Any]
OUTSIDER = Caller("dr-out", Role.CLINICIAN, Discipline.MENTAL_HEALTH, "Practitioner/out", "Organization/outside")
CROWD = (REQUESTER, OWNER, STRANGER, COORDINATOR, PATIENT, OUTSIDER, BACK_END)
"""The stranger has an offer of the open Task, and is handed a referral at times."""
OWN = {REQUESTER: "Practitioner/lind", OWNER: "Practitioner/moss", STRANGER: "Practitioner/far"}
OFFERED = ("Organization/mind-centre", "Organization/elsewhere")
OTHERS = ("offer", "give-back", "claim", "assign", "return-with-questions", "answer", "acknowledge-report", "reroute")
ORDERS = ("active", "on-hold", "active", "on-hold", "completed", "revoked", MISTAKE)


@dataclass(frozen=True, slots=True)
class Move:
    """What somebody does: which Task, in what way, and numbers by which they choose."""

    actor: int
    task: int
    kind: str
    """``offered`` or ``any`` action, ``put``, ``patch``, ``order``."""
    pick: int
    match: str
    """The version that they name: ``seen``, ``stale``, ``none``."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a move. ``token`` is what the change brings along, to be found again."""

    caller: Caller
    status: int
    resource: str
    token: str
    version: int = 0


@dataclass
class World:
    """A few referrals of three orders."""

    mark: str
    clients: Mapping[Caller, httpx.AsyncClient]
    tasks: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    said: int = 0

    async def begin(self, states: list[State]) -> None:
        """Of one order two referrals and one that is offered to two; of one a draft; of one a single referral."""
        self.orders = [f"{self.mark}-o{number}" for number in range(3)]
        self.tasks = [f"{self.mark}-t{number}" for number in range(5)]
        first, second, third = (reference(f"ServiceRequest/{id}") for id in self.orders)
        recipients = {"recipient": [reference(to) for to in OFFERED]}
        made = [
            order(id=self.orders[0]),
            order(id=self.orders[1], status="draft"),
            order(id=self.orders[2]),
            *(
                task(state[0], state[1] or None, focus=focus)
                for state, focus in zip(states, (first, first, third), strict=True)
            ),
            task("requested", owner=None, focus=first, restriction=recipients, statusReason=None),
            task("draft", focus=second, statusReason=None),
        ]
        for one, id in zip(made[3:], self.tasks, strict=True):
            one["id"] = id
        brought = bundle("transaction", *(entry("PUT", f"{one['resourceType']}/{one['id']}", one) for one in made))
        answer = await self.clients[BACK_END].post("", json=brought)
        assert answer.status_code == 200, answer.text

    async def take(self, move: Move) -> Answered | None:
        """One move; None where there is nothing to do."""
        caller = CROWD[move.actor]
        self.said += 1
        token = f"{self.mark}/{self.said}"
        if move.kind == "order":
            return await self._order(caller, move, token)
        id = self.tasks[move.task % len(self.tasks)]
        if move.kind in ("offered", "any"):
            return await self._act(caller, id, move, token)
        return await self._write(caller, id, move, token)

    async def _act(self, caller: Caller, id: str, move: Move, token: str) -> Answered | None:
        seen = await self._look(caller, id)
        if move.kind == "offered" and not seen.json()["available_actions"]:
            id, seen = await self._with_something_to_do(caller) or (id, seen)
        available = seen.json()["available_actions"]
        if available and move.kind == "offered":
            chosen = available[move.pick % len(available)]
            code, inputs = chosen["code"], _inputs(chosen, caller, move.pick)
        else:
            codes = (*ACTIONS, *OTHERS)
            code = codes[move.pick % len(codes)]
            inputs = dict(NEEDED.get(code, {}))
        if code == "reroute" and caller is BACK_END:
            return None  # what it brings in is taken as it is, also on an order that has ended
        headers = _match(move, seen.headers["etag"])
        body = inputs | {"comment": token}
        answer = await self.clients[caller].post(f"{API}/{id}/actions/{code}", json=body, headers=headers)
        changed = answer.json()["referral"]["task"] if answer.status_code == 200 else f"Task/{id}"
        if changed != f"Task/{id}":
            self.tasks.append(changed.partition("/")[2])
        return _answered(caller, answer, changed, token)

    async def _with_something_to_do(self, caller: Caller) -> tuple[str, httpx.Response] | None:
        for id in list(self.tasks):
            seen = await self._look(caller, id)
            if seen.json()["available_actions"]:
                return id, seen
        return None

    async def _look(self, caller: Caller, id: str) -> httpx.Response:
        seen = await self.clients[caller].get(f"{API}/{id}")
        assert seen.status_code == 200, seen.text
        return seen

    async def _write(self, caller: Caller, id: str, move: Move, token: str) -> Answered:
        seen = await self.clients[caller].get(f"Task/{id}")
        assert seen.status_code == 200, seen.text
        after = _moved(seen.json(), move.pick) | {"description": token}
        headers = _match(move, seen.headers["etag"])
        if caller not in (PATIENT, BACK_END) and move.pick % 5 == 0 and "owner" not in after:
            after["owner"] = reference(OWN.get(caller, "Practitioner/co"))
        if move.kind == "put":
            answer = await self.clients[caller].put(f"Task/{id}", json=after, headers=headers)
        else:
            elements = ("status", "businessStatus", "statusReason", "description", "owner")
            gone = [{"op": "remove", "path": f"/{name}"} for name in elements if name in seen.json().keys() - after]
            new = [{"op": "add", "path": f"/{name}", "value": after[name]} for name in elements if name in after]
            headers |= {"Content-Type": JSON_PATCH}
            answer = await self.clients[caller].patch(f"Task/{id}", content=json.dumps(gone + new), headers=headers)
        return _answered(caller, answer, f"Task/{id}", token)

    async def _order(self, caller: Caller, move: Move, token: str) -> Answered | None:
        if caller is BACK_END:
            return None  # it may complete an order whose referrals go on
        path = f"ServiceRequest/{self.orders[move.task % len(self.orders)]}"
        seen = await self.clients[caller].get(path)
        after = seen.json() | {"status": ORDERS[move.pick % len(ORDERS)], "patientInstruction": token}
        headers = _match(move, seen.headers["etag"])
        answer = await self.clients[caller].put(path, json=after, headers=headers)
        return _answered(caller, answer, path, token)


def _inputs(chosen: Resource, caller: Caller, pick: int) -> dict[str, str]:
    values = {
        "reason": "Because.",
        "owner": OWN[caller] if caller in (OWNER, STRANGER) else OFFERED[pick % 2],
        "recipients": " ".join(OFFERED),
        "appointment": "Appointment/a1",
        "note": "DocumentReference/n1",
        "report": "DiagnosticReport/r1",
        "questions": "Is there a recent MRI?",
        "answer": "Of March.",
    }
    found = {each["name"]: values[each["name"]] for each in chosen["inputs"] if each["required"]}
    choices = next((each["choices"] for each in chosen["inputs"] if each["name"] == "state"), None)
    return found | ({"state": choices[pick // 7 % len(choices)]} if choices else {})


def _moved(seen: Resource, pick: int) -> Resource:
    """The Task in another state: mostly one to which a row leads."""
    (coding,) = seen["businessStatus"]["coding"] if "businessStatus" in seen else ({"code": ""},)
    rows = [row.target for row in ROWS if row.source == (seen["status"], coding["code"])]
    status, code = rows[pick // 3 % len(rows)] if rows and pick % 3 else STATES[pick // 3 % len(STATES)]
    rest = {name: value for name, value in seen.items() if name != "businessStatus"}
    return (
        rest
        | {"status": status, "statusReason": {"text": "Because."}}
        | ({"businessStatus": business(code)} if code else {})
    )


def _match(move: Move, etag: str) -> dict[str, str]:
    if move.match == "none":
        return {}
    version = int(etag.split('"')[1]) - (move.match == "stale")
    return {"If-Match": f'W/"{version}"'}


def _answered(caller: Caller, answer: httpx.Response, resource: str, token: str) -> Answered:
    known = answer.status_code in (200, 201, 403, 404, 409, 412, 422, 428)
    assert known, f"{answer.status_code}: {answer.text}"
    version = int(answer.headers["etag"].split('"')[1]) if answer.status_code < 300 else 0
    return Answered(caller, answer.status_code, resource, token, version)
