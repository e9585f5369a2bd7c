"""All checks at once, each for itself: one that fails, or never ends, says so and hides no other."""

import asyncio
import os
from collections.abc import Awaitable, Mapping, Sequence

from shared.doctor import carriers, contradictions, database, disk, endpoints, keys, variables
from shared.doctor.finding import Finding, failure
from shared.messaging.refill_request import refill_queue
from shared.process.databases import BUS, database_urls
from shared.service import Service
from shared.telemetry.failures import class_of
from shared.worker import queue_of

LONGEST = 25.0
"""Seconds for one check."""


async def diagnose(
    services: Sequence[Service],
    *,
    apart: bool,
    databases: Mapping[str, str] | None = None,
    urls: Mapping[str, str] | None = None,
    more: Mapping[str, Awaitable[Sequence[Finding]]] | None = None,
) -> list[Finding]:
    """Examine the installation of ``services``; raises nothing.

    ``apart``: each in processes of its own, as in an image; the gateway's has no services, only ``urls``.
    ``databases`` (by service, and the bus) are those of
    CONSILIUM_DATABASE_URL unless given; none are looked at where neither says any. ``urls`` (by name) are processes
    that should answer. ``more`` are checks of the caller's own, by name."""
    more_settings = [settings for service in services for settings in service.settings]
    told, given = contradictions.findings(apart=apart and bool(services), peers=apart, more=more_settings)
    told = [*variables.findings(), *told]
    checks: dict[str, Awaitable[Sequence[Finding]]] = dict(more or {})
    if given is not None:
        names = [*(service.name for service in services), BUS]
        if databases is None and given.process.database_url:
            databases = database_urls(given.process.database_url, names)
        for service in services if databases is not None else ():
            assert databases is not None
            url = databases[service.name]
            checks[f"database {service.name}"] = database.examine(service.name, url, service.migrations)
            if given.process.database_read_url:
                copy = database_urls(given.process.database_read_url, [service.name])[service.name]
                checks[f"replica {service.name}"] = database.examine_replica(service.name, copy, url)
        if services and given.process.amqp_url:
            queues = [queue_of(binding) for service in services for binding in service.bindings]
            queues += [refill_queue(service.name) for service in services]
            checks["broker"] = carriers.broker(given.process.amqp_url, queues)
        elif services and databases is not None and not apart:
            checks["bus"] = carriers.bus(databases[BUS])
        if services:
            checks["keys"] = keys.examine(given.security)
        if not apart:
            told.append(disk.room("disk", given.process.data_dir))
    checks["telemetry"] = endpoints.collector()
    checks["mail"] = endpoints.mail()
    checks["processes"] = endpoints.processes(urls or {})
    for found in await asyncio.gather(*(_guarded(name, check) for name, check in checks.items())):
        told.extend(found)
    return told


async def _guarded(name: str, check: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(LONGEST):
            return await check
    except Exception as error:  # noqa: BLE001  a doctor who faints helps nobody: whatever it was is a finding
        return [failure(name, f"the check itself failed ({class_of(error)})", "Is something there that is not ours?")]


def upstreams() -> dict[str, str]:
    """The services' URLs that the environment names (the gateway reads them), by service."""
    named = {
        name: os.environ.get(f"CONSILIUM_{name.upper()}_URL") for name in ("referrals", "careplans", "notifications")
    }
    return {name: url for name, url in named.items() if url}


def own_url(host: str, port: int) -> str:
    """Where this machine's process of the same environment answers."""
    at = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{at}]' if ':' in at else at}:{port}"
