"""The database of a starting process, waited for: where everything starts at once, it may come last."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_fixed

from shared.process.databases import UNREACHABLE, database_urls
from shared.process.mistakes import Mistake, Unreachable
from shared.process.settings import ProcessSettings
from shared.store.database import Pool, open_pool

T = TypeVar("T")

CLOSED_WITHIN = 0.5
"""Seconds."""
LASTING = (ValueError, asyncpg.InvalidAuthorizationSpecificationError)
"""What waiting does not cure: a URL that is none, a wrong password."""


def database_of(service: str, settings: ProcessSettings) -> str:
    """The URL of the database of ``service``. Raises ``Mistake``."""
    if not settings.database_url:
        raise Mistake("CONSILIUM_DATABASE_URL: a service needs one; the embedded database is for `consilium run`.")
    return database_urls(settings.database_url, [service])[service]


async def opened(service: str, settings: ProcessSettings) -> Pool:
    """A pool on the database of ``service``. Raises ``Unreachable`` when patience ends."""
    url = database_of(service, settings)
    return await patiently(lambda: open_pool(url, size=settings.pool_size), settings)


async def let_go(pool: Pool) -> None:
    """Close ``pool``; a connection that is still in use, by something that did not end in time, is cut."""
    try:
        async with asyncio.timeout(CLOSED_WITHIN):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def patiently(work: Callable[[], Awaitable[T]], settings: ProcessSettings) -> T:
    """The result of ``work``, tried again while its database may still come. Raises ``Unreachable``."""

    async def attempt() -> T:
        # a plain function is not awaited by tenacity, whatever it returns
        return await work()

    attempts = AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_delay(settings.patience_s),
        wait=wait_fixed(0.5),
        reraise=True,
    )
    try:
        return await attempts(attempt)
    except UNREACHABLE as error:
        raise Unreachable("The database cannot be reached.") from error


def _may_pass(error: BaseException) -> bool:
    known = error.__cause__ if isinstance(error, Unreachable) else error
    return isinstance(known, UNREACHABLE) and not isinstance(known, LASTING)
