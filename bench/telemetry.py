"""What telemetry costs: ``python -m bench.telemetry``. Throughput with OTLP to a local collector against without.

Every round starts the system twice on the same data, with and without, in turn: two processes that run the same code
differ by a tenth by luck alone (where things lie in memory), and only other processes average that out. The figure is
the median of the rounds' ratios. Traces, metrics and logs are as they are by default. Where others use the machine,
too, the processor time that our process takes per request says more.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench.load import Load, rate
from bench.material import parties, patient, plan, text
from bench.seeding import through_the_api
from bench.server import Running, free_port, quiet, running
from bench.telemetry_parts import telemetry_parts

OUT = Path(__file__).parent / "out" / "telemetry.json"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PATIENTS, PLANS = 100, 1_000
GOAL = 0.90
METRICS_EVERY_S = 5
"""More often than by default (30), so that short rounds hold exports."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One round: requests per second, and microseconds of our process's processor time for each."""

    rate: float
    cpu_us: float


async def main(seconds: int, rounds: int) -> bool:
    """Measure, print, write; whether every kind of request keeps the goal."""
    plain: dict[str, list[Taken]] = {}
    told: dict[str, list[Taken]] = {}
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(_sink())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="consilium-bench-", ignore_cleanup_errors=True)))
        os.chmod(folder, 0o755)
        async with _system(folder, None) as system:
            await _furnish(system)
        for turn in range(rounds):
            pair = [(None, plain), (sink, told)]
            for endpoint, kept in pair if turn % 2 else reversed(pair):
                async with _system(folder, endpoint) as system:
                    for name, load in (await _loads(system)).items():
                        await rate(load, seconds=1)  # warms up
                        kept.setdefault(name, []).append(await _taken(system, load, seconds))
        async with httpx.AsyncClient() as client:
            collected = (await client.get(sink)).json()
    if {"/v1/traces", "/v1/metrics"} - collected.keys():
        raise RuntimeError("telemetry was not on: the figures would be worthless")
    throughput = {name: [b.rate / a.rate for a, b in zip(plain[name], told[name], strict=True)] for name in plain}
    processor = {name: [a.cpu_us / b.cpu_us for a, b in zip(plain[name], told[name], strict=True)] for name in plain}
    figures: dict[str, dict[str, Any]] = {
        "throughput": {name: round(median(values), 3) for name, values in throughput.items()},
        "processor": {name: round(median(values), 3) for name, values in processor.items()},
        "throughput_rounds": {name: [round(value, 3) for value in values] for name, values in throughput.items()},
        "processor_rounds": {name: [round(value, 3) for value in values] for name, values in processor.items()},
        "per_second_off": {name: round(median(one.rate for one in plain[name])) for name in plain},
        "cpu_us_per_request_off": {name: round(median(one.cpu_us for one in plain[name])) for name in plain},
        "cpu_us_per_request_on": {name: round(median(one.cpu_us for one in told[name])) for name in told},
        "added_us": await asyncio.to_thread(telemetry_parts),  # it runs a loop of its own
        "collector_took": collected,
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    _print(figures)
    return all(ratio >= GOAL for ratio in figures["throughput"].values())


@asynccontextmanager
async def _sink() -> AsyncIterator[str]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.telemetry_sink", str(port))
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=8)) as client:
            await client.get(url)
        yield url
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _system(folder: Path, endpoint: str | None) -> AsyncIterator[Running]:
    """The system on the data in ``folder``, telling ``endpoint`` of itself if there is one."""
    before = dict(os.environ)
    os.environ.pop(ENDPOINT, None)
    if endpoint:
        os.environ |= {ENDPOINT: endpoint, "CONSILIUM_METRIC_INTERVAL_S": str(METRICS_EVERY_S)}
    async with AsyncExitStack() as stack:
        try:
            system = await stack.enter_async_context(running(folder))
        finally:
            os.environ.clear()
            os.environ |= before
        yield system


async def _furnish(system: Running) -> None:
    await through_the_api(system, parties())
    await through_the_api(system, [patient(number) for number in range(PATIENTS)])
    await through_the_api(system, [plan(number, PATIENTS) for number in range(PLANS)])
    await quiet(system)


async def _loads(system: Running) -> dict[str, Load]:
    connection = await asyncpg.connect(system.databases.format(database="consilium_careplans"))
    ids = await connection.fetch("SELECT id FROM resource WHERE type = 'CarePlan' LIMIT 500")
    await connection.close()
    searches = (f"/fhir/CarePlan?patient=bench-{number}&status=active&_count=5" for number in range(PATIENTS))
    plans = tuple(text(plan(number, PATIENTS)) for number in range(100))
    return {
        "get": Load(system.url, tuple(f"/fhir/CarePlan/{row['id']}" for row in ids), headers=system.headers),
        "search": Load(system.url, tuple(searches), headers=system.headers),
        "post": Load(system.url, ("/fhir/CarePlan",), "POST", plans, system.headers),
    }


async def _taken(system: Running, load: Load, seconds: int) -> Taken:
    before = _processor_s(system)
    per_second = await rate(load, seconds=seconds)
    if load.method == "POST":  # what follows from a write is part of its price
        await quiet(system)
    return Taken(per_second, (_processor_s(system) - before) / (per_second * seconds) * 1e6)


def _processor_s(system: Running) -> float:
    """Processor time of the process up to now, in seconds (proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{system.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _print(figures: dict[str, dict[str, Any]]) -> None:
    table = Table("request", "throughput", "processor", "goal", title="With telemetry, of what there is without")
    for name, ratio in figures["throughput"].items():
        table.add_row(name, f"{ratio:.3f}", f"{figures['processor'][name]:.3f}", f">= {GOAL}")
    Console().print(table)
    Console().print({name: values for name, values in figures.items() if name not in ("throughput", "processor")})


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="bench.telemetry")
    arguments.add_argument("--seconds", type=int, default=3)
    arguments.add_argument("--rounds", type=int, default=6)
    chosen = arguments.parse_args()
    sys.exit(0 if asyncio.run(main(chosen.seconds, chosen.rounds)) else 1)
