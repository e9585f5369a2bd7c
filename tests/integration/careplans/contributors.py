"""Five disciplines that contribute to one plan from what each saw last, and the book of what became of every word."""

import asyncio
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count

import httpx

from services.careplans.domain.contributing import Contribution
from shared.engine import Engine
from shared.fhir.json import Resource, dumps, loads
from tests.integration.careplans.contributing import DISCIPLINES, activity, contribute, member
from tests.integration.careplans.hearing import STEPS, Referral, hear

Clients = dict[str, httpx.AsyncClient]
"""By discipline."""


@dataclass(frozen=True)
class Move:
    """What one of them does: ``edits`` in the version that they saw last, sent ``times``, or an earlier one again."""

    actor: int
    kind: str
    """``contribute``, ``put``, ``again`` or ``event``."""
    edits: tuple[tuple[str, int], ...]
    times: int
    looks: bool
    """Whether they read the plan before."""
    pick: int


@dataclass(frozen=True)
class Sent:
    """A request, the words in it that nobody else says, and its answers in the order in which they came."""

    actor: str
    kind: str
    plan: Resource
    words: tuple[str, ...]
    answers: list[httpx.Response] = field(default_factory=list)

    @property
    def base(self) -> int:
        return int(self.plan["meta"]["versionId"])

    @property
    def name(self) -> str:
        return Contribution(self.plan, self.base).name(member(self.actor))

    @property
    def accepted(self) -> bool:
        return any(answer.status_code == 200 for answer in self.answers)


class Crowd:
    """All of them at one plan."""

    def __init__(self, engine: Engine, clients: Clients, plan: Resource) -> None:
        self.engine = engine
        self.clients = clients
        self.id: str = plan["id"]
        self.seen = dict.fromkeys(DISCIPLINES, plan)
        self.sent: list[Sent] = []
        self.referral = Referral(plan["subject"]["reference"], discipline="nutrition")
        self._numbers = count(1)
        self._told = 0

    async def take(self, move: Move) -> None:
        """One move; its answers are noted."""
        actor = DISCIPLINES[move.actor]
        if move.kind == "event":
            await self._tell()
            return
        if move.kind == "again":
            if self.sent:
                await self._send(self.sent[move.pick % len(self.sent)])
            return
        if move.looks:
            self.seen[actor] = (await self.clients[actor].get(f"CarePlan/{self.id}")).json()
        request = self._edited(actor, move)
        self.sent.append(request)
        await asyncio.gather(*(self._send(request) for _ in range(move.times if move.kind == "contribute" else 1)))
        answer = request.answers[-1]
        if answer.status_code == 200 and move.pick % 2:
            self.seen[actor] = answer.json()

    async def _tell(self) -> None:
        """The next thing that happens to a referral of this patient; two at once may tell the same."""
        steps = ("received", "accepted", "scheduled", "completed")
        step = steps[min(self._told, len(steps) - 1)]
        self._told += 1
        assert step in STEPS
        await hear(self.engine, self.referral.event(step))

    async def _send(self, request: Sent) -> None:
        client = self.clients[request.actor]
        if request.kind == "put":
            headers = {"If-Match": f'W/"{request.base}"'}
            answer = await client.put(f"CarePlan/{self.id}", json=request.plan, headers=headers)
        else:
            answer = await contribute(client, request.plan)
        request.answers.append(answer)

    def _edited(self, actor: str, move: Move) -> Sent:
        plan, words = deepcopy(self.seen[actor]), []
        for what, pick in move.edits:
            own = [each for each in plan.get("activity", ()) if _owner(each) == actor]
            word = f"word{next(self._numbers)}."
            if what == "note":
                plan.setdefault("note", []).append({"text": word})
            elif what == "description":
                plan["description"] = word
            elif what == "add" or not own:
                new = activity(None, None, word)
                del new["detail"]["code"]
                plan.setdefault("activity", []).append(new)
            elif what == "remove":
                plan["activity"].remove(own[pick % len(own)])
                continue
            elif what == "progress":
                own[pick % len(own)].setdefault("progress", []).append({"text": word})
            else:
                own[pick % len(own)].setdefault("detail", {"status": "scheduled"})["description"] = word
            words.append(word)
        said = dumps(plan)
        return Sent(
            actor,
            "put" if move.kind == "put" else "contribute",
            {key: value for key, value in plan.items() if value != []},
            tuple(word for word in words if word.encode() in said),
        )


