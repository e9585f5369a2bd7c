"""``make bench``: every goal and its reference in one run; a table, and ``bench/out/latest.json``."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import asyncpg
from rich.console import Console
from rich.table import Table

from bench.events import event_latency_ms, relay_rate
from bench.load import CONNECTIONS, Load, rate
from bench.material import OWNER, parties, patient, plan, text, transaction
from bench.parts import post_parts
from bench.reference import raw_commits
from bench.reference_server import empty_fastapi
from bench.seeding import into_the_tables, through_the_api
from bench.server import Running, quiet, running
from shared.messaging.transports.rabbitmq import RabbitTransport
from shared.store.migrations import upgrade
from tests.broker import Broker

OUT = Path(__file__).parent / "out" / "latest.json"
PATIENTS, PLANS, MANY_PATIENTS, MANY_PLANS = 1_000, 10_000, 20_000, 200_000
MIGRATIONS = Path(__file__).parents[1] / "services" / "referrals" / "migrations"
GOALS = {
    "get_vs_empty_fastapi": 0.40,
    "search_vs_empty_fastapi": 0.25,
    "post_vs_raw_commits": 0.15,
    "transaction5_vs_raw_commits": 0.06,
}


async def main(seconds: int, rounds: int) -> None:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory(prefix="consilium-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        async with running(Path(folder)) as system:
            figures = await _figures(system, folder, seconds, rounds)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    _print(figures)


async def _figures(system: Running, folder: str, seconds: int, rounds: int) -> dict[str, object]:
    await through_the_api(system, parties())
    await through_the_api(system, [patient(number) for number in range(PATIENTS)])
    await through_the_api(system, [plan(number, PATIENTS) for number in range(PLANS)])
    await quiet(system)
    raw_url = await _database(system, "bench_raw")
    loads = await _loads(system)
    series: dict[str, list[float]] = {name: [] for name in ("empty", "raw", *loads)}
    async with empty_fastapi() as empty:
        for _ in range(rounds):
            # references and goals take turns, so that a mood of the machine touches both
            series["empty"].append(await rate(Load(empty), seconds=seconds))
            for name in ("get", "search"):
                series[name].append(await rate(loads[name], seconds=seconds))
            series["raw"].append(await raw_commits(raw_url, text(plan(1, 1)).encode(), seconds=seconds))
            for name in ("post", "transaction5"):
                series[name].append(await rate(loads[name], seconds=seconds))
                await quiet(system)
    at = {name: median(values) for name, values in series.items()}
    p99 = await event_latency_ms(system, _token(folder, "--role", "clinician", "--organization", OWNER))
    rss = system.rss_mb()
    small = median([await rate(loads["search"], seconds=seconds) for _ in range(rounds)])
    await into_the_tables(
        system.databases.format(database="consilium_careplans"), range(PLANS, MANY_PLANS), MANY_PATIENTS
    )
    large = median([await rate(_searches(system, MANY_PATIENTS), seconds=seconds) for _ in range(rounds)])
    return {
        "ratios": {
            "get_vs_empty_fastapi": round(at["get"] / at["empty"], 3),
            "search_vs_empty_fastapi": round(at["search"] / at["empty"], 3),
            "post_vs_raw_commits": round(at["post"] / at["raw"], 3),
            "transaction5_vs_raw_commits": round(at["transaction5"] / at["raw"], 3),
            "search_200k_vs_10k": round(small / large, 3),
        },
        "relay_events_per_s": round(await _relay(system)),
        "event_p99_ms": round(p99, 1),
        "rss_mb": round(rss, 1),
        "start_s": round(system.start_s, 2),
        "per_second": {name: round(value, 1) for name, value in at.items()},
        "post_us": post_parts(),
    }


async def _loads(system: Running) -> dict[str, Load]:
    connection = await asyncpg.connect(system.databases.format(database="consilium_careplans"))
    ids = await connection.fetch("SELECT id FROM resource WHERE type = 'CarePlan' LIMIT 500")
    await connection.close()
    headers = system.headers
    plans = tuple(text(plan(number, PATIENTS)) for number in range(100))
    transactions = tuple(text(transaction(number)) for number in range(100))
    return {
        "get": Load(system.url, tuple(f"/fhir/CarePlan/{row['id']}" for row in ids), headers=headers),
        "search": _searches(system, PATIENTS),
        "post": Load(system.url, ("/fhir/CarePlan",), "POST", plans, headers),
        "transaction5": Load(system.url, ("/fhir",), "POST", transactions, headers),
    }


def _searches(system: Running, patients: int) -> Load:
    """One patient's active plans, about five of ten."""
    paths = (f"/fhir/CarePlan?patient=bench-{n * 37 % patients}&status=active&_count=5" for n in range(500))
    return Load(system.url, tuple(paths), headers=system.headers)


async def _database(system: Running, name: str) -> str:
    connection = await asyncpg.connect(system.databases.format(database="postgres"))
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return system.databases.format(database=name)


async def _relay(system: Running) -> float:
    """The relay to a real RabbitMQ: quorum queue, publisher confirms."""
    url = await _database(system, "bench_relay")
    await asyncio.to_thread(upgrade, url, MIGRATIONS)
    broker = Broker()
    await asyncio.to_thread(broker.start)
    try:
        transport = RabbitTransport(broker.url)
        try:
            return await relay_rate(url, transport)
        finally:
            await transport.close()
    finally:
        await asyncio.to_thread(broker.close)


def _token(folder: str, *claims: str) -> str:
    consilium = str(Path(sys.executable).with_name("consilium"))
    told = subprocess.run(
        [consilium, "token", *claims], env={"CONSILIUM_DATA_DIR": folder}, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def _print(figures: dict[str, object]) -> None:
    table = Table("figure", "value", "goal", title=f"One run, {CONNECTIONS} connections, authentication on")
    ratios = figures["ratios"]
    assert isinstance(ratios, dict)
    for name, value in ratios.items():
        table.add_row(name, f"{value}", f">= {GOALS[name]}" if name in GOALS else "<= 1.5")
    table.add_row("relay_events_per_s", f"{figures['relay_events_per_s']}", ">= 1500")
    for name in ("event_p99_ms", "rss_mb", "start_s"):
        table.add_row(name, f"{figures[name]}", "")
    Console().print(table)
    Console().print("per second:", figures["per_second"])
    Console().print("microseconds of one POST:", figures["post_us"])


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="bench")
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--rounds", type=int, default=3)
    told = arguments.parse_args()
    asyncio.run(main(told.seconds, told.rounds))
