"""Statistics of referrals: rates, medians and ninetieth percentiles by month, discipline and service."""

import random
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from services.referrals.store.statistics import By, Figures, figures
from shared.engine import Engine
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import COORDINATOR, PATIENT
from tests.integration.referrals.asking import API


async def statistics(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{API}/statistics", params={"since": "2026-01-01", "until": "2026-12-31"} | query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_statistics_tell_rates_and_times_of_what_was_sent_in_a_time(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    insert = """
        INSERT INTO referral (task, version, status, since, priority, discipline, owner, sent_at, accepted_at, seen_at)
        SELECT $1 || n, 1, $2, $3::timestamptz, 3, $4, $5, $3::timestamptz, $3::timestamptz + n * $6::interval,
            $3::timestamptz + n * $7::interval
        FROM generate_series(1, $8::int) AS n
    """
    hour, march = timedelta(hours=1), datetime(2026, 3, 31, 23, tzinfo=UTC)
    await engine.pool.execute(insert, "a", "completed", march, "mental-health", "Organization/x", hour, 10 * hour, 10)
    await engine.pool.execute(insert, "b", "rejected", march, "mental-health", "Organization/x", None, None, 5)
    april = datetime(2026, 4, 1, tzinfo=UTC)
    await engine.pool.execute(insert, "c", "cancelled", april, "pain-medicine", None, 2 * hour, None, 1)
    await engine.pool.execute(insert, "d", "completed", datetime(2027, 1, 1, tzinfo=UTC), None, None, hour, hour, 4)
    verifier.caller = COORDINATOR
    first, second = await statistics(client)
    assert (first["group"], first["sent"], first["declined"], first["completed"]) == ("2026-03", 15, 5, 10)
    assert (first["acceptance_rate"], first["completion_rate"]) == (0.6667, 0.6667)
    assert first["to_accept"] == {"cases": 10, "median_h": 5, "p90_h": 9}
    assert first["to_seen"] == {"cases": 10, "median_h": 50, "p90_h": 90}
    assert (second["group"], second["sent"], second["cancelled"]) == ("2026-04", 1, 1)
    assert second["to_seen"] == {"cases": 0, "median_h": None, "p90_h": None}
    assert [each["group"] for each in await statistics(client, by="service")] == ["Organization/x", None]
    assert (await statistics(client, by="service"))[1]["to_accept"] == {"cases": 1, "median_h": 2, "p90_h": 2}
    [only] = await statistics(client, by="discipline", discipline="pain-medicine")
    assert (only["group"], only["to_accept"]["median_h"]) == ("pain-medicine", 2)
    assert await statistics(client, until="2026-02-28") == []


async def test_statistics_of_no_time_and_for_patients_are_refused(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = COORDINATOR
    for since, until in (
        *(("2026-02-01", "2026-01-01"), ("1990-01-01", "2026-01-01")),
        # there, midnight of some places is at no moment in UTC
        *(("9999-12-31", "9999-12-31"), ("0001-01-01", "0001-01-01")),
    ):
        answer = await client.get(f"{API}/statistics", params={"since": since, "until": until})
        assert answer.status_code == 422, answer.text
    verifier.caller = PATIENT
    answer = await client.get(f"{API}/statistics", params={"since": "2026-01-01", "until": "2026-01-01"})
    assert answer.status_code == 403


WAITS = {"received": "acceptance", "completed": "closing"}
"""A report that nobody has acknowledged yet is not open any more: the work is done."""


def rank(hours: list[int], share: float) -> int | None:
    """The least that as large a share of ``hours`` does not exceed."""
    return sorted(hours)[ceil(share * len(hours)) - 1] if hours else None


def counted(group: str | None, rows: list[dict[str, Any]]) -> Figures:
    """What the figures of ``rows`` are, one by one."""
    hours = {
        what: [int((row[what] - row["sent_at"]).total_seconds() // 3600) for row in rows if row[what]]
        for what in ("accepted_at", "seen_at")
    }
    of = {status: sum(row["status"] == status for row in rows) for status in ("rejected", "completed", "cancelled")}
    accepted, seen = hours["accepted_at"], hours["seen_at"]
    return Figures(
        group=group,
        sent=len(rows),
        accepted=len(accepted),
        declined=of["rejected"],
        seen=len(seen),
        completed=of["completed"],
        cancelled=of["cancelled"],
        open=sum(row["waits_for"] not in (None, "closing") for row in rows),
        accepted_median_h=rank(accepted, 0.5),
        accepted_p90_h=rank(accepted, 0.9),
        seen_median_h=rank(seen, 0.5),
        seen_p90_h=rank(seen, 0.9),
    )


async def test_figures_are_those_that_one_counts_by_hand(engine: Engine) -> None:
    chance, zone = random.Random(5), ZoneInfo("America/New_York")
    begin, rows = datetime(2025, 11, 1, 3, tzinfo=UTC), []
    for number in range(600):
        sent = begin + timedelta(minutes=chance.randrange(150 * 24 * 60))
        accepted = sent + timedelta(minutes=chance.randrange(30_000)) if chance.random() < 0.7 else None
        row = {
            "task": f"t{number}",
            "status": chance.choice(("received", "rejected", "completed", "cancelled")),
            "discipline": chance.choice(("pain-medicine", "mental-health", None)),
            "owner": chance.choice((*(f"HealthcareService/{n}" for n in range(12)), None)),
            "sent_at": sent,
            "accepted_at": accepted,
            "seen_at": sent + timedelta(minutes=chance.randrange(90_000))
            if accepted and chance.random() < 0.8
            else None,
        }
        rows.append(row | {"waits_for": WAITS.get(row["status"])})
    await engine.pool.executemany(
        "INSERT INTO referral (task, version, since, priority, status, discipline, owner, sent_at, accepted_at,"
        " seen_at, waits_for) VALUES ($1, 1, $5, 3, $2, $3, $4, $5, $6, $7, $8)",
        [tuple(row.values()) for row in rows],
    )
    since, until = datetime(2025, 11, 10, 5, tzinfo=UTC), datetime(2026, 3, 20, 4, tzinfo=UTC)
    among = [row for row in rows if since <= row["sent_at"] < until]
    for by, group_of in (
        (By.MONTH, lambda row: row["sent_at"].astimezone(zone).strftime("%Y-%m")),
        (By.DISCIPLINE, lambda row: row["discipline"]),
        (By.SERVICE, lambda row: row["owner"]),
    ):
        groups: dict[str | None, list[dict[str, Any]]] = {}
        for row in among:
            groups.setdefault(group_of(row), []).append(row)
        wanted = [counted(group, own) for group, own in groups.items()]
        if by is By.MONTH:
            wanted.sort(key=lambda each: each.group or "")
        else:
            wanted.sort(key=lambda each: (-each.sent, each.group is None, each.group))
        for limit in (4, 100):
            found = await figures(
                engine.pool, by, since, until, zone=zone.key, discipline=None, owner=None, limit=limit
            )
            assert found == wanted[:limit]
