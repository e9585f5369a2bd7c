"""What a Kubernetes Service does: new connections go to endpoints that are ready; connections that are open stay.

Readiness is asked as a kubelet asks, every ``every`` seconds; a probe without an answer counts when it is the third in
a row, an answer that is not 200 at once (as a pod that is told to end leaves its Service at once). Bytes pass unread: a
connection that an endpoint ends or resets is ended or reset at the client's side, too; nothing is tried a second time.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.ports import lasting_port

SILENT_AT_MOST = 3
LOST = (OSError, asyncio.IncompleteReadError, TimeoutError)


class Balancer:
    """The one address of several processes."""

    def __init__(self, *, every: float = 0.5) -> None:
        self.port = lasting_port()
        self._every = every
        self._ready: dict[int, bool] = {}
        self._silent: Counter[int] = Counter()
        self.refused = 0
        """Connections for which no endpoint was ready, or that the endpoint did not take."""
        self._turn = itertools.count()
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ready(self) -> list[int]:
        """The ports that get new connections."""
        return [port for port, ready in self._ready.items() if ready]

    def add(self, port: int) -> None:
        """Watch the endpoint at ``port``; it gets connections once it is ready."""
        self._ready.setdefault(port, False)

    def remove(self, port: int) -> None:
        """Forget an endpoint that ended."""
        self._ready.pop(port, None)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Balancer"]:
        """Serve inside the block."""
        server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port, backlog=512)
        probing = asyncio.create_task(self._probe())
        try:
            yield self
        finally:
            probing.cancel()
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(probing, *self._open, return_exceptions=True)

    async def _probe(self) -> None:
        while True:
            ports = list(self._ready)
            answers = await asyncio.gather(*(probed(port) for port in ports))
            for port, answer in zip(ports, answers, strict=True):
                self._silent[port] = self._silent[port] + 1 if answer is None else 0
                if port in self._ready and (answer is not None or self._silent[port] >= SILENT_AT_MOST):
                    self._ready[port] = answer == 200
            await asyncio.sleep(self._every)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        endpoints = self.ready
        try:
            if not endpoints:
                raise ConnectionRefusedError
            port = endpoints[next(self._turn) % len(endpoints)]
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            self.refused += 1
            writer.transport.abort()
            return
        copies = [asyncio.create_task(_copy(reader, far_writer)), asyncio.create_task(_copy(far_reader, writer))]
        try:
            await asyncio.gather(*copies)
            for one in (writer, far_writer):
                one.close()
        except LOST:
            for one in (writer, far_writer):
                one.transport.abort()
        finally:
            for copy in copies:
                copy.cancel()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


async def probed(port: int, *, within: float = 10.0) -> int | None:
    """The status of ``/health/ready`` on ``port``; None without an answer.

    It waits longer than a kubelet: on a crowded machine it is this process that is late."""
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /health/ready HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n")
                status = (await reader.readline()).split(b" ")[1:2]
            finally:
                writer.close()
    except LOST:
        return None
    return int(status[0]) if status else None
