"""``consilium run``: the database, the API and the workers, from start to the last connection."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from consilium.api_processes import keep_running
from consilium.assembly import SERVICES, Assembly, assembled
from consilium.embedding import BASE, EmbeddedServer
from shared.process.databases import BUS, create_missing, database_urls, template
from shared.process.life import life, until
from shared.process.migrating import migrate
from shared.process.server import serve
from shared.security.settings import SecuritySettings
from shared.security.tokens import verifier_for
from shared.settings import ServerSettings
from shared.worker import require_retention


async def run(
    settings: ServerSettings,
    embedded: EmbeddedServer | None,
    announce: Callable[[], None],
    embedded_at: Callable[[str], None] = lambda databases: None,
) -> None:
    """Serve until SIGTERM or SIGINT, on the ``embedded`` server or on the one that ``settings`` name.

    ``announce`` is called once the API answers, ``embedded_at`` with the databases' URL (with ``{service}``) when the
    embedded server is up."""
    for service in SERVICES:
        require_retention(service)
    async with life("consilium") as (telemetry, stop):
        urls = await _prepared(settings, embedded, embedded_at)
        databases = database_urls(urls, [service.name for service in SERVICES] + [BUS])
        async with assembled(
            databases,
            verifier_for(SecuritySettings()),
            telemetry,
            amqp_url=settings.amqp_url,
            processes=1 if settings.workers == 1 else settings.workers + 1,
        ) as assembly:
            await _work(settings, assembly, urls, stop, announce)


async def _prepared(
    settings: ServerSettings, embedded: EmbeddedServer | None, embedded_at: Callable[[str], None]
) -> str:
    """The databases' URL (with ``{service}``); they are there, and at the newest schema."""
    if embedded is not None:
        urls = template(await embedded.url(), base=BASE)
        embedded_at(urls)
    else:
        urls = template(settings.database_url or "")
    databases = database_urls(urls, [service.name for service in SERVICES] + [BUS])
    if settings.amqp_url:
        del databases[BUS]
    await create_missing(databases)
    await migrate(SERVICES, databases)
    return urls


async def _work(
    settings: ServerSettings, assembly: Assembly, databases: str, stop: asyncio.Event, announce: Callable[[], None]
) -> None:
    """The API and the workers, until ``stop`` or until one of them ends by itself, which is a failure."""
    reading = asyncio.create_task(assembly.read(stop), name="readers")
    lasting = []
    if assembly.background is not None:
        lasting.append(asyncio.create_task(assembly.background.run(stop), name="workers"))
    if settings.workers == 1:
        serving = serve(assembly.app, host=settings.host, port=settings.port, stop=stop)
    else:
        serving = keep_running(settings, databases, stop)
    lasting.append(asyncio.create_task(serving, name="API"))
    announcing = asyncio.create_task(_announce(settings, announce))
    try:
        await until(stop, lasting, [reading])
    finally:
        announcing.cancel()


async def _announce(settings: ServerSettings, announce: Callable[[], None]) -> None:
    """Tell once the port answers."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(settings.host, settings.port)
            writer.close()
            announce()
            return
        await asyncio.sleep(0.01)
