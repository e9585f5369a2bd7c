"""What is stored after all the killing: read straight from the databases, past the code that wrote it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import asyncpg

from consilium.assembly import SERVICES
from services.careplans.domain.codes import ACTIVITY_STATUS, extension_value, followed_task, is_shared_plan
from services.notifications.domain.rules import RULES
from shared.errors import NotFound
from shared.fhir.json import Resource, loads
from shared.messaging.transports.rabbitmq import RabbitTransport
from shared.process.databases import BUS
from shared.worker import queue_of
from tests.e2e.referring import Sent

CAREPLANS, EVENTS = "careplans.referrals", "notifications.events"


async def _depth(broker: RabbitTransport, queue: str) -> int:
    """How many messages wait in ``queue``; one that is not declared yet has still to be waited for."""
    try:
        return await broker.depth(queue)
    except NotFound:
        raise AssertionError(f"{queue} is not there yet") from None


@dataclass
class Evidence:
    """The databases of one installation and its broker, if it has one."""

    databases: Mapping[str, str]
    amqp_url: str | None = None
    _open: dict[str, asyncpg.Connection] = field(default_factory=dict)

    async def rows(self, database: str, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """What ``statement`` finds."""
        if database not in self._open or self._open[database].is_closed():
            self._open[database] = await asyncpg.connect(self.databases[database])
        found: list[asyncpg.Record] = await self._open[database].fetch(statement, *arguments)
        return found

    async def close(self) -> None:
        """Let go of the databases."""
        for connection in self._open.values():
            await connection.close()

    async def resources(self, database: str, type_: str) -> list[Resource]:
        """All resources of a type that are not deleted."""
        rows = await self.rows(database, "SELECT body FROM resource WHERE type = $1 AND NOT deleted", type_)
        return [loads(row["body"]) for row in rows]

    async def events(self, database: str) -> list[tuple[str, str]]:
        """(id, type) of all events that a service ever put down, but for those that copies are kept by."""
        rows = await self.rows(database, "SELECT event_id, type FROM outbox WHERE type NOT LIKE 'record.%'")
        return [(row[0], row[1]) for row in rows]

    async def copied(self) -> bool:
        """Every service has what others own, as they have it."""
        for service in SERVICES:
            for type_, owner in service.copied.items():
                mine, theirs = await self._versions(service.name, type_), await self._versions(owner, type_)
                assert mine == theirs, (
                    f"{service.name} has {len(mine)} {type_}, {owner} {len(theirs)}, or other versions"
                )
        return True

    async def _versions(self, database: str, type_: str) -> set[tuple[str, int, bytes]]:
        rows = await self.rows(
            database, "SELECT id, version, body FROM resource WHERE type = $1 AND NOT deleted", type_
        )
        return {(row["id"], row["version"], row["body"]) for row in rows}

    async def drained(self) -> bool:
        """Nothing waits in an outbox, nothing was set aside there, nothing waits in a queue, nothing is dead."""
        for service in SERVICES:
            (row,) = await self.rows(service.name, "SELECT count(*) FROM outbox WHERE published_at IS NULL")
            assert row[0] == 0, f"{row[0]} events wait in the outbox of {service.name}"
        if self.amqp_url is None:
            rows = await self.rows(BUS, "SELECT queue, count(*), count(dead_at) FROM bus_message GROUP BY queue")
            assert not rows, f"left on the bus: {[tuple(row) for row in rows]}"
            return True
        broker = RabbitTransport(self.amqp_url)
        try:
            for binding in (binding for service in SERVICES for binding in service.bindings):
                assert await _depth(broker, binding.queue) == 0, f"{binding.queue} is not empty"
                for name in (queue_of(binding).retry(number) for number in range(1, 6)):
                    assert await _depth(broker, name) == 0, f"{name} is not empty"
                dead = await broker.dead_list(binding.queue)
                assert not dead, f"dead letters: {[(letter.type, letter.reason) for letter in dead]}"
        finally:
            await broker.close()
        return True

    async def all_heard(self) -> bool:
        """Every event had its one effect at each of its consumers: the inboxes hold exactly what the outboxes told."""
        told = {service.name: await self.events(service.name) for service in SERVICES}
        for name, happened in told.items():
            assert len({id for id, _ in happened}) == len(happened), f"{name} put an event down twice"
        referrals = {id for id, _ in told["referrals"]}
        others = [*told["careplans"], *told["notifications"]]
        ruled = {id for id, type_ in others if any(fnmatchcase(type_, rule.event) for rule in RULES)}
        for service, consumer, least, most in (
            ("careplans", CAREPLANS, referrals, referrals),
            ("notifications", EVENTS, referrals | ruled, referrals | {id for id, _ in others}),
        ):
            rows = await self.rows(service, "SELECT event_id FROM inbox WHERE consumer = $1", consumer)
            heard = {row[0] for row in rows}
            assert least <= heard, f"{consumer}: {len(least - heard)} of {len(least)} events not heard"
            assert heard <= most, f"{consumer}: {len(heard - most)} events from nowhere"
        return True

    async def shared_plans(self) -> dict[str, Resource]:
        """The shared plan of each patient. Fails where a patient has two."""
        plans = [plan for plan in await self.resources("careplans", "CarePlan") if is_shared_plan(plan)]
        by_patient = {plan["subject"]["reference"]: plan for plan in plans}
        assert len(by_patient) == len(plans), "a patient has two shared plans"
        return by_patient

    async def in_plans(self, acknowledged: Collection[Sent], *, status: str = "not-started") -> bool:
        """Every acknowledged referral is in its patient's plan once, in ``status``; nothing else is there."""
        plans = await self.shared_plans()
        found = Counter(
            (
                followed_task(activity),
                activity["reference"]["reference"],
                of,
                extension_value(activity, ACTIVITY_STATUS),
            )
            for of, plan in plans.items()
            for activity in plan.get("activity", ())
        )
        wanted = {(sent.task, sent.order, sent.patient, status) for sent in acknowledged}
        lost = wanted - found.keys()
        assert not lost, f"{len(lost)} referrals are not in the plan"
        assert set(found.values()) <= {1}, "a referral is in the plan twice"
        tasks = {f"Task/{task['id']}" for task in await self.resources("referrals", "Task")}
        assert {task for task, *_ in found} == tasks, "the plans and the Tasks do not match"
        return True

    async def told_once(self, acknowledged: Collection[Sent]) -> bool:
        """Every referral's owner was told once of the request; each message is one delivery, stream entry, resource."""
        rows = await self.rows("notifications", "SELECT * FROM delivery")
        asked = Counter((row["focus"], row["receiver"]) for row in rows if row["type"] == "referral.requested.v1")
        wanted = {(sent.task, sent.owner.organization) for sent in acknowledged}
        assert wanted <= asked.keys(), f"{len(wanted - asked.keys())} owners were not told"
        assert set(asked.values()) <= {1}, "an owner was told twice"
        deliveries = {(row["event_id"], row["receiver"]) for row in rows}
        assert len(deliveries) == len(rows), "a receiver has two deliveries of one event"
        entries = await self.rows("notifications", "SELECT event_id, receiver FROM stream_entry")
        streamed = Counter((row["event_id"], row["receiver"]) for row in entries)
        assert streamed == Counter(deliveries), "stream entries and deliveries differ"
        stored = Counter(one["id"] for one in await self.resources("notifications", "Communication"))
        assert stored == Counter(row["communication"] for row in rows), "Communications and deliveries differ"
        return True

    async def whole(self) -> bool:
        """No referral is there by half: each order has its Task and each Task its order."""
        orders = {f"ServiceRequest/{order['id']}" for order in await self.resources("referrals", "ServiceRequest")}
        focuses = Counter(task["focus"]["reference"] for task in await self.resources("referrals", "Task"))
        assert focuses == Counter(orders), "an order without a Task, or a Task without an order"
        return True

    async def settled(self, acknowledged: Collection[Sent], *, status: str = "not-started") -> bool:
        """All of it: what was acknowledged is in the plan and told, once each, and nothing waits anywhere."""
        await self.whole()
        await self.drained()
        await self.all_heard()
        await self.in_plans(acknowledged, status=status)
        await self.told_once(acknowledged)
        return True


def statuses(plan: Mapping[str, Any]) -> dict[str, str]:
    """ServiceRequest -> activity status."""
    return {
        activity["reference"]["reference"]: extension_value(activity, ACTIVITY_STATUS) for activity in plan["activity"]
    }
