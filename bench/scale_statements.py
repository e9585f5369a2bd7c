"""How many statements of real work one patient's shard could answer: what decides whether sharding by patient pays.

``python -m bench.scale_statements FOLDER``: loads the Bundles of FOLDER (Synthea patients; the two directory batches
first), then does everyday work on them, and sorts every statement that the services sent. See
docs/operations/sharding.md.
"""

import argparse
import asyncio
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from consilium.assembly import SERVICES
from shared.fhir.json import dumps, loads
from shared.process.databases import BUS, create_missing, database_urls
from shared.process.migrating import migrate
from shared.store.database import Connection
from shared.store.embedded import embedded_postgres
from tests.e2e.referring import act, furnish, send
from tests.factories.resources import care_plan, observation
from tests.factories.system import COORDINATOR, EHR, Site, System

ONE = "one patient's rows, and says so"
BY_ID = "one patient's rows, by type and id only"
DIRECTORY = "rows of no patient (reference tables)"
SEVERAL = "rows of several patients in one statement"
ANY = "searches over all patients"
OWN = "outbox, inbox, deliveries and other tables of a service"
POLL = "jobs that look whether there is work (they do so idle, too)"
SKIPPED = re.compile(
    r"^\s*(BEGIN|COMMIT|ROLLBACK|SELECT 1|SELECT pg_|SELECT clock_|SET|RESET|LISTEN|UNLISTEN|SAVEPOINT|RELEASE)", re.I
)
POLLS = re.compile(r"SKIP LOCKED\s*$|^\s*WITH due AS|FROM outbox WHERE published_at IS NULL|retention_sweep|typebases")
Key = tuple[str, str]


