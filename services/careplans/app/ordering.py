"""Bringing orders to the referrals' service, over its FHIR API: a transaction that makes both resources or none.

Both are created under ids that come from the decision, and only where they are not there yet: an attempt that was lost
on either way is made again without a second effect.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

import asyncpg

from services.careplans.app.attempts import attempted
from services.careplans.domain.codes import reference_of
from services.careplans.domain.proposals.codes import REFUSED
from services.careplans.domain.proposals.offered import offered
from services.careplans.domain.proposals.order import order_of
from services.careplans.domain.proposals.pace import DELAYS, again
from services.careplans.domain.proposals.recorded import latest
from services.careplans.domain.rules import KEEPER
from services.careplans.domain.shared_plan import with_referrals
from services.careplans.store import followed_referrals, orders, shared_plans
from services.careplans.store.orders import Order, Stands
from shared.engine import Engine
from shared.errors import Unavailable
from shared.fhir.json import Resource, loads
from shared.store import resources
from shared.store.losses import DATABASE_LOSSES
from shared.telemetry.failures import class_of
from shared.unit_of_work import unit_of_work

log = logging.getLogger(__name__)

OWNER = "referrals"
NOT_IN_DIRECTORY: Resource = {"display": "A person who is not in the directory"}
"""The requester of an order that somebody decided on whom the directory does not have."""
AT_ONCE = 1
"""Orders that one claim takes: its two requests may take as long as the lease."""
CONFLICTS = 5
"""Attempts after which a conflict (409) is a refusal: it may be another change of the same moment."""


async def send_due(engine: Engine, *, delays: tuple[timedelta, ...] = tuple(DELAYS)) -> bool:
    """Send what is due; whether there was something. Any number of workers may do so side by side."""
    due = await orders.claim(engine.pool, limit=AT_ONCE, now=engine.clock())
    for order in due:
        error = await attempted(_send(engine, order))
        if error is None:
            continue
        if isinstance(error, (asyncpg.PostgresError, *DATABASE_LOSSES)):
            raise error
        if not isinstance(error, Unavailable):
            # a record that is not as it should be: the other orders do not wait for it
            log.error("an order to the referrals' service broke: %s", class_of(error))
        await orders.later(engine.pool, order.task, again(order.failures + 1, engine.clock(), delays))
    return bool(due)


async def _send(engine: Engine, order: Order) -> None:
    assert engine.peers is not None, "a worker knows its peers"
    bundle = await _bundle(engine, order)
    status = await engine.peers.submit(OWNER, bundle)
    # 412: it is there already, from an attempt of which nobody heard
    if status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.PRECONDITION_FAILED:
        await orders.settle(engine.pool, order.task, Stands.MADE)
    elif status == HTTPStatus.CONFLICT and order.failures < CONFLICTS:
        raise Unavailable("The referrals' service had a conflict with somebody else's change, or says no for good.")
    else:
        await _refused(engine, order, status)


async def _bundle(engine: Engine, order: Order) -> Resource:
    stored = await resources.read(engine.pool, *_key(order.request_group))
    assert stored is not None, "a proposal that was decided on is not deleted"
    group = loads(stored.body)
    offer, recorded = offered(group)[order.action], latest(group)[order.action]
    if not await _is_in_directory(engine, reference_of(recorded.by)):
        recorded = replace(recorded, by=NOT_IN_DIRECTORY)
    made = order_of(offer, recorded, order.request_group, f"CarePlan/{order.care_plan}")
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(resource) for resource in made]}


async def _is_in_directory(engine: Engine, reference: str | None) -> bool:
    """Whether the referrals' service knows whoever decided: it refuses a reference that leads nowhere."""
    assert engine.peers is not None, "a worker knows its peers"
    return reference is not None and await engine.peers.get(OWNER, reference) is not None


def _entry(resource: Resource) -> Resource:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url, "ifNoneMatch": "*"}}


async def _refused(engine: Engine, order: Order, status: int) -> None:
    """Say so in the proposal, and in the plan: nobody will carry it out as it is."""
    async with unit_of_work(engine, KEEPER) as work:
        connection = await work.connection()
        await shared_plans.lock(connection, order.care_plan)
        if not await orders.settle(connection, order.task, Stands.REFUSED):
            return  # another attempt, of another worker, came to an end
        known = (await followed_referrals.of_plan(connection, order.care_plan))[order.task]
        stored, plan = (await work.load(*_key(order.request_group)), await work.load("CarePlan", order.care_plan))
        if known.version == 0:
            failed = replace(known, status="failed")
            await followed_referrals.keep(connection, order.care_plan, failed)
            if plan is not None and not plan.deleted:
                await work.update(with_referrals(loads(plan.body), [failed]))
        if stored is not None and not stored.deleted:
            group = loads(stored.body)
            parts = [{"url": "task", "valueString": order.task}, {"url": "code", "valueCode": f"http-{status}"}]
            told = {"url": REFUSED, "extension": parts}
            await work.update(group | {"extension": [*group["extension"], told]})
        await work.commit()


def _key(reference: str) -> tuple[str, str]:
    type_, _, id_ = reference.partition("/")
    return type_, id_
