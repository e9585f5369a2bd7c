"""A pool of asyncpg connections to one service's database."""

from typing import TYPE_CHECKING

import asyncpg
import asyncpg.pool

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    _Base = asyncpg.Connection[asyncpg.Record]
else:
    # asyncpg's classes are generic in its stubs only
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool
    _Base = asyncpg.Connection


class _Connection(_Base):
    """Nothing here leaves session state behind, so a release costs no round trip."""

    def get_reset_query(self) -> str:
        return ""


async def open_pool(url: str, *, size: int = 16) -> Pool:
    """A pool on ``url`` (``postgresql://...``). Raises ``OSError`` or ``asyncpg.PostgresError``."""
    return await asyncpg.create_pool(
        url,
        min_size=min(2, size),
        max_size=size,
        connection_class=_Connection,
        statement_cache_size=512,
        max_inactive_connection_lifetime=0,
        server_settings={"application_name": "consilium", "jit": "off", "timezone": "UTC"},
    )
