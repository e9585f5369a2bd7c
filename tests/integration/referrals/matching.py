"""Ask for matches, and make waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx

from shared.engine import Engine
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import BACK_END, reference
from tests.integration.referrals.asking import API, put

Resource = dict[str, Any]
CLINIC, CENTRE = reference("Organization/pain-clinic"), reference("Organization/mind-centre")
DAY = timedelta(days=1)


async def store(client: httpx.AsyncClient, verifier: FixedVerifier, *resources: Resource) -> None:
    verifier.caller = BACK_END
    for resource in resources:
        answer = await put(client, resource)
        assert answer.status_code in (200, 201), answer.text


async def asked(client: httpx.AsyncClient, path: str = "match", **body: Any) -> Any:
    answer = await client.post(f"{API}/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def named(entries: list[Any]) -> list[str]:
    return [each["service"]["reference"].partition("/")[2] for each in entries]


def codes(entry: Any) -> set[str]:
    return {reason["code"] for reason in entry["reasons"]}


async def waits(engine: Engine, owner: str, *days: float, ago: float = 10, waiting: int = 0, imported: int = 0) -> None:
    """Referrals to ``owner`` that were seen ``days`` after acceptance, ``ago`` days ago; and some that still wait."""
    seen = datetime.now(UTC) - ago * DAY
    rows = [(seen - each * DAY, seen, "completed", "closing") for each in days]
    rows += [(seen - DAY, None, "accepted", "scheduling")] * waiting + [(seen, seen, "completed", "closing")] * imported
    for number, (accepted, seen_at, status, wait) in enumerate(rows):
        await engine.pool.execute(
            "INSERT INTO referral (task, version, status, waits_for, since, discipline, priority, owner, accepted_at,"
            " seen_at) VALUES ($1, 1, $2, $3, $4, 'mental-health', 3, $5, $4, $6)",
            f"{owner.replace('/', '-')}-{ago}-{number}",
            status,
            wait,
            accepted,
            owner,
            seen_at,
        )


@asynccontextmanager
async def statements(engine: Engine) -> AsyncIterator[list[str]]:
    """What is asked of the database."""
    told: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        if "typeinfo" not in record.query and "set_config" not in record.query:  # asyncpg's own, once per connection
            told.append(record.query)

    held = [await engine.pool.acquire() for _ in range(engine.pool.get_size())]
    for connection in held:
        connection.add_query_logger(note)
        await engine.pool.release(connection)
    yield told
