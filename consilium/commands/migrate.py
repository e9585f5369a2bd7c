"""``consilium migrate``: bring the databases to the newest schema."""

from typing import Annotated

import typer


def command(
    service: Annotated[str | None, typer.Argument(help="One service; all without it.")] = None,
) -> None:
    """Migrate the databases at CONSILIUM_DATABASE_URL (made where they are missing and that is allowed)."""
    import asyncio

    from rich.console import Console

    from consilium.assembly import SERVICES
    from consilium.mistakes import reported
    from shared.messaging.transports.in_process import open_in_process
    from shared.process.databases import BUS, create_missing, database_urls
    from shared.process.migrating import migrate
    from shared.settings import ServerSettings
    from shared.store.database import open_pool

    console = Console()
    with reported("Not migrated."):
        settings = ServerSettings()
    chosen = [known for known in SERVICES if service in (None, known.name)]
    if not chosen:
        raise typer.BadParameter("No such service.", param_hint="service")
    if settings.database_url is None:
        console.print("The embedded database migrates itself on [bold]consilium run[/].")
        return
    databases = database_urls(settings.database_url, [known.name for known in chosen])
    # it belongs to no service, and a broker replaces it
    bus = {} if service or settings.amqp_url else database_urls(settings.database_url, [BUS])

    async def work() -> list[str]:
        await create_missing(databases | bus)
        for url in bus.values():
            transport = await open_in_process(await open_pool(url, size=2))
            await transport.close()
        return await migrate(chosen, databases)

    with reported("Not migrated."):
        changed = asyncio.run(work())
    for known in chosen:
        console.print(f"{known.name}: {'migrated' if known.name in changed else 'up to date'}")
