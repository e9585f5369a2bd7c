"""Whose record the safety rules have to look at: found from what changed, so that no write waits for it.

A scan takes what the snapshot of the last one did not see (a write is committed within ``LONGEST_WRITE`` of its
``lastUpdated``), one worker at a time; patients are then claimed one by one, by as many as there are.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from shared.fhir.search.snapshot import COLUMN, LONGEST_WRITE, Sight
from shared.store.condition import Condition, as_column
from shared.store.database import Connection, Pool

MEDICINES = ("MedicationRequest", "MedicationStatement", "MedicationDispense")
"""A change of one of these is looked at, whoever's it is."""
BESIDE = ("Condition", "Observation", "Patient", "Procedure")
"""A change of one of these is, where the patient has medicines or findings."""
RECORD = (*MEDICINES, "Condition", "MedicationAdministration", "Patient", "Procedure", "DetectedIssue")
MOST = 20_000
"""Resources of one record that are read; whoever has more is not judged."""

_MARK = "SELECT snapshot, at FROM safety_mark WHERE name = 'record' FOR UPDATE SKIP LOCKED"
_FIRST = """
INSERT INTO safety_mark (name, snapshot, at) VALUES ('record', $1, $2) ON CONFLICT DO NOTHING RETURNING true
"""
_ADVANCE = "UPDATE safety_mark SET snapshot = $1, at = $2 WHERE name = 'record'"
_SIGHT = Sight("$1::text", "$2::timestamptz").changed()
_HAS = "SELECT FROM resource m WHERE m.type = ANY ($5::text[]) AND m.patient = r.patient AND NOT m.deleted"
_NOTE = """
INSERT INTO safety_due (patient, due_at) SELECT patient, $3::timestamptz FROM ({found}) f WHERE patient IS NOT NULL
ORDER BY patient
ON CONFLICT (patient) DO UPDATE SET due_at = least(safety_due.due_at, EXCLUDED.due_at)
"""
_CHANGED = _NOTE.format(
    found=f"""
SELECT r.patient FROM resource r WHERE r.type = ANY ($4::text[]) AND NOT r.deleted AND {_SIGHT}
UNION SELECT r.patient FROM resource r WHERE r.type = ANY ($4::text[]) AND r.deleted AND {_SIGHT}
UNION SELECT r.patient FROM resource r WHERE r.type = ANY ($6::text[]) AND NOT r.deleted AND {_SIGHT}
    AND EXISTS ({_HAS})
UNION SELECT r.patient FROM resource r WHERE r.type = ANY ($6::text[]) AND r.deleted AND {_SIGHT} AND EXISTS ({_HAS})
"""
)
_ALL = """
INSERT INTO safety_due (patient, due_at)
SELECT DISTINCT patient, $1::timestamptz FROM resource
WHERE type = ANY ($2::text[]) AND NOT deleted AND patient IS NOT NULL
ON CONFLICT DO NOTHING
"""
_CLAIM = """
UPDATE safety_due SET due_at = $2 WHERE patient = (
    SELECT patient FROM safety_due WHERE due_at <= $1 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING patient
"""
_AGAIN = "UPDATE safety_due SET due_at = $3 WHERE patient = $1 AND due_at = $2"
_DONE = "DELETE FROM safety_due WHERE patient = $1 AND due_at = $2"
_NEXT = "SELECT min(due_at) FROM safety_due"
_READ = """
SELECT r.body FROM resource r WHERE r.type = ANY ($1::text[]) AND r.patient = $2 AND NOT r.deleted AND {shown} LIMIT $3
"""


async def scan(connection: Connection, now: datetime) -> bool:
    """Note whose record changed since the last scan; False where another worker is at it. In a transaction."""
    # taken before it looks: what is committed in between is found again by the next scan
    snapshot: str = await connection.fetchval(f"SELECT {COLUMN}")
    mark = await connection.fetchrow(_MARK)
    if mark is None:
        if not await connection.fetchval(_FIRST, snapshot, now):
            return False
        await connection.execute(_ALL, now, MEDICINES)
        return True
    horizon = mark["at"] - LONGEST_WRITE
    with_findings = (*MEDICINES, "DetectedIssue")
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    await connection.execute(_CHANGED, mark["snapshot"], horizon, now, MEDICINES, with_findings, BESIDE)
    await connection.execute(_ADVANCE, snapshot, now)
    return True


async def claim(connection: Connection | Pool, now: datetime, lease: timedelta) -> tuple[str, datetime] | None:
    """One patient (id) who is due, and until when the claim holds; None where nobody is."""
    until = now + lease
    patient: str | None = await connection.fetchval(_CLAIM, now, until)
    return None if patient is None else (patient, until)


async def settle(connection: Connection, patient: str, claimed: datetime, again: datetime | None) -> None:
    """When to look again, unless something changed since the claim."""
    if again is None:
        await connection.execute(_DONE, patient, claimed)
    else:
        await connection.execute(_AGAIN, patient, claimed, again)


async def next_due(pool: Pool) -> datetime | None:
    """When the next one is due."""
    due: datetime | None = await pool.fetchval(_NEXT)
    return due


async def record(
    connection: Connection | Pool, patient: str, types: Collection[str] = RECORD, seen: Condition | None = None
) -> list[bytes]:
    """The bodies of what the patient (id) has of ``types``, as far as ``seen``; one more than ``MOST`` at most."""
    shown, arguments = as_column(seen, 4)
    rows = await connection.fetch(_READ.format(shown=shown), list(types), patient, MOST + 1, *arguments)
    return [row["body"] for row in rows]


async def line_up(connection: Connection, patient: str) -> None:
    """Wait until nobody else keeps the findings of the patient, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('safety ' || $1, 0))", patient)
