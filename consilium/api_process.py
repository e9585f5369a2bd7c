"""One API process of several: ``python -m consilium.api_process``, started by ``consilium run``."""

import asyncio
import signal
import sys

import uvloop

from consilium.assembly import SERVICES, assembled
from shared.process.databases import BUS, database_urls
from shared.process.server import serve
from shared.security.settings import SecuritySettings
from shared.security.tokens import verifier_for
from shared.settings import ServerSettings
from shared.telemetry import setup
from shared.telemetry.logs import configure_logs


async def main() -> None:
    """Serve until SIGTERM."""
    settings = ServerSettings()
    configure_logs("consilium")
    telemetry = setup.start("consilium")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # nobody ever writes to it: it becomes readable when the parent is gone
    loop.add_reader(sys.stdin.fileno(), stop.set)
    databases = database_urls(settings.database_url or "", [service.name for service in SERVICES] + [BUS])
    verifier = verifier_for(SecuritySettings())
    processes = settings.workers + 1
    async with assembled(
        databases, verifier, telemetry, amqp_url=settings.amqp_url, background=False, processes=processes
    ) as assembly:
        reading = asyncio.create_task(assembly.read(stop))
        await serve(assembly.app, host=settings.host, port=settings.port, stop=stop)
        await reading
    telemetry.shutdown()


if __name__ == "__main__":
    uvloop.run(main())
