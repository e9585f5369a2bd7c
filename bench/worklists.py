"""Worklists at a million referrals: ``make bench-worklists`` measures each page, the counts and the statistics.

The rows go straight into ``referral``, over three years: one in ten is open, a third of those past its target time;
2,000 services, 5,000 referrers, 200,000 patients. One request at a time, over HTTP, as a coordinator.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench.server import Running, running

OUT = Path(__file__).parent / "out" / "worklists.json"
REFERRALS = 1_000_000
PAGE_MS, STATISTICS_MS = 50.0, 1000.0
"""At most, 95 of 100."""

_FILL = """
INSERT INTO referral (task, version, status, business_status, waits_for, since, discipline, priority, patient,
    service_request, requester, owner, sent_at, acknowledged_at, accepted_at, scheduled_at, seen_at, reported_at,
    closed_at, ended_at, waits_since, due_at, next_stage, next_at, told, returned_at)
SELECT 'bench-' || n, 3,
    CASE WHEN NOT open THEN ended WHEN stage < 3 THEN 'received' WHEN stage < 5 THEN 'accepted' ELSE 'in-progress' END,
    NULL,
    CASE WHEN open THEN (ARRAY['acknowledgement', 'acceptance', 'acceptance', 'scheduling', 'scheduling', 'visit',
        'visit', 'visit', 'report', 'report'])[stage + 1] END,
    since, (ARRAY['pain-medicine', 'mental-health', 'physical-therapy'])[1 + n % 3],
    (ARRAY[3, 3, 3, 3, 2, 2, 1, 0])[1 + n % 8],
    'Patient/' || (n * 7919) % 200000, 'ServiceRequest/bench-' || n, 'Practitioner/' || (n * 31) % 5000,
    CASE WHEN n % 20 > 0 THEN 'HealthcareService/' || (n * 17) % 2000 END, sent, sent,
    CASE WHEN open AND stage < 3 OR ended = 'rejected' THEN NULL ELSE sent + took * early END,
    CASE WHEN open AND stage < 5 OR ended = 'rejected' THEN NULL ELSE sent + took / 3 END,
    CASE WHEN open AND stage < 8 OR ended = 'rejected' THEN NULL ELSE sent + took / 2 END,
    CASE WHEN NOT open AND ended = 'completed' THEN sent + took END, NULL, CASE WHEN NOT open THEN sent + took END,
    CASE WHEN open THEN since END, CASE WHEN open THEN since + interval '10 days' END, NULL, NULL, NULL,
    CASE WHEN open AND n % 50 = 0 THEN since END
FROM (
    SELECT n, sent, took, early, open, stage, ended, CASE WHEN open
        THEN $2::timestamptz - (n * 911 % 14) * interval '1 day' - (n % 86400) * interval '1 second'
        ELSE sent + took END AS since
    FROM (
        SELECT n, $2::timestamptz - n * interval '95 seconds' AS sent,
            (7200 + n * 104729 % 86400) * interval '1 minute' AS took, 0.05 + n * 7919 % 1000 / 6000.0 AS early,
            n * 48271 % 10 = 0 OR n < 20000 AS open, (n * 131 % 10)::int AS stage,
            (ARRAY['completed', 'completed', 'completed', 'completed', 'rejected', 'cancelled'])[1 + n * 7 % 6] AS ended
        FROM generate_series(1, $1::bigint) AS n) AS sending) AS sent
