"""How far tables are filled from what was stored before they were there (``projection_fill``)."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.store.database import Connection
from shared.store.resources import Stored

_BEGIN = "INSERT INTO projection_fill (type) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
_CLAIM = """
SELECT type, position FROM projection_fill WHERE type = ANY ($1::text[]) AND NOT done
ORDER BY array_position($1::text[], type) LIMIT 1 FOR UPDATE
"""
_ROWS = """
SELECT rid, type, id, version, last_updated, deleted, body FROM resource
WHERE type = $1 AND rid > $2 ORDER BY rid LIMIT $3 FOR SHARE
"""
_WENT = "UPDATE projection_fill SET position = $2, done = $3 WHERE type = $1"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some resources of a type, locked until the transaction ends, without those that are deleted."""

    type: str
    position: int
    rows: tuple[Stored, ...]
    seen: int
    """How many there were, deleted ones too."""


async def next_batch(connection: Connection, types: Sequence[str], limit: int) -> Batch | None:
    """The next ``limit`` resources of the first of ``types`` that is not done; None where all are."""
    await connection.execute(_BEGIN, list(types))
    claimed = await connection.fetchrow(_CLAIM, list(types))
    if claimed is None:
        return None
    rows = await connection.fetch(_ROWS, claimed["type"], claimed["position"], limit)
    position = rows[-1]["rid"] if rows else claimed["position"]
    kept = (Stored(*list(row.values())[1:]) for row in rows if not row["deleted"])
    return Batch(claimed["type"], position, tuple(kept), len(rows))


async def went(connection: Connection, batch: Batch, *, done: bool) -> None:
    """Go on behind ``batch``; ``done`` where nothing is left of its type."""
    await connection.execute(_WENT, batch.type, batch.position, done)
