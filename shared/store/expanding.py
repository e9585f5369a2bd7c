"""What migrations of tables in use are written with: nothing here stops readers or writers for longer than a moment."""

from alembic import op

from shared.store.migrations import LOCK_TIMEOUT_S, STATEMENT_TIMEOUT_S


def add_index(name: str, definition: str) -> None:
    """``CREATE INDEX CONCURRENTLY name`` + ``definition`` (``ON table (column)``), outside of a transaction.

    What was begun and not finished (an invalid index) is made anew. It waits for the transactions that run, for however
    long, and nobody waits for it. It must be alone in its migration: what was done before it is committed."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        if not op.get_context().as_sql and op.get_bind().exec_driver_sql(_INVALID, (name,)).scalar():
            op.execute(f"DROP INDEX CONCURRENTLY {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} {definition}")
        _limit_again()


_INVALID = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1::text)"


def validate(table: str, constraint: str) -> None:
    """Check the old rows against a constraint that was added as ``NOT VALID``; it stops no writer, however long."""
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
        _limit_again()


def in_batches(table: str, change: str, where: str, *, blocks: int = 64) -> None:
    """``UPDATE table SET change WHERE where``, ``blocks`` of 8 kB at a time, each batch committed by itself.

    ``where`` must no longer hold of a row that was changed: an interrupted migration begins anew. It walks through the
    table once; what the old release writes meanwhile is for the new one to look after."""
    statement = f"/* in batches */ UPDATE {table} SET {change} WHERE {where}"
    with op.get_context().autocommit_block():
        if op.get_context().as_sql:
            op.execute(statement)
            return
        bind = op.get_bind()
        size = bind.exec_driver_sql("SELECT pg_relation_size($1::text::regclass) / 8192", (table,)).scalar() or 0
        for first in range(0, size, blocks):
            reach = f"ctid >= '({first},0)' AND ctid < '({first + blocks},0)'"
            bind.exec_driver_sql(f"{statement} AND {reach}")


def _limit_again() -> None:
    op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
    op.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'")
