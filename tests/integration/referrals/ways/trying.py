"""Try many steps on Tasks in one state, and see that what is refused leaves nothing behind."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx

from shared.fhir.json import loads
from shared.security.caller import Caller
from tests.factories.referrals import BACK_END, COORDINATOR, OWNER, REQUESTER, STRANGER, order, reference, task
from tests.factories.resources import bundle, entry
from tests.integration.referrals.ways.table import Attempt, State, answer, named, owes_reason, targets_of, told

Resource = dict[str, Any]
Change = tuple[Resource, Resource]
"""A Task as it is, in version 1, and as it should become."""
One = Callable[[httpx.AsyncClient, Change], Awaitable[int]]
Way = Callable[[httpx.AsyncClient, Sequence[Change]], Awaitable[list[int]]]
"""Asks for changes; the HTTP status of the answer to each."""
Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]
"""Rows of a statement with its arguments."""
CALLERS = (REQUESTER, OWNER, STRANGER, COORDINATOR)
SEEN = 'W/"1"'
VISIT = {"type": {"text": "visit"}, "valueReference": {"display": "at nine"}}


@dataclass(frozen=True, slots=True)
class Place:
    """Where all of it happens."""

    by: Callable[[Caller], httpx.AsyncClient]
    """A client for requests by a caller."""
    fetch: Fetch
    """Rows of the service's database."""
    fhir: str = ""
    """The address of the FHIR API for its clients."""


def attempts(
    source: State, callers: Sequence[Caller] = CALLERS, targets: Sequence[State] | None = None
) -> list[Attempt]:
    """All that ``callers`` may try from ``source``; a step that would be legal also without its reason."""
    goals = targets_of(source) if targets is None else targets
    found = [Attempt(caller, source, target) for caller in callers for target in goals]
    found += [replace(each, news=True) for each in found if each.target == source]
    return found + [replace(each, reason=False) for each in found if answer(each) == 200 and owes_reason(each.target)]


def kept(id: str, state: State) -> Resource:
    """The Task ``id`` as it was brought in; its order has the same id."""
    focus, requester = reference(f"ServiceRequest/{id}"), reference("Organization/pain-clinic")
    return task(state[0], state[1] or None, id=id, focus=focus, requester=requester)


def changed(before: Resource, attempt: Attempt) -> Resource:
    """The Task as it should become."""
    after = kept(before["id"], attempt.target)
    if not attempt.reason:
        del after["statusReason"]
    if attempt.news:
        return after | {"output": [VISIT]}
    return after | ({"description": "Once more."} if attempt.source == attempt.target else {})


async def seed(place: Place, ids: Iterable[str], state: State) -> None:
    """Tasks in ``state``, and an order for each, brought in by a back end in one Bundle."""
    entries = []
    for id in ids:
        focus = order(id=id)
        entries += [entry("PUT", f"{one['resourceType']}/{id}", one) for one in (focus, kept(id, state))]
    said = await place.by(BACK_END).post(place.fhir, json=bundle("transaction", *entries))
    assert said.status_code == 200, said.text


def one_by_one(way: One) -> Way:
    """A way that takes one change at a time."""

    async def ask(client: httpx.AsyncClient, changes: Sequence[Change]) -> list[int]:
        return [await way(client, change) for change in changes]

    return ask


async def check(
    place: Place, mark: str, way: Way, tried: Sequence[Attempt], *, name: Callable[[str], str] = str
) -> None:
    """Every one of ``tried``, all from one state, has the answer and the effect of the tables through ``way``.

    What should be refused is tried on one Task, which stays as it is; what should be accepted on one each.
    ``name``: the id under which a Task that its sender calls so is kept."""
    source, mark = tried[0].source, name(f"{mark}-0")
    legal = [each for each in tried if answer(each) == 200]
    fresh = {name(f"{mark}-{number}"): each for number, each in enumerate(legal)}
    await seed(place, (mark, *fresh), source)
    before = await standing(place.fetch, mark)
    await ask(place, way, [(mark, each) for each in tried if answer(each) != 200])
    assert await standing(place.fetch, mark) == before, "a refused step left something behind"
    await ask(place, way, list(fresh.items()))
    await check_accepted(place.fetch, fresh)


async def ask(place: Place, way: Way, tried: Sequence[tuple[str, Attempt]]) -> None:
    """Every attempt, with the Task (by id) that it is made on, is answered as the tables say."""
    wrong = []
    for caller in {each.caller: None for _, each in tried}:
        own = [(id, each) for id, each in tried if each.caller is caller]
        old = [kept(id, each.source) for id, each in own]
        changes = [(before, changed(before, each)) for before, (_, each) in zip(old, own, strict=True)]
        answered = await way(place.by(caller), changes)
        for (_, each), status in zip(own, answered, strict=True):
            if status != answer(each):
                wrong.append(f"{_said(each)}: {status} instead of {answer(each)}")
    assert not wrong, "\n".join(wrong)


async def check_accepted(fetch: Fetch, accepted: dict[str, Attempt]) -> None:
    """Each Task (by id) is in its target, in version 2; its row, what happened and what was told agree."""
    for id, each in accepted.items():
        now, old = await standing(fetch, id), _opened(each.source)
        assert now["versions"] == [1, 2], _said(each)
        assert now["task"] == now["row"] == (2, *each.target), _said(each)
        moments, events = now["moments"], now["events"]
        assert [moment[:3] for moment in moments][1:] == [(2, *each.target)], _said(each)
        news = events[old:]
        assert len(news) == bool(told(each)), f"{_said(each)} told {news}"
        assert set(news) <= {f"referral.{event}.v1" for event in told(each)}, f"{_said(each)} told {news}"
        if news:
            assert moments[-1][3] == news[0].split(".")[1]
        ended = each.source[0] != "completed" == each.target[0]
        assert now["order"] == ("completed" if ended else "active"), _said(each)


async def standing(fetch: Fetch, id: str) -> dict[str, Any]:
    """All that there is of a referral: versions, the newest, its row, what happened, what was told, its order."""
    history = await fetch("SELECT version FROM resource_history WHERE type = 'Task' AND id = $1 ORDER BY version", id)
    now = await fetch("SELECT type, body FROM resource WHERE id = $1 AND type IN ('Task', 'ServiceRequest')", id)
    bodies = {row["type"]: loads(row["body"]) for row in now}
    rows = await fetch("SELECT version, status, coalesce(business_status, '') FROM referral WHERE task = $1", id)
    moments = await fetch(
        "SELECT version, status, coalesce(business_status, ''), what FROM referral_moment WHERE task = $1"
        " ORDER BY number",
        id,
    )
    events = await fetch(
        "SELECT type FROM outbox WHERE subject = $1 AND type NOT LIKE 'record.%' ORDER BY seq", f"Task/{id}"
    )
    found = bodies["Task"]
    (coding,) = found["businessStatus"]["coding"] if "businessStatus" in found else ({"code": ""},)
    return {
        "versions": [row["version"] for row in history],
        "task": (int(found["meta"]["versionId"]), found["status"], coding["code"]),
        "row": tuple(rows[0]),
        "moments": [tuple(row) for row in moments],
        "events": [row["type"] for row in events],
        "order": bodies["ServiceRequest"]["status"],
    }


def _opened(source: State) -> int:
    """How many events told that a Task came in ``source``."""
    return 0 if source[0] in ("draft", "entered-in-error") else 1


def _said(each: Attempt) -> str:
    extra = ("" if each.reason else " without a reason") + (" with a visit" if each.news else "")
    return f"{each.caller.subject}: {named(each.source)} -> {named(each.target)}{extra}"
