"""The read replica of a service's database, where the settings name one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.process.databases import database_urls
from shared.settings import ServerSettings
from shared.store.database import Pool
from shared.store.replica import Replica, following


@asynccontextmanager
async def replica_of(
    service: str, primary: Pool, settings: ServerSettings, *, size: int
) -> AsyncIterator[Replica | None]:
    """The replica of the database of ``service`` while the block runs; None where there is none.

    It need not be there at the start: searches go to ``primary`` until it is."""
    if not settings.database_read_url:
        yield None
        return
    url = database_urls(settings.database_read_url, [service])[service]
    async with following(url, primary, max_lag_s=settings.read_max_lag_s, size=size) as replica:
        yield replica
