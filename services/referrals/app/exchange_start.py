"""Put down which referrals are carried on with another system, in the transaction that changes their Task."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from services.referrals.app.following import FOLLOWING
from services.referrals.domain.exchange_news import EXCHANGE
from services.referrals.domain.exchange_route import Route, route, to_look_up
from services.referrals.domain.exchange_states import sent_as
from services.referrals.domain.references import same_target
from services.referrals.domain.referral import is_referral
from services.referrals.domain.states import TERMINAL, state_of
from services.referrals.settings import ExchangeSettings
from services.referrals.store import exchanges
from services.referrals.store.exchanges import New
from shared.engine import Changed, Projection
from shared.fhir.json import Resource, loads
from shared.security.caller import Caller
from shared.store import resources
from shared.store.database import Connection


@lru_cache(maxsize=1)
def exchanges_referrals() -> bool:
    """Whether this installation has partners. Raises ``ValidationError`` where its settings do not hold."""
    return ExchangeSettings().partners_file is not None


async def begin(connection: Connection, changes: Sequence[Changed], caller: Caller) -> None:
    """Put down what ``changes`` by ``caller`` mean to exchanges: begun, due, or to be withdrawn."""
    concerned = [changed for changed in changes if _concerns(changed)]
    if not concerned or not exchanges_referrals():
        return
    versions = {changed.stored.id: changed.stored.version for changed in concerned}
    now = concerned[-1].stored.last_updated
    # what the other side said, it need not be told
    await exchanges.moved(connection, versions, now, due=caller.subject != EXCHANGE)
    for changed in concerned:
        if changed.after is not None and _asks_somebody(changed.before, changed.after):
            await _ask(connection, changed.after, changed, now)


def _concerns(changed: Changed) -> bool:
    return any(each is not None and is_referral(each) and _is_sent(each) for each in (changed.before, changed.after))


def _is_sent(task: Resource) -> bool:
    return bool(task["status"] != "draft")


def _asks_somebody(before: Resource | None, after: Resource) -> bool:
    """Whether somebody is asked now who was not asked before."""
    if not is_referral(after) or not _is_sent(after) or after["status"] in TERMINAL:
        return False
    return before is None or not _is_sent(before) or not same_target(before.get("owner"), after.get("owner"))


async def _ask(connection: Connection, task: Resource, changed: Changed, now: datetime) -> None:
    found = await _route(connection, task)
    id_ = changed.stored.id
    if changed.before is not None:
        await exchanges.leave(connection, id_, but=[] if found is None else [found.endpoint], now=now)
    if found is not None:
        agreed = str(sent_as(state_of(task)))
        who = (found.organization, found.practitioner)
        new = New(id_, found.endpoint, found.address, *who, agreed, changed.stored.version)
        await exchanges.put_down(connection, new, now)


async def _route(connection: Connection, task: Resource) -> Route | None:
    known: dict[str, Resource] = {}
    asked: set[str] = set()
    while wanted := to_look_up(task.get("owner"), known) - asked:
        asked |= wanted
        keys = [(type_, id_) for type_, _, id_ in (reference.partition("/") for reference in sorted(wanted))]
        found = await resources.read_many(connection, keys)
        known |= {f"{one.type}/{one.id}": loads(one.body) for one in found if not one.deleted}
    return route(task.get("owner"), known)


async def _keep(connection: Connection, changes: Sequence[Changed], caller: Caller) -> None:
    await FOLLOWING.keep(connection, changes, caller)
    await begin(connection, changes, caller)


PROJECTION = Projection(FOLLOWING.types, _keep)
"""All that the service's own tables keep about Tasks."""
