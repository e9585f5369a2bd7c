"""Plans as the services get them: of a prepared statement, whatever its arguments are."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import asyncpg

from shared.store.database import Connection, Pool


async def explained(connection: Connection | Pool, statement: str, arguments: Sequence[Any]) -> dict[str, Any]:
    """What EXPLAIN ANALYZE tells of ``statement`` in a session of ours: the plan, as JSON.

    EXPLAIN with arguments would plan for these alone, which is what a session of ours never does."""
    if isinstance(connection, asyncpg.Pool):
        async with connection.acquire() as one:
            return await explained(cast(Connection, one), statement, arguments)
    told = ", ".join(map(_literal, arguments))
    await connection.execute(f"PREPARE explained AS {statement}")
    try:
        text = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE explained{f'({told})' if told else ''}"
        )
    finally:
        await connection.execute("DEALLOCATE explained")
    return cast(dict[str, Any], json.loads(text)[0])


def _literal(value: Any) -> str:
    return "NULL" if value is None else "'" + _text(value).replace("'", "''") + "'"


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "{" + ",".join(map(_element, value)) + "}"
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        return _text(value)
    return '"' + _text(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
