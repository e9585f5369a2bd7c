"""Events: how many a relay carries per second, and how long one takes from the POST to the message handed over."""

import asyncio
import json
import statistics
import time
from datetime import UTC, datetime

import httpx

from bench.material import referral, text
from bench.server import Running
from shared.contracts.referrals import ReferralEvent, ReferralV1
from shared.ids import uuid7
from shared.messaging.envelope import encode, new_event
from shared.messaging.relay import Relay
from shared.messaging.topology import Queue
from shared.messaging.transport import Transport
from shared.store.database import open_pool

EVENTS = 10_000
SUBJECTS = 2_000
QUEUE = Queue("bench.events", ("referral.#",))


async def relay_rate(outbox_url: str, transport: Transport) -> float:
    """Events per second from the outbox at ``outbox_url`` (tables exist) into one queue, confirmed and marked."""
    pool = await open_pool(outbox_url, size=4)
    await transport.declare([QUEUE])
    now = datetime.now(UTC)
    rows = []
    for number in range(EVENTS):
        payload = ReferralV1(task=f"Task/{number}", version=1, status="requested", occurred_at=now.isoformat())
        event = new_event(
            id=uuid7(),
            service="bench",
            type=ReferralEvent.REQUESTED,
            subject=f"Task/{number % SUBJECTS}",
            at=now,
            payload=payload,
        )
        rows.append((event.id, event.type, event.subject, encode(event)))
    await pool.executemany("INSERT INTO outbox (event_id, type, subject, envelope) VALUES ($1, $2, $3, $4)", rows)
    relay = Relay(pool, transport)
    started = time.perf_counter()
    while await relay.step():
        pass
    seconds = time.perf_counter() - started
    await pool.close()
    return EVENTS / seconds


async def event_latency_ms(running: Running, owner_token: str, *, per_second: int = 50, seconds: int = 6) -> float:
    """The 99th percentile in ms from a referral's POST to the owner's message at their open stream."""
    total = per_second * seconds
    arrived: dict[str, float] = {}
    posted: dict[str, float] = {}
    async with httpx.AsyncClient(headers=dict(running.headers), timeout=60) as client:
        listening = asyncio.create_task(_listen(running.url, owner_token, arrived, total))
        await asyncio.sleep(1)

        async def refer(number: int) -> None:
            await asyncio.sleep(number / per_second)
            began = time.perf_counter()
            answer = await client.post(f"{running.url}/fhir", content=text(referral(number)))
            answer.raise_for_status()
            posted["/".join(answer.json()["entry"][1]["response"]["location"].split("/")[-4:-2])] = began

        await asyncio.gather(*(refer(number) for number in range(total)))
        await asyncio.wait_for(listening, timeout=60)
    latencies = sorted((arrived[task] - began) * 1000 for task, began in posted.items())
    return statistics.quantiles(latencies, n=100)[98]


async def _listen(url: str, token: str, arrived: dict[str, float], total: int) -> None:
    """Note when each message of a new referral arrives, until there are ``total``."""
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=None) as client,
        client.stream("GET", f"{url}/api/notifications/stream") as stream,
    ):
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                told = json.loads(line[5:])
                if told["type"] == ReferralEvent.REQUESTED:
                    arrived[told["focus"]] = time.perf_counter()
                    if len(arrived) == total:
                        return
