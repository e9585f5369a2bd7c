"""What may be let go of in the resource store, after times that an operator sets (docs/adr/0012-retention.md).

The current version of a resource is never touched, nor the mark that a deletion leaves: versions go on counting.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from shared.store.database import Connection
from shared.store.sweeping import Batch, through

# with a version go all before it, wherever they lie: a history has no gaps, and none is left without its successor.
# LIMIT 1 keeps it at one look into the index; a join could walk through the whole table for each batch
_REPLACED = """
WITH replaced AS MATERIALIZED (
    SELECT d.type, d.id, max(d.version) AS version FROM resource_history d
    WHERE {reach} AND d.last_updated < now() - $3::interval AND (
        SELECT n.last_updated FROM resource_history n WHERE n.type = d.type AND n.id = d.id AND n.version > d.version
        ORDER BY n.version LIMIT 1) < now() - $3::interval
    GROUP BY d.type, d.id),
gone AS (
    DELETE FROM resource_history d USING replaced r WHERE d.type = r.type AND d.id = r.id AND d.version <= r.version
        AND d.last_updated < now() - $3::interval
    RETURNING 1)
SELECT count(*) FROM gone
"""
_DELETED = """
WITH gone AS (
    DELETE FROM resource_history d USING resource r WHERE {reach} AND d.last_updated < now() - $3::interval
        AND r.type = d.type AND r.id = d.id AND r.deleted AND r.last_updated < now() - $3::interval
        AND d.version < r.version
    RETURNING 1)
SELECT count(*) FROM gone
"""
_OLDEST = """
SELECT rid, id FROM resource
WHERE type = $1 AND NOT deleted AND last_updated < now() - $3::interval AND (last_updated, rid) > (coalesce((
    SELECT last_updated FROM resource WHERE type = $1 AND rid = $2 AND last_updated < now() - $3::interval),
    '-infinity'), $2)
ORDER BY last_updated, rid LIMIT $4 FOR UPDATE SKIP LOCKED
"""
_REFERRED_TO = "SELECT DISTINCT term FROM index_term WHERE term = ANY ($1::bigint[])"
_PURGE = """
WITH gone AS (DELETE FROM resource WHERE type = $1 AND rid = ANY ($2::bigint[]) RETURNING rid, id, terms),
    terms AS (DELETE FROM index_term t USING (SELECT rid, unnest(terms) AS term FROM gone) g
        WHERE t.term = g.term AND t.rid = g.rid),
    dates AS (DELETE FROM index_date WHERE rid = ANY ($2::bigint[])),
    strings AS (DELETE FROM index_string WHERE rid = ANY ($2::bigint[])),
    quantities AS (DELETE FROM index_quantity WHERE rid = ANY ($2::bigint[])),
    history AS (DELETE FROM resource_history h USING gone g WHERE h.type = $1 AND h.id = g.id)
SELECT count(*) FROM gone
"""
PURGED_AT_ONCE = 200
_BEGUN = -1


def replaced_versions(after: timedelta) -> Callable[..., Awaitable[Batch]]:
    """A step that forgets versions that were replaced longer than ``after`` ago.

    By what is known: the next version that is still there is taken for the one that replaced it."""
    return through("resource_history", _REPLACED, after)


def versions_of_deleted(after: timedelta) -> Callable[..., Awaitable[Batch]]:
    """A step that forgets what was in resources that were deleted longer than ``after`` ago."""
    return through("resource_history", _DELETED, after)


def whole_resources(
    type_: str, after: timedelta, reference: Callable[[str, str], int]
) -> Callable[..., Awaitable[Batch]]:
    """A step that removes resources of ``type_`` that nobody changed for ``after``, with their history and index.

    What another resource refers to stays: ``reference`` gives the index term of references to a (type, id). The
    position is the row that was last left so: everything else before it is gone. If it changed meanwhile, the next
    batch begins at the front; so it does at a position of an older release, which was a time."""

    async def step(connection: Connection, position: int) -> Batch:
        rows = await connection.fetch(_OLDEST, type_, position, after, PURGED_AT_ONCE)
        terms = {row["rid"]: reference(type_, row["id"]) for row in rows}
        held = {row[0] for row in await connection.fetch(_REFERRED_TO, list(terms.values()))} if rows else set()
        gone = [rid for rid, term in terms.items() if term not in held]
        deleted = await connection.fetchval(_PURGE, type_, gone) if gone else 0
        if len(rows) < PURGED_AT_ONCE:
            return Batch(deleted, None)
        left = [rid for rid, term in terms.items() if term in held]
        return Batch(deleted, left[-1] if left else position or _BEGUN)

    return step
