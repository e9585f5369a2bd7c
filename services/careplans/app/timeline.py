"""What happened to a plan and its team, version by version: who did it, why, and in a line for people."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, chain

from services.careplans.app.queries import plan
from services.careplans.domain.accounts import UNKNOWN, Account, accounts_in
from services.careplans.domain.facts import PlanFact, What, plan_facts, team_facts
from services.careplans.domain.merging import differences
from services.careplans.domain.places import activities_by_place
from services.careplans.domain.telling import lines
from services.careplans.store import plan_accounts, shared_plans
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.search.access import condition
from shared.giving_way import give_way
from shared.provenance import TYPE as PROVENANCE
from shared.security.caller import Caller
from shared.store import resources
from shared.store.resources import Past, Stored

NEWEST = 2**31 - 1
_FACTS: Mapping[str, Callable[[Resource | None, Resource | None], tuple[PlanFact, ...]]] = {
    "CarePlan": plan_facts,
    "CareTeam": team_facts,
}


@dataclass(frozen=True, slots=True)
class By:
    """Who did it. The reference is relative; a system that is no resource here has none."""

    reference: str | None
    role: str | None
    discipline: str | None


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, in the version (of the plan or of its team) that brought it."""

    at: datetime
    resource: str
    version: int
    what: str
    changed: tuple[str, ...]
    status: str | None
    activity: str | None
    activity_status: str | None
    discipline: str | None
    by: By | None = None
    """None where nothing is recorded of it any more."""
    reason: str | None = None
    """Why, in the words of who did it."""
    summary: tuple[str, ...] = ()
    """Of an update of the plan: a line for each element that changed."""


async def timeline(engine: Engine, caller: Caller, plan_id: str, *, limit: int) -> list[Moment]:
    """What happened to the plan and its team in their newest ``limit`` versions each, in order.

    Raises ``NotFound`` or ``Gone``."""
    await plan(engine, caller, plan_id)
    histories = [await versions_of(engine, "CarePlan", plan_id, limit)]
    team_id = await shared_plans.team_of(engine.pool, plan_id)
    if team_id is not None:
        histories.append(await versions_of(engine, "CareTeam", team_id, limit))
    accounts = await accounts_of(engine, caller, [past.stored for history in histories for past in history])
    moments: list[Moment] = []
    for moment in chain.from_iterable(_moments(history, limit, accounts) for history in histories):
        await give_way(len(moments))
        moments.append(moment)
    return sorted(moments, key=_in_order(histories))


async def moments_of(engine: Engine, plan_id: str, *, limit: int) -> list[Moment]:
    """What happened, without by whom and why, for a plan that the caller is known to see."""
    team_id = await shared_plans.team_of(engine.pool, plan_id)
    named = [("CarePlan", plan_id), *((("CareTeam", team_id),) if team_id is not None else ())]
    histories = [await versions_of(engine, type_, id_, limit) for type_, id_ in named]
    moments = chain.from_iterable(_moments(history, limit, {}) for history in histories)
    return sorted(moments, key=_in_order(histories))


def _in_order(histories: Iterable[list[Past]]) -> Callable[[Moment], tuple[datetime, str, int]]:
    """By time; a version that says to be older than the one before it (it waited for that one) comes after it."""
    latest: dict[tuple[str, int], datetime] = {}
    for history in histories:
        times = accumulate((past.stored.last_updated for past in history), max)
        latest |= {(_name(past.stored), past.stored.version): at for past, at in zip(history, times, strict=True)}
    return lambda moment: (latest[moment.resource, moment.version], moment.resource, moment.version)


def _name(stored: Stored) -> str:
    return f"{stored.type}/{stored.id}"


async def accounts_of(engine: Engine, caller: Caller, versions: Iterable[Stored]) -> dict[str, Account]:
    """Who made each of ``versions``, and why, by its reference (``CarePlan/x/_history/3``)."""
    known = list(versions)
    seen = condition(engine.access(caller), (PROVENANCE,))
    targets = {(each.type, each.id) for each in known}
    moments = list({each.last_updated for each in known})
    return accounts_in(await plan_accounts.of_versions(engine.pool, targets, moments, seen=seen))


async def versions_of(engine: Engine, type_: str, id_: str, limit: int) -> list[Past]:
    """The newest versions, oldest first, with one more before them to compare the oldest with."""
    newest_first = await resources.history(engine.pool, type_, id_, below=NEWEST, limit=limit + 1)
    return newest_first[::-1]


def _moments(versions: list[Past], limit: int, accounts: Mapping[str, Account]) -> Iterable[Moment]:
    before: Resource | None = None
    for place, past in enumerate(versions):
        stored = past.stored
        after = None if stored.deleted else loads(stored.body)
        # retention may have let go of the versions before it: then there is nothing to compare the oldest with
        if place > 0 or (len(versions) <= limit and stored.version == 1):
            account = accounts.get(f"{_name(stored)}/_history/{stored.version}")
            for fact in _FACTS[stored.type](before, after):
                yield _moment(stored, fact, account, _summary(fact, before, after, account))
        before = after


def _moment(stored: Stored, fact: PlanFact, account: Account | None, summary: tuple[str, ...]) -> Moment:
    return Moment(
        at=stored.last_updated,
        resource=_name(stored),
        version=stored.version,
        what=fact.what,
        changed=fact.changed,
        status=fact.status,
        activity=fact.activity,
        activity_status=fact.activity_status,
        discipline=fact.discipline,
        by=By(account.reference, account.role, account.discipline) if account else None,
        reason=account.reason if account else None,
        summary=summary,
    )


def _summary(
    fact: PlanFact, before: Resource | None, after: Resource | None, account: Account | None
) -> tuple[str, ...]:
    if fact.what != What.UPDATED or before is None or after is None:
        return ()
    return tuple(lines(differences(before, after), account or UNKNOWN, *map(activities_by_place, (after, before))))
