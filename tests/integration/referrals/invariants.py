"""What holds of a few referrals and their orders at any time, whoever did what; read from the database."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from services.referrals.app.place import calendar_of_place
from services.referrals.domain.events import happened_between
from services.referrals.domain.standing import follows
from services.referrals.store import referrals
from shared.engine import Engine
from shared.fhir.json import loads
from shared.security.caller import Caller, Role
from tests.factories.referrals import BACK_END
from tests.integration.referrals.crowd import Answered, World
from tests.integration.referrals.ways.table import MISTAKE, State, actors_of

Resource = dict[str, Any]
ENDED = {"rejected", "cancelled", "failed", "completed", MISTAKE}
ENDED_ORDERS = {"revoked", "completed", MISTAKE}
ASSIGNABLE = {"draft", "requested", "received", "ready"}


@dataclass(frozen=True, slots=True)
class Version:
    """One version as it is in the history."""

    number: int
    at: datetime
    body: Resource


History = list[Version]


async def read(engine: Engine, world: World) -> dict[str, History]:
    """The history of every Task and order, by reference."""
    keys = [*(f"Task/{id}" for id in world.tasks), *(f"ServiceRequest/{id}" for id in world.orders)]
    rows = await engine.pool.fetch(
        "SELECT type || '/' || id AS key, version, last_updated, body FROM resource_history"
        " WHERE type || '/' || id = ANY ($1::text[]) AND id = ANY ($2::text[]) ORDER BY version",
        *(keys, [*world.tasks, *world.orders]),
    )
    found: dict[str, History] = {key: [] for key in keys}
    for row in rows:
        found[row["key"]].append(Version(row["version"], row["last_updated"], loads(row["body"])))
    return found


def check_answers(histories: dict[str, History], answers: Iterable[Answered]) -> dict[tuple[str, int], Caller]:
    """Every accepted change is one version, which brought in what it said; no refused one is anywhere. Who made it."""
    made: dict[tuple[str, int], Caller] = {}
    for each in answers:
        bearing = {
            (key, version.number)
            for key, history in histories.items()
            for older, version in zip([None, *history], history, strict=False)
            if _bears(version.body, each.token) and not (older and _bears(older.body, each.token))
        }
        if each.status < 300:
            assert (each.resource, each.version) in bearing, f"lost: {each}"
            assert (each.resource, each.version) not in made, f"two changes are one version: {each}"
            made[each.resource, each.version] = each.caller
        else:
            assert not bearing, f"refused, and there: {each}"
    return made


def check_history(key: str, history: History, made: dict[tuple[str, int], Caller], moments: set[datetime]) -> None:
    """No version is missing, and each is reached from the one before by a row of the table for whoever made it."""
    assert [version.number for version in history] == list(range(1, len(history) + 1)), key
    for before, after in pairwise(history):
        by, source, target = made.get((key, after.number)), state(before.body), state(after.body)
        where = f"{key}, version {after.number}, {by and by.subject}: {source} -> {target}"
        assert by or after.at in moments, f"nobody asked for {where}"
        if key.startswith("ServiceRequest/"):
            assert before.body["status"] not in ENDED_ORDERS or after.body["status"] in (before.body["status"], MISTAKE)
            continue
        # what follows from the order is done for both sides
        actors = frozenset({"initiator", "recipient"}) if by is None else sides(before.body, after.body, by)
        assert actors, f"a stranger: {where}"
        if source != target:
            assert actors_of(source, target) & actors, where
            assert source[0] not in ENDED or target[0] == MISTAKE, f"an end that was left: {where}"
        old, new = before.body.get("owner"), after.body.get("owner")
        assert new is None or isinstance(new, dict), where
        if old != new and before.body["status"] not in ASSIGNABLE:
            assert by is BACK_END, f"it changed hands: {where}"
            assert source[0] not in ENDED or before.body.get("owner") is None, where


async def check_projection(engine: Engine, id: str, history: History, made: dict[tuple[str, int], Caller]) -> int:
    """The row is the fold of the Task, and what happened is what was told. How many events there are."""
    standing, older = None, None
    for version in history:
        happened = happened_between(older, version.body)
        standing = follows(standing, older, version.body, happened, version.at, calendar_of_place())
        older = version.body
    assert (await referrals.read(engine.pool, [id]))[id] == standing, id
    moments = await engine.pool.fetch("SELECT * FROM referral_moment WHERE task = $1 ORDER BY number", id)
    versions = {version.number: state(version.body) for version in history}
    assert [row["version"] for row in moments] == sorted({row["version"] for row in moments}), id
    for row in moments:
        by = made.get((f"Task/{id}", row["version"]))
        assert versions[row["version"]] == (row["status"], row["business_status"] or "")
        assert by is None or row["who"] == (by.fhir_user or by.subject), row
    telling = [
        (f"referral.{row['what']}.v1", row["version"])
        for row in moments
        if row["what"] != "drafted" and not (row["what"] == "updated" and row["status"] in ("draft", MISTAKE))
    ]
    events = await engine.pool.fetch(
        "SELECT type, envelope FROM outbox WHERE subject = $1 AND type NOT LIKE 'record.%' ORDER BY seq", f"Task/{id}"
    )
    assert [(row["type"], json.loads(row["envelope"])["data"]["version"]) for row in events] == telling, id
    return len(events)


def check_agreement(world: World, now: dict[str, Resource], before: dict[str, Resource]) -> None:
    """An order and its referrals agree; ``before``: as they were before this round."""
    for id in world.orders:
        order = now[f"ServiceRequest/{id}"]["status"]
        own = {f"Task/{task}" for task in world.tasks if _order(now[f"Task/{task}"]) == id}
        going_on = {key: state(now[key]) for key in own if now[key]["status"] not in ENDED}
        if order == "revoked":
            assert set(going_on.values()) <= {("in-progress", "5.2")}, f"{id} was revoked, {going_on}"
        elif order in ENDED_ORDERS:
            assert not going_on, f"{id} is {order}, {going_on}"
        elif order == "draft":
            assert {each[0] for each in going_on.values()} <= {"draft"}, f"{id} is a draft, {going_on}"
        fulfilled = {key for key in own if now[key]["status"] == "completed" != before.get(key, {}).get("status")}
        others = {key for key in own - fulfilled if key not in before or before[key]["status"] not in ENDED}
        if fulfilled and not others:
            assert order in ENDED_ORDERS, f"{id} is {order}, and all of it was fulfilled"


def state(task: Resource) -> State:
    """The state of a Task."""
    (coding,) = task["businessStatus"]["coding"] if "businessStatus" in task else ({"code": ""},)
    return task["status"], coding["code"]


def sides(before: Resource, after: Resource, caller: Caller) -> frozenset[str]:
    """On which sides of a Task ``caller`` stood, with an offer of it as who takes it or gives it back."""
    if caller is BACK_END:
        return frozenset({"initiator", "recipient"})
    found = set()
    if caller.role is Role.COORDINATOR or _names(before.get("requester"), caller):
        found.add("initiator")
    offers = (before.get("restriction") or {}).get("recipient", ())
    has_offer = any(_names(each, caller) for each in offers)
    takes = after["status"] in ("received", "accepted") and _names(after.get("owner"), caller)
    if _names(before.get("owner"), caller) or (not before.get("owner") and (has_offer or (takes and not offers))):
        found.add("recipient")
    return frozenset(found) if caller.role is not Role.PATIENT else frozenset()


def _names(element: Any, caller: Caller) -> bool:
    return (element or {}).get("reference") in caller.references


def _order(task: Resource) -> str:
    id: str = task["focus"]["reference"].partition("/")[2]
    return id


def _bears(body: Resource, token: str) -> bool:
    notes = [note["text"] for note in body.get("note", ())]
    return token in (body.get("description"), body.get("patientInstruction"), *notes)
