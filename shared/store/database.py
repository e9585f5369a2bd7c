"""A pool of asyncpg connections to one service's database.

A machine that loses its power says no farewell: whoever waits for its answer would wait for ever, and what its sessions
had locked would stay locked for the two hours after which TCP asks by default. So both ends ask early whether the
other is there (https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-TCP-KEEPALIVES-IDLE).
"""

import socket
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import asyncpg.pool

from shared.telemetry.measures import POOL_WAIT
from shared.telemetry.pools import watch_pool

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    _Base = asyncpg.Connection[asyncpg.Record]
    _PoolBase = asyncpg.Pool[asyncpg.Record]
else:
    # asyncpg's classes are generic in its stubs only
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool
    _Base = asyncpg.Connection
    _PoolBase = asyncpg.Pool


ASKED_AFTER_S, ASKED_EVERY_S, ASKED_TIMES = 10, 5, 4
GIVEN_UP_AFTER_S = ASKED_AFTER_S + ASKED_EVERY_S * ASKED_TIMES
"""How long an end that is silent is taken for alive."""

SPARE, SPARE_IDLE_S = 2, 30.0
"""Connections beside a pool's own, and the seconds after which one that is not used is closed."""

_OURS = {
    "TCP_KEEPIDLE": ASKED_AFTER_S,
    "TCP_KEEPINTVL": ASKED_EVERY_S,
    "TCP_KEEPCNT": ASKED_TIMES,
    "TCP_USER_TIMEOUT": GIVEN_UP_AFTER_S * 1000,
}
_THE_SERVERS = {
    "tcp_keepalives_idle": str(ASKED_AFTER_S),
    "tcp_keepalives_interval": str(ASKED_EVERY_S),
    "tcp_keepalives_count": str(ASKED_TIMES),
    "tcp_user_timeout": str(GIVEN_UP_AFTER_S * 1000),
}


class _Connection(_Base):
    """Nothing here leaves session state behind, so a release costs no round trip. Its socket notices a lost machine."""

    def __init__(self, protocol: Any, transport: Any, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        connected = transport.get_extra_info("socket")
        if connected.family in (socket.AF_INET, socket.AF_INET6):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in _OURS.items():
                if hasattr(socket, name):  # systems other than Linux lack some
                    connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def get_reset_query(self) -> str:
        return ""


class _Pool(_PoolBase):
    """Tells how long one waits for a connection."""

    __slots__ = ("__weakref__", "name", "spare")
    name: str
    spare: "_Pool | None"

    async def close(self) -> None:
        if self.spare is not None:
            await self.spare.close()
        await super().close()

    def terminate(self) -> None:
        if self.spare is not None:
            self.spare.terminate()
        super().terminate()

    async def _acquire(self, timeout: float | None) -> Any:  # noqa: ASYNC109  the signature is asyncpg's
        # whatever asks the pool for a connection comes through here
        asked = perf_counter()
        connection = await super()._acquire(timeout)  # type: ignore[misc]  # the stubs know public names only
        POOL_WAIT.add(perf_counter() - asked, self.name)
        return connection


async def open_pool(url: str, *, size: int = 16, name: str | None = None) -> Pool:
    """A pool on ``url`` (``postgresql://...``), watched under ``name``, else under its database's.

    Raises ``OSError`` or ``asyncpg.PostgresError``."""
    pool = _pool(url, name or urlsplit(url).path.lstrip("/"), at_once=min(2, size), size=size, idle=0)
    watch_pool(pool, pool.name)
    pool.spare = _pool(url, pool.name, at_once=0, size=SPARE, idle=SPARE_IDLE_S)
    await pool
    await pool.spare
    return pool


def spare_of(pool: Pool) -> Pool:
    """Connections beside those of ``pool``, opened when they are asked for: for what others may wait for who have taken
    all of ``pool``."""
    return pool.spare if isinstance(pool, _Pool) and pool.spare is not None else pool


def _pool(url: str, name: str, *, at_once: int, size: int, idle: float) -> _Pool:
    pool = _Pool(
        url,
        min_size=at_once,
        max_size=size,
        max_queries=50_000,
        max_inactive_connection_lifetime=idle,
        loop=None,
        connection_class=_Connection,
        record_class=asyncpg.Record,
        statement_cache_size=512,
        server_settings={
            "application_name": "consilium",
            "jit": "off",
            # statements are written for one plan each; planning anew took most of a chain's time
            "plan_cache_mode": "force_generic_plan",
            "timezone": "UTC",
            **_THE_SERVERS,
        },
    )
    pool.name, pool.spare = name, None
    return pool