class Sorter:
    """Sorts statements; it learns from the writes whose each resource is."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.tables: Counter[str] = Counter()
        self._patients: dict[Key, str | None] = {}

    def note(self, record: Any) -> None:
        """Sort one statement that a connection sent."""
        if not SKIPPED.match(record.query):
            self.found[self._kind(record.query, record.args)] += 1

    def _kind(self, query: str, args: Sequence[Any]) -> str:
        if POLLS.search(query):
            return POLL
        if query.startswith("WITH incoming"):
            return self._written(query, args)
        if query.startswith("SELECT page."):
            return ONE if "r.patient" in query else ANY
        if "resource" in query and "unnest($1::text[], $2::text[])" in query:
            return self._of(zip(args[0], args[1], strict=True))
        if re.search(r"FROM (resource|resource_history) WHERE type = \$1 AND id = \$2", query):
            return self._of([(args[0], args[1])])
        if "FROM resource " in query or "index_" in query:
            return ONE if "r.patient" in query else ANY
        table = re.search(r"(?:FROM|INTO|UPDATE|JOIN) ([a-z_]+)", query)
        self.tables[table.group(1) if table else query[:30]] += 1
        return OWN

    def _written(self, query: str, args: Sequence[Any]) -> str:
        keys = list(zip(args[0], args[1], strict=True))
        self._patients |= dict(zip(keys, args[5], strict=True))
        if "present AS" in query:
            keys += zip(args[10], args[11], strict=True)
        kind = self._of(keys)
        return ONE if kind == BY_ID else kind

    def _of(self, keys: Any) -> str:
        # a patient's own row is in its own compartment
        of = {f"{key[0]}/{key[1]}" if key[0] == "Patient" else self._patients.get(key) for key in keys} - {None}
        return DIRECTORY if not of else BY_ID if len({one.rpartition("/")[2] for one in of if one}) == 1 else SEVERAL


async def main(folder: Path, patients: int) -> None:
    """Load, work, sort, print."""
    with tempfile.TemporaryDirectory(prefix="consilium-bench-", ignore_cleanup_errors=True) as data:
        os.chmod(data, 0o755)
        with embedded_postgres(Path(data) / "postgres") as url:
            databases = database_urls(url, [*(service.name for service in SERVICES), BUS], base="bench")
            await create_missing(databases)
            await migrate(SERVICES, databases)
            async with System(databases, Path(data)).site() as site, site.working():
                loading, everyday = Sorter(), Sorter()
                _listen(site, loading)
                loaded = [await load(site.by(EHR), bundle) for bundle in bundles(folder, patients)]
                everyday._patients = loading._patients
                _listen(site, everyday)
                await _work(site, [one for one in loaded if one])
                await asyncio.sleep(3)  # the last events find their consumers
    for title, sorter in (("Loading Synthea patients", loading), ("Everyday work", everyday)):
        _print(title, sorter)


def _listen(site: Site, sorter: Sorter) -> None:
    """Every connection, also one that is opened later, tells ``sorter``."""
    for engine in site.assembly.engines.values():
        for holder in engine.pool._holders:
            if holder._con is not None:
                for logger in list(holder._con._query_loggers):
                    holder._con._query_loggers.discard(logger)
                holder._con.add_query_logger(sorter.note)

        async def init(connection: Connection, sorter: Sorter = sorter) -> None:
            connection.add_query_logger(sorter.note)

        engine.pool._init = init


def bundles(folder: Path, patients: int) -> Iterator[dict[str, Any]]:
    """The two of the directory, and those of so many patients, spread over the sizes that there are."""
    directory = sorted(folder.glob("0-*.json"))
    others = sorted((path for path in folder.glob("*.json") if path not in directory), key=lambda p: p.stat().st_size)
    for path in (*directory, *others[:: max(1, len(others) // patients)][:patients]):
        yield loads(path.read_bytes())


async def load(client: httpx.AsyncClient, bundle: dict[str, Any]) -> str | None:
    """Send one, what each owner owns apart; the patient that it brought."""
    entries = bundle["entry"]
    names = {entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in entries}
    text = dumps([entry["resource"] for entry in entries]).decode()
    for full_url, name in names.items():
        text = text.replace(f'"{full_url}"', f'"{name}"')
    resources = loads(text.encode())
    parts: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for resource in resources:
        mine = resource["resourceType"] in ("Practitioner", "PractitionerRole", "Organization", "Location")
        url = f"{resource['resourceType']}/{resource['id']}"
        parts[mine].append({"resource": resource, "request": {"method": "PUT", "url": url}})
    for part in parts.values():
        for start in range(0, len(part), 400):
            whole = {"resourceType": "Bundle", "type": "batch", "entry": part[start : start + 400]}
            (await client.post("/fhir", content=dumps(whole), headers=JSON)).raise_for_status()
    return next((name for name in names.values() if name.startswith("Patient/")), None)


JSON = {"content-type": "application/fhir+json"}


async def _work(site: Site, patients: list[str], turns: int = 60) -> None:
    """What people and EHRs do: look at a record, write notes, refer, take steps, look at lists."""
    await furnish(site)
    client, coordinator = site.by(EHR), site.by(COORDINATOR)
    for turn in range(turns):
        patient = patients[turn % len(patients)]
        plan = (await client.post("/fhir/CarePlan", json=care_plan(patient))).json()
        made = (await client.post("/fhir/Observation", json=observation(patient))).json()
        for type_ in ("Condition", "Observation", "MedicationRequest", "CarePlan"):
            await client.get(f"/fhir/{type_}", params={"patient": patient, "_count": "20"})
        for address in (patient, f"CarePlan/{plan['id']}", f"Observation/{made['id']}"):
            for _ in range(2):
                await client.get(f"/fhir/{address}")
        await client.put(f"/fhir/CarePlan/{plan['id']}", json=plan | {"title": "changed"})
        sent = await send(site, patient)
        if sent is not None:
            await act(site, sent, "accept")
        await coordinator.get("/api/referrals")
        await coordinator.get("/fhir/Task", params={"status": "requested", "_count": "20"})
        await coordinator.get("/api/notifications/messages")


def _print(title: str, sorter: Sorter) -> None:
    table = Table("statements that touch", "number", "share", title=title)
    total = sorter.found.total() - sorter.found[POLL]
    for kind in (ONE, BY_ID, DIRECTORY, SEVERAL, ANY, OWN):
        table.add_row(kind, str(sorter.found[kind]), f"{sorter.found[kind] / max(total, 1):.1%}")
    table.add_row(POLL, str(sorter.found[POLL]), "")
    Console(width=110).print(table, "own tables:", dict(sorter.tables.most_common()))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="bench.scale_statements")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--patients", type=int, default=4)
    told = arguments.parse_args()
    asyncio.run(main(told.folder, told.patients))
