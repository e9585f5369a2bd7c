"""The plan board at 100,000 shared plans: ``make bench-board`` measures each page and the counts, and explains them.

The rows go straight into ``plan_standing``: nine in ten plans have not ended, a third of the reviews are due; 3,000
people take part, each in about 100 plans. One request at a time, over HTTP, as a coordinator.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench.server import Running, running
from bench.worklists import coordinator, p95_ms, pages_ms
from services.careplans.domain.board import Listing
from services.careplans.store.boards import Filter, Listed, select

OUT = Path(__file__).parent / "out" / "board.json"
PLANS = 100_000
PAGE_MS, COUNTS_MS = 50.0, 500.0
"""At most, 95 of 100."""

_FILL = """
INSERT INTO plan_standing (care_plan, patient, status, version, disciplines, members, open_activities, activities,
    goals, gaps, flags, sections, sections_at, last_score_at, last_review_at, next_review_at, unmeasured_at,
    gap_at, stale_at)
SELECT 'bench-' || n, 'Patient/bench-' || n,
    CASE n % 10 WHEN 0 THEN 'completed' WHEN 1 THEN 'draft' WHEN 2 THEN 'on-hold' ELSE 'active' END, 3,
    ARRAY[(ARRAY['pain-medicine', 'mental-health', 'physical-therapy'])[1 + n % 3]],
    ARRAY['Practitioner/' || n * 31 % 3000, 'Practitioner/' || n * 17 % 3000, 'Organization/' || n % 50], 3, 5, 2,
    CASE WHEN n % 4 = 0 THEN ARRAY['no-patient-goal'] ELSE '{}' END,
    CASE WHEN n % 20 = 5 THEN ARRAY['step-up:phq-9'] ELSE '{}' END,
    ARRAY['goals', 'team'], ARRAY[at, at], at, NULL, at + interval '12 weeks', at + interval '13 weeks',
    CASE WHEN n % 4 = 0 THEN at ELSE at + interval '13 weeks' END, at + interval '26 weeks'
FROM (SELECT n, $2::timestamptz - (n * 7919 % 18) * interval '1 week' - (n % 86400) * interval '1 second' AS at
      FROM generate_series(1, $1::bigint) AS n) AS plans
"""
PAGES = {
    "board": "?list=board",
    "board of a discipline": "?list=board&discipline=mental-health",
    "board of a member": "?list=board&member=Practitioner/{owner}",
    "reviews due": "?list=reviews-due",
    "reviews due of a member": "?list=reviews-due&member=Practitioner/{owner}",
    "gaps": "?list=gaps",
    "gaps of a discipline": "?list=gaps&discipline=physical-therapy",
    "stale": "?list=stale",
    "flagged": "?list=flagged",
    "flagged of a member": "?list=flagged&member=Practitioner/{owner}",
}
FIGURES = {"counts": "/counts", "counts of a member": "/counts?member=Practitioner/17"}


async def main(plans: int, asked: int) -> bool:
    """Measure, print, write; whether every goal holds."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as system:
            explained = await _fill(system, plans)
            token = await asyncio.to_thread(coordinator, folder)
            base = f"{system.url}/api/plans/board"
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                pages = {name: await pages_ms(client, f"{base}{path}", asked) for name, path in PAGES.items()}
                figures = {name: await p95_ms(client, f"{base}{path}", asked // 10) for name, path in FIGURES.items()}
    table = Table("asked for", "p95 (ms)", "at most", "holds", title=f"{plans:,} plans")
    for measured, most in ((pages, PAGE_MS), (figures, COUNTS_MS)):
        for name, took in measured.items():
            table.add_row(name, f"{took:.1f}", f"{most:.0f}", "yes" if took <= most else "NO")
    Console(width=100).print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"plans": plans, "pages": pages, "counts": figures, "explained": explained}, indent=2))
    return max(pages.values()) <= PAGE_MS and max(figures.values()) <= COUNTS_MS


async def _fill(system: Running, plans: int) -> dict[str, list[str]]:
    """Fill the table; how PostgreSQL goes about the first page of each list."""
    connection = await asyncpg.connect(system.databases.format(database="consilium_careplans"))
    now = datetime.now(UTC)
    try:
        await connection.execute(_FILL, plans, now, timeout=600)
        await connection.execute("VACUUM ANALYZE plan_standing", timeout=600)
        await connection.execute("CHECKPOINT", timeout=600)
        explained = {}
        for list_ in Listing:
            for name, filter_ in (("", Filter()), (" of a member", Filter(member="Practitioner/17"))):
                statement, parameters = select(Listed(list_, filter_, now), after=None, limit=51)
                rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}", *parameters)
                explained[f"{list_.value}{name}"] = [row[0] for row in rows]
        return explained
    finally:
        await connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--plans", type=int, default=PLANS)
    parser.add_argument("--asked", type=int, default=200)
    given = parser.parse_args()
    sys.exit(0 if asyncio.run(main(given.plans, given.asked)) else 1)
