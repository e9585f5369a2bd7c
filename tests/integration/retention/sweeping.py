"""One sweep at a time, over rows that are as old as a test says."""

import asyncio
from datetime import timedelta

from shared.store.database import Pool
from shared.store.sweeping import Sweep, sweep

DAY = timedelta(days=1)


async def swept(pool: Pool, what: Sweep, holder: str = "w1") -> int | None:
    """One sweep, due or not."""
    await pool.execute("UPDATE retention_sweep SET due_at = '-infinity', lease_until = NULL")
    return await sweep(pool, what, holder, asyncio.Event(), share=1)


async def aged(pool: Pool, table: str, column: str, days: float, where: str = "true") -> None:
    """Let rows be older than they are."""
    await pool.execute(f"UPDATE {table} SET {column} = {column} - $1::interval WHERE {where}", timedelta(days=days))
