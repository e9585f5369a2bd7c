"""Old AuditEvents go whole, with their index; those that something refers to stay."""

import httpx
import pytest

from shared.engine import Engine
from shared.fhir.search.extract import reference_term
from shared.store import forgetting
from shared.store.database import Pool
from shared.store.sweeping import Sweep
from tests.factories.resources import patient
from tests.integration.retention.sweeping import DAY, aged, swept

AUDIT = {
    "resourceType": "AuditEvent",
    "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110100"},
    "recorded": "2026-01-01T00:00:00Z",
    "agent": [{"requestor": True}],
    "source": {"observer": {"display": "x"}},
}


async def test_old_audit_events_go_with_their_index_but_not_one_that_is_referred_to(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    what = Sweep("AuditEvent", forgetting.whole_resources("AuditEvent", 30 * DAY, reference_term))
    ids = [(await client.post("AuditEvent", json=AUDIT)).json()["id"] for _ in range(5)]
    kept, held = ids[0], ids[1]
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"AuditEvent/{held}"}}
    assert (await client.post("Basic", json=basic)).status_code == 201
    await client.put("Patient/p", json=patient(id="p"))
    await aged(engine.pool, "resource", "last_updated", 31, f"type <> 'AuditEvent' OR id <> '{kept}'")
    assert await swept(engine.pool, what) == 3
    found = (await client.get("AuditEvent")).json()["entry"]
    assert {one["resource"]["id"] for one in found} == {kept, held}
    assert (await client.get("Patient/p")).status_code == 200
    for table in ("index_term", "index_date", "index_string", "index_quantity"):
        orphans = f"SELECT count(*) FROM {table} i WHERE NOT EXISTS (SELECT FROM resource r WHERE r.rid = i.rid)"
        assert await engine.pool.fetchval(orphans) == 0, table
    assert await engine.pool.fetchval("SELECT count(*) FROM resource_history WHERE type = 'AuditEvent'") == 2


async def at_one_moment(pool: Pool, first: int, last: int, days: float = 31) -> None:
    """AuditEvents that one transaction wrote."""
    await pool.execute(
        "INSERT INTO resource (type, id, self, version, last_updated, deleted, terms, link_params, link_targets, body)"
        " SELECT 'AuditEvent', 'x' || n, n, 1, now() - $3::interval, false, '{}', '{}', '{}', '{}'"
        " FROM generate_series($1::int, $2) n",
        first,
        last,
        days * DAY,
    )


async def referred_to(pool: Pool, first: int, last: int) -> None:
    terms = [reference_term("AuditEvent", f"x{n}") for n in range(first, last + 1)]
    await pool.execute("INSERT INTO index_term SELECT unnest($1::bigint[]), 999999999", terms)


async def left_of_audit(pool: Pool) -> set[str]:
    return {row[0] for row in await pool.fetch("SELECT id FROM resource WHERE type = 'AuditEvent'")}


async def test_audit_events_of_one_moment_go_however_many_and_whatever_is_held_among_them(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "PURGED_AT_ONCE", 10)
    what = Sweep("AuditEvent", forgetting.whole_resources("AuditEvent", 30 * DAY, reference_term))
    await at_one_moment(engine.pool, 1, 55)
    assert await swept(engine.pool, what) == 55, "no sweep stops after the first of them"
    await at_one_moment(engine.pool, 1, 60)
    await at_one_moment(engine.pool, 61, 90, days=30.5)
    await at_one_moment(engine.pool, 91, 92, days=29)
    for first, last in ((1, 25), (33, 33), (58, 62)):
        await referred_to(engine.pool, first, last)
    assert await swept(engine.pool, what) == 90 - 31
    kept = {*range(1, 26), 33, *range(58, 63), 91, 92}
    assert await left_of_audit(engine.pool) == {f"x{n}" for n in kept}
    assert await swept(engine.pool, what) == 0


@pytest.mark.parametrize("position", [1_790_000_000_000_000, 5, -1])
async def test_a_sweep_whose_last_row_is_gone_begins_at_the_front(
    engine: Engine, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "PURGED_AT_ONCE", 10)
    what = Sweep("AuditEvent", forgetting.whole_resources("AuditEvent", 30 * DAY, reference_term))
    await at_one_moment(engine.pool, 1, 25)
    await engine.pool.execute("DELETE FROM resource WHERE rid = 5")
    await engine.pool.execute("INSERT INTO retention_sweep (name, position) VALUES ('AuditEvent', $1)", position)
    assert await swept(engine.pool, what) == 24
    assert await left_of_audit(engine.pool) == set()
