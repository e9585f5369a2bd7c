"""The references: an empty FastAPI endpoint on our server, and raw commits of a row with its outbox row."""

import asyncio
import time

import asyncpg
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def empty() -> dict[str, str]:
    """As little as FastAPI can do."""
    return {}


async def raw_commits(url: str, body: bytes, *, connections: int = 16, seconds: float = 5.0) -> float:
    """Commits per second: an explicit transaction with a row of ``body`` and an outbox row, asyncpg, 16 connections."""
    setup = await asyncpg.connect(url)
    await setup.execute(
        "CREATE TABLE IF NOT EXISTS raw_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea);"
        "CREATE TABLE IF NOT EXISTS raw_outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea)"
    )
    await setup.close()
    deadline = time.perf_counter() + seconds

    async def commit_on() -> int:
        done = 0
        connection = await asyncpg.connect(url)
        while time.perf_counter() < deadline:
            async with connection.transaction():
                await connection.execute("INSERT INTO raw_row (body) VALUES ($1)", body)
                await connection.execute("INSERT INTO raw_outbox (body) VALUES ($1)", body[:300])
            done += 1
        await connection.close()
        return done

    started = time.perf_counter()
    counts = await asyncio.gather(*(commit_on() for _ in range(connections)))
    return sum(counts) / (time.perf_counter() - started)