"""

PAGES = {
    "open": "?list=open",
    "awaiting triage": "?list=awaiting-triage",
    "overdue": "?list=overdue",
    "silent": "?list=silent",
    "returned": "?list=returned",
    "mine": "?list=mine",
    "of a discipline": "?list=open&discipline=mental-health",
    "overdue of a discipline": "?list=overdue&discipline=physical-therapy",
    "silent, urgent": "?list=silent&priority=urgent",
    "of a patient": "?list=all&patient=Patient/{patient}",
    "open of a service": "?list=open&owner=HealthcareService/{owner}",
    "overdue of a service": "?list=overdue&owner=HealthcareService/{owner}",
    "all of a service": "?list=all&owner=HealthcareService/{owner}",
    "all of a referrer": "?list=all&requester=Practitioner/{requester}",
    "of two statuses": "?list=all&status=completed,rejected&limit=200",
    "all": "?list=all&limit=200",
}
FIGURES = {
    "counts": "/counts",
    "counts of a discipline": "/counts?discipline=mental-health",
    "statistics by month": "/statistics?since={since}&until={until}&by=month",
    "statistics by discipline": "/statistics?since={since}&until={until}&by=discipline",
    "statistics by service": "/statistics?since={since}&until={until}&by=service",
    "all years by month": "/statistics?since=2020-01-01&until={until}&by=month",
    "all years by discipline": "/statistics?since=2020-01-01&until={until}&by=discipline",
    "all years by service": "/statistics?since=2020-01-01&until={until}&by=service",
}


async def main(referrals: int, asked: int) -> bool:
    """Measure, print, write; whether every goal holds."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as system:
            await _fill(system, referrals)
            token = await asyncio.to_thread(coordinator, folder)
            base = f"{system.url}/api/referrals"
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                pages = {name: await pages_ms(client, f"{base}{path}", asked) for name, path in PAGES.items()}
                figures = {name: await p95_ms(client, f"{base}{path}", asked // 10) for name, path in FIGURES.items()}
    table = Table("asked for", "p95 (ms)", "at most", "holds", title=f"{referrals:,} referrals")
    for measured, most in ((pages, PAGE_MS), (figures, STATISTICS_MS)):
        for name, took in measured.items():
            table.add_row(name, f"{took:.1f}", f"{most:.0f}", "yes" if took <= most else "NO")
    Console(width=100).print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"referrals": referrals, "pages_ms": pages, "figures_ms": figures}, indent=2))
    return max(pages.values()) <= PAGE_MS and max(figures.values()) <= STATISTICS_MS


async def _fill(system: Running, referrals: int) -> None:
    connection = await asyncpg.connect(system.databases.format(database="consilium_referrals"))
    try:
        await connection.execute(_FILL, referrals, datetime.now(UTC), timeout=600)
        await connection.execute("VACUUM ANALYZE referral", timeout=600)
        await connection.execute("CHECKPOINT", timeout=600)
    finally:
        await connection.close()


def coordinator(folder: str) -> str:
    consilium = str(Path(sys.executable).with_name("consilium"))
    environment = os.environ | {"CONSILIUM_DATA_DIR": folder}
    arguments = [consilium, "token", "--role", "coordinator", "--fhir-user", "Practitioner/17"]
    arguments += ["--organization", "Organization/network"]
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True).stdout.strip()


async def pages_ms(client: httpx.AsyncClient, url: str, asked: int) -> float:
    """The first page and those behind it, in turn, of one who is asked for after another."""
    took: list[float] = []
    cursor: str | None = None
    for number in range(asked):
        if cursor is None:
            first = url.format(patient=number * 7 % 200000, owner=number * 17 % 2000, requester=number * 31 % 5000)
        answer, ms = await _timed(client, first if cursor is None else f"{first}&cursor={cursor}")
        took.append(ms)
        cursor = answer.json()["cursor"] if number % 10 else None
    return _p95(took)


async def p95_ms(client: httpx.AsyncClient, url: str, asked: int) -> float:
    until = datetime.now(UTC).date()
    filled = url.format(since=until - timedelta(days=365), until=until)
    return _p95([(await _timed(client, filled))[1] for _ in range(asked)])


async def _timed(client: httpx.AsyncClient, url: str) -> tuple[httpx.Response, float]:
    began = time.perf_counter()
    answer = await client.get(url)
    ms = (time.perf_counter() - began) * 1000
    answer.raise_for_status()
    return answer, ms


def _p95(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.95)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--referrals", type=int, default=REFERRALS)
    parser.add_argument("--asked", type=int, default=200)
    given = parser.parse_args()
    sys.exit(0 if asyncio.run(main(given.referrals, given.asked)) else 1)
