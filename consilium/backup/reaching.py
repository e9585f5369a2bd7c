"""The embedded databases, whether or not a ``run`` serves them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from consilium.assembly import SERVICES
from consilium.embedding import BASE, LEADS_NOWHERE, EmbeddedServer, leads_nowhere
from consilium.installation import exclusive, running_on, tell_resting
from shared.process.databases import database_urls, template
from shared.process.mistakes import Mistake
from shared.settings import ServerSettings

NAMES = [service.name for service in SERVICES]


@asynccontextmanager
async def databases_of(settings: ServerSettings | None = None) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
    """The administration URL of the embedded server and the services' databases on it.

    Started for the block where nobody runs. Raises ``Mistake``."""
    settings = settings or ServerSettings()
    if settings.database_url is not None:
        raise Mistake("CONSILIUM_DATABASE_URL names a database of your own: docs/operations/backup.md says how.")
    running = running_on(settings.data_dir)
    async with AsyncExitStack() as stack:
        if running is not None and running.databases is None:
            raise Mistake("The installation is just starting, or ending. Try again in a moment.")
        if running is not None and running.databases is not None:
            urls = running.databases
        elif leads_nowhere(settings.data_dir / "postgres"):
            raise Mistake(LEADS_NOWHERE)
        elif not (settings.data_dir / "postgres" / "PG_VERSION").exists():
            raise Mistake("Nothing ran in CONSILIUM_DATA_DIR yet, so there is nothing to back up.")
        else:
            stack.enter_context(exclusive(settings.data_dir, "consilium backup"))
            tell_resting(settings.data_dir)
            embedded = stack.enter_context(EmbeddedServer(settings.data_dir / "postgres"))
            urls = template(await embedded.url(), base=BASE)
        yield urls.replace(f"{BASE}_{{service}}", "postgres"), database_urls(urls, NAMES)
