"""What an installation needs as it grows: ``python -m bench.scale FOLDER`` (Synthea Bundles).

On a machine with few cores more processes cannot be faster than the cores; so beside the rates it measures what a
request or an event costs in time of a core, and that this stays the same with more processes. What follows from it is
in docs/operations/capacity.md.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from bench.load import Load, rate
from bench.material import patient, plan, text
from bench.scale_statements import bundles, load
from consilium.assembly import SERVICES
from shared.process.databases import create_missing, database_urls
from shared.process.migrating import migrate
from shared.store.embedded import embedded_postgres
from tests.broker import Broker
from tests.e2e.evidence import Evidence
from tests.e2e.referring import burst, furnish
from tests.eventually import eventually
from tests.factories.apart import GATEWAY, OWNERS, Apart, Child, Counts, apart
from tests.factories.system import EHR, bearer

OUT = Path(__file__).parent / "out" / "scale.json"
PATIENTS, REFERRALS, MOST = 200, 120, 3


async def main(folder: Path, patients: int, seconds: int) -> None:
    """Measure, print, write."""
    broker = Broker()
    await asyncio.to_thread(broker.start)
    try:
        with tempfile.TemporaryDirectory(prefix="consilium-scale-", ignore_cleanup_errors=True) as data:
            os.chmod(data, 0o755)
            with embedded_postgres(Path(data) / "postgres") as url:
                databases = database_urls(url, [service.name for service in SERVICES], base="bench")
                await create_missing(databases)
                await migrate(SERVICES, databases)
                settings = {"CONSILIUM_POOL_SIZE": "10"}
                async with apart(databases, broker.url, Path(data), Counts(), settings) as running:
                    figures = await _figures(running, folder, patients, seconds)
    finally:
        await asyncio.to_thread(broker.close)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


async def _figures(running: Apart, folder: Path, patients: int, seconds: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"idle_mb": _memory(running)}
    figures["storage"] = await _storage(running, folder, patients)
    client = running.by(EHR)
    for start in range(0, PATIENTS, 100):
        resources = [patient(number) for number in range(start, start + 100)]
        entries = [{"resource": one, "request": {"method": "PUT", "url": f"Patient/{one['id']}"}} for one in resources]
        whole = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        (await client.post("/fhir", json=whole)).raise_for_status()
    figures["requests"] = await _requests(running, seconds)
    figures["through_the_gateway"] = await _costs(running, running.children[GATEWAY, "api"], seconds)
    figures["events"] = await _events(running)
    figures["busy_mb"] = _memory(running)
    figures["connections"] = await _connections(running)
    return figures


async def _requests(running: Apart, seconds: int) -> dict[str, Any]:
    """With 1, 2 and 3 API processes of one service: requests per second in all, and what one costs."""
    found = {}
    for count in range(1, MOST + 1):
        children = running.children["careplans", "api"]
        await running.come_up([running.spawn("careplans", "api") for _ in range(count - len(children))])
        found[str(count)] = await _costs(running, children, seconds)
    for child in list(running.children["careplans", "api"])[1:]:
        await running.retire(child)
    return found


async def _costs(running: Apart, children: Sequence[Child], seconds: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("read", "search", "create"):
        before = _spent(running, children)
        rates = await asyncio.gather(*(rate(_load(running, name, child), seconds=seconds) for child in children))
        done = sum(rates) * seconds
        after = _spent(running, children)
        costs = {kind: round((after[kind] - before[kind]) / done * 1000, 3) for kind in after}
        found[name] = {"per_second": round(sum(rates)), "core_ms": costs}
    return found


def _load(running: Apart, name: str, child: Child) -> Load:
    headers = (*bearer(EHR, running.data_dir).items(), ("Content-Type", "application/fhir+json"))
    url = f"http://127.0.0.1:{child.port}"
    if name == "read":
        return Load(url, tuple(f"/fhir/Patient/bench-{number}" for number in range(PATIENTS)), headers=headers)
    if name == "search":
        paths = tuple(f"/fhir/CarePlan?patient=bench-{number}&_count=5" for number in range(PATIENTS))
        return Load(url, paths, headers=headers)
    bodies = tuple(text(plan(number, PATIENTS)) for number in range(100))
    return Load(url, ("/fhir/CarePlan",), "POST", bodies, headers)


async def _events(running: Apart) -> dict[str, Any]:
    """With 1, 2 and 3 workers of each service: how long a backlog of referrals takes, what an event costs."""
    patients = await furnish(running, 20)
    evidence = Evidence(running.databases, running.amqp_url)
    await eventually(evidence.drained, within=300, every=0.5)
    found = {}
    for count in range(1, MOST + 1):
        for name in OWNERS:
            for child in list(running.children[name, "worker"]):
                await running.retire(child)
        before = await _told(evidence)
        sent = await burst(running, patients, REFERRALS)
        workers = [running.spawn(name, "worker") for name in OWNERS for _ in range(count)]
        await running.come_up(workers)
        began, spent = time.monotonic(), _spent(running, workers)
        waiting = REFERRALS - (await _heard(evidence, len(sent)))
        await eventually(evidence.drained, within=600, every=0.25)
        took, after = time.monotonic() - began, _spent(running, workers)
        events = await _told(evidence) - before
        found[str(count)] = {
            "events": events,
            "seconds": round(took, 1),
            "per_second": round(events / took, 1),
            "core_ms": {kind: round((after[kind] - spent[kind]) / events * 1000, 2) for kind in after},
            "waiting_at_start": waiting,
        }
    await evidence.close()
    return found


async def _heard(evidence: Evidence, sent: int) -> int:
    (row,) = await evidence.rows("referrals", "SELECT count(*) FROM outbox WHERE published_at IS NULL")
    return max(0, sent - int(row[0]))


async def _told(evidence: Evidence) -> int:
    return sum([len(await evidence.events(name)) for name in OWNERS])


async def _storage(running: Apart, folder: Path, patients: int) -> dict[str, Any]:
    """What a Synthea patient takes in the databases, the directory left out."""
    given = list(bundles(folder, patients))
    before: Mapping[str, int] = {}
    resources = 0
    for number, bundle in enumerate(given):
        if number == 2:
            before = await _sizes(running)
        await load(running.by(EHR), bundle)
        resources += len(bundle["entry"]) if number >= 2 else 0
    after = await _sizes(running)
    count = max(1, len(given) - 2)
    return {
        "patients": count,
        "resources_per_patient": round(resources / count),
        "mb_per_patient": round(sum(after[name] - before[name] for name in after) / count / 2**20, 2),
        "kb_per_resource": round(sum(after[name] - before[name] for name in after) / max(resources, 1) / 1024, 2),
    }


async def _sizes(running: Apart) -> dict[str, int]:
    found = {}
    for name, url in running.databases.items():
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM")
        found[name] = int(await connection.fetchval("SELECT pg_database_size(current_database())"))
        await connection.close()
    return found


async def _connections(running: Apart) -> dict[str, float]:
    """PostgreSQL connections that one process of a service has open."""
    found = {}
    for name, url in running.databases.items():
        connection = await asyncpg.connect(url)
        open_ = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        processes = len(running.children[name, "api"]) + len(running.children[name, "worker"])
        found[name] = round(int(await connection.fetchval(open_)) / processes, 1)
        await connection.close()
    return found


def _memory(running: Apart) -> dict[str, int]:
    """The largest process of each kind, in MB."""
    return {
        f"{service} {command}": round(max(child.rss_mb for child in some))
        for (service, command), some in running.children.items()
    }


def _spent(running: Apart, ours: Iterable[Child]) -> dict[str, float]:
    """Seconds of a core that were spent until now by ``ours``, by the other processes, and by PostgreSQL."""
    known = {child.running.pid for child in ours}
    pid = int((running.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
    postmaster = psutil.Process(pid)
    backends = [postmaster, *postmaster.children(recursive=True)]
    rest = [child.running.pid for child in running.all if child.running.pid not in known]
    return {
        "these": sum(_cpu(psutil.Process(pid)) for pid in known),
        "others": sum(_cpu(psutil.Process(pid)) for pid in rest),
        "postgresql": sum(_cpu(process) for process in backends),
    }


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="bench.scale")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--patients", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=5)
    told = arguments.parse_args()
    asyncio.run(main(told.folder, told.patients, told.seconds))
