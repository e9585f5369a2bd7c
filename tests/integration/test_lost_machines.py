"""Both ends of a connection to PostgreSQL ask whether the other is there."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.store.database import GIVEN_UP_AFTER_S, open_pool


@pytest.fixture
async def over_tcp(database_url: str) -> AsyncIterator[str]:
    """The URL of a database over TCP: the embedded server has a Unix socket only."""
    parts = urlsplit(database_url)
    path = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while some := await reader.read(65536):
                writer.write(some)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(pass_on(reader, server_writer), pass_on(server_reader, writer))

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://postgres@127.0.0.1:{port}{parts.path}"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
async def test_a_server_that_is_silent_for_half_a_minute_is_given_up(over_tcp: str) -> None:
    pool = await open_pool(over_tcp, size=1)
    try:
        async with pool.acquire() as connection:
            ours = connection._con._transport.get_extra_info("socket")
            assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle, every, times = (
                ours.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            assert idle + every * times == GIVEN_UP_AFTER_S == 30
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
    finally:
        await pool.close()


async def test_a_server_is_told_to_give_up_a_silent_client_as_soon(database_url: str) -> None:
    pool = await open_pool(database_url, size=1)
    try:
        # over a Unix socket it shows none of them: what counts is that the session asked for it
        rows = await pool.fetch("SELECT name FROM pg_settings WHERE name LIKE 'tcp%' AND source = 'client'")
        assert {row["name"] for row in rows} == {
            *("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
        }
    finally:
        await pool.close()
