"""A transaction that spans databases, as one of them holds its part: prepared, then committed or rolled back.

What is prepared outlives its session and the server itself, and keeps its locks until somebody finishes it
(https://www.postgresql.org/docs/current/sql-prepare-transaction.html). Names are unique in a whole server, so they bear
the transaction's id and both services: whose database this is, and whose holds the decision.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from shared.errors import Unavailable, Unprocessable
from shared.store.database import Connection, Pool

_NAME = re.compile(r"consilium:([0-9a-f-]{36}):([a-z]{1,30}):([a-z]{1,30})")
MOST = 1000
"""Transactions in one answer of ``waiting``."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a prepared transaction is called in PostgreSQL. Raises ``ValueError`` for parts that are none of ours."""

    transaction: str
    holder: str
    """The service whose database holds the decision."""
    service: str
    """The service whose part this is."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(str(self)):
            raise ValueError("a transaction's id is a UUID, and a service's name are lower-case letters")

    def __str__(self) -> str:
        return f"consilium:{self.transaction}:{self.holder}:{self.service}"


async def require_slots(pool: Pool, service: str) -> None:
    """Raises ``Unprocessable``, which names the setting, where the database prepares no transactions at all."""
    if await pool.fetchval("SELECT current_setting('max_prepared_transactions')") == "0":
        raise Unprocessable(
            f"max_prepared_transactions is 0 in the database of {service}: a transaction that writes to several"
            " services needs it. Nothing was stored. Send one transaction per service, or ask the operator.",
            code="not-supported",
        )


async def bound(connection: Connection, seconds: float) -> None:
    """Wait for no lock, and run no statement, longer than ``seconds`` in the transaction on ``connection``."""
    limit = f"{max(1, round(seconds * 1000))}ms"
    await connection.execute(f"SET LOCAL lock_timeout = '{limit}'; SET LOCAL statement_timeout = '{limit}'")


async def prepare(connection: Connection, name: Name) -> None:
    """End the transaction on ``connection`` prepared, under ``name``. Raises what asyncpg raises; then it is undone.

    Raises ``Unavailable`` where as many are prepared as the server takes."""
    try:
        done = await connection.execute(f"PREPARE TRANSACTION '{name}'")
    except asyncpg.OutOfMemoryError as error:
        raise Unavailable("As many transactions wait as max_prepared_transactions allows; try again.") from error
    if done != "PREPARE TRANSACTION":
        # a transaction that had failed is rolled back by it, without an error
        raise asyncpg.InFailedSQLTransactionError("the transaction was rolled back instead of prepared")


async def finish(pool: Pool, name: Name, *, commit: bool) -> bool:
    """Commit or roll back what is prepared under ``name``; whether there was anything. Safe to repeat."""
    try:
        await pool.execute(f"{'COMMIT' if commit else 'ROLLBACK'} PREPARED '{name}'")
    except asyncpg.UndefinedObjectError:
        return False
    return True


async def waiting(pool: Pool, *, longer_than: float) -> Sequence[Name]:
    """What has been prepared in this database for more than ``longer_than`` seconds, oldest first."""
    rows = await pool.fetch(
        "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE 'consilium:%'"
        " AND prepared < clock_timestamp() - make_interval(secs => $1) ORDER BY prepared LIMIT $2",
        longer_than,
        MOST,
    )
    return [Name(*match.groups()) for row in rows if (match := _NAME.fullmatch(row["gid"]))]
