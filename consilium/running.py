"""``consilium run``: the database, the API and the workers, from start to the last connection."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from consilium.api_processes import keep_running
from consilium.assembly import SERVICES, Assembly, assembled
from consilium.databases import BUS, create_missing, database_urls, template
from consilium.embedding import BASE, EmbeddedServer
from consilium.migrating import migrate
from consilium.server import serve
from shared.security.settings import SecuritySettings
from shared.security.tokens import verifier_for
from shared.settings import ServerSettings
from shared.telemetry import setup
from shared.telemetry.logs import configure_logs

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that open requests and messages in hand get when the process is told to stop."""


async def run(
    settings: ServerSettings,
    embedded: EmbeddedServer | None,
    announce: Callable[[], None],
    embedded_at: Callable[[str], None] = lambda databases: None,
) -> None:
    """Serve until SIGTERM or SIGINT, on the ``embedded`` server or on the one that ``settings`` name.

    ``announce`` is called once the API answers, ``embedded_at`` with the databases' URL (with ``{service}``) when the
    embedded server is up."""
    configure_logs("consilium")
    telemetry = setup.start("consilium")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
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
    finally:
        telemetry.shutdown()


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
    async with AsyncExitStack() as stack:
        tasks = [asyncio.create_task(assembly.read(stop), name="readers")]
        if assembly.background is not None:
            tasks.append(asyncio.create_task(assembly.background.run(stop), name="workers"))
        if settings.workers == 1:
            serving = serve(assembly.app, host=settings.host, port=settings.port, stop=stop)
        else:
            serving = keep_running(settings, databases, stop)
        tasks.append(asyncio.create_task(serving, name="API"))
        stack.push_async_callback(_end, tasks, stop)
        announcing = asyncio.create_task(_announce(settings, announce))
        stack.callback(announcing.cancel)
        waiting = asyncio.create_task(stop.wait())
        stack.callback(waiting.cancel)
        # readers may have nothing to do and end at once; everything else runs until told to stop
        await asyncio.wait({waiting, *tasks[1:]}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            failed = next(task for task in tasks[1:] if task.done())
            log.error("the %s ended unexpectedly", failed.get_name())
            failed.result()
            raise RuntimeError(f"the {failed.get_name()} ended unexpectedly")


async def _end(tasks: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Let everything finish what it has in hand; cancel what takes longer than the grace."""
    stop.set()
    _, late = await asyncio.wait(tasks, timeout=GRACE)
    for task in late:
        log.warning("the %s did not end in time", task.get_name())
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _announce(settings: ServerSettings, announce: Callable[[], None]) -> None:
    """Tell once the port answers."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(settings.host, settings.port)
            writer.close()
            announce()
            return
        await asyncio.sleep(0.01)