def _owner(activity: Resource) -> str | None:
    extensions = [each for each in activity.get("extension", ()) if each["url"].endswith("activity-discipline")]
    follows = any(each["url"].endswith("activity-task") for each in activity.get("extension", ()))
    return None if follows or not extensions else extensions[0]["valueCode"]


@dataclass(frozen=True)
class Version:
    """One version of the plan; ``name``: of the contribution that made it."""

    number: int
    text: bytes
    name: str | None


async def versions_of(engine: Engine, plan_id: str) -> list[Version]:
    """All versions, oldest first."""
    rows = await engine.pool.fetch(
        "SELECT version, body FROM resource_history WHERE type = 'CarePlan' AND id = $1 ORDER BY version", plan_id
    )
    records = await engine.pool.fetch("SELECT body FROM resource WHERE type = 'Provenance'")
    names: dict[int, str] = {}
    for record in map(loads, (row["body"] for row in records)):
        for target in record["target"]:
            plan, _, version = target["reference"].partition("/_history/")
            if plan == f"CarePlan/{plan_id}" and "entity" in record:
                names[int(version)] = record["entity"][0]["what"]["identifier"]["value"]
    return [Version(row["version"], row["body"], names.get(row["version"])) for row in rows]


def check_book(sent: list[Sent], versions: list[Version], first: int) -> dict[str, int]:
    """Every word that was acknowledged is in the plan, once, until somebody who had seen it took it away; no other is.

    Returns what was counted."""
    made: dict[int, Sent] = {}
    by_name = {each.name: each for each in sent if each.kind == "contribute"}
    for version in versions:
        if version.name is not None:
            made[version.number] = by_name[version.name]
    for each in sent:
        made |= {_version(answer): each for answer in each.answers if each.kind == "put" and answer.status_code == 200}
    names = [version.name for version in versions if version.name is not None]
    assert len(names) == len(set(names)), "a contribution was brought in twice"
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    for each in sent:
        _check_answers(each, made)
        for word in each.words:
            _check_word(word, each, versions, made)
    return {
        "sent": len(sent),
        "accepted": sum(each.accepted for each in sent),
        "refused": sum(not each.accepted for each in sent),
        "answers": sum(len(each.answers) for each in sent),
        "versions": len(versions) - first,
    }


def _check_answers(sent: Sent, made: dict[int, Sent]) -> None:
    for answer in sent.answers:
        assert answer.status_code in ((200, 412) if sent.kind == "put" else (200, 409)), answer.text
        if answer.status_code == 200:
            continue
        (diff,) = answer.json()["contained"]
        told = [each for each in diff["parameter"] if each["name"] == "element"]
        conflicts = [each for each in told if {"name": "conflict", "valueBoolean": True} in each["part"]]
        assert told or sent.kind == "put"
        assert conflicts or sent.kind == "put", "a refusal tells of no conflict"
    if sent.accepted and sent.words:
        version = next((number for number, each in made.items() if each is sent), None)
        assert version is not None, "what was acknowledged made no version"
        late = [answer for answer in sent.answers if answer.status_code == 409 and _version(answer) >= version]
        assert not late, "what is in the plan was refused when it came again"


def _check_word(word: str, sent: Sent, versions: list[Version], made: dict[int, Sent]) -> None:
    found = [version.text.count(word.encode()) for version in versions]
    assert max(found) <= 1, "something is there twice"
    there = [version.number for version, times in zip(versions, found, strict=True) if times]
    if not sent.accepted:
        assert not there, "what was refused is in the plan"
        return
    assert there, "what was acknowledged is lost"
    assert made[there[0]] is sent
    assert there == list(range(there[0], there[-1] + 1)), "what was taken away came back"
    if there[-1] < len(versions):
        by = made[there[-1] + 1]
        assert there[0] <= by.base, "somebody took away what they had not seen"


def _version(answer: httpx.Response) -> int:
    return int(answer.headers["etag"].removeprefix('W/"').rstrip('"'))
