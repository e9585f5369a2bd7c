"""What the gateway holds of an import: as much as its slowest service lets through, however large the whole is."""

import asyncio
import json
import tracemalloc
from typing import Any

from services.gateway.asgi import Answer, Message, Receive, Scope, Send, send_answer
from services.gateway.bulk import Bulk
from services.gateway.imports import IMPORT, Imports
from shared.bodies import body_parts
from shared.fhir.bulk.lines import lines
from tests.eventually import eventually

LINE = json.dumps({"resourceType": "Patient", "id": "p", "text": "x" * 4_000}).encode() + b"\n"
PARTS = 5_000
"""20 MB."""


class Reader:
    """A service that reads what it is sent as soon as it ``may``."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.lines = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == IMPORT:
            await self.may.wait()
            async for line in lines(body_parts(receive), longest=10_000, most_bytes=1 << 30):
                self.lines += bool(line)
        await send_answer(Answer(202, b"", ((b"content-location", b"/"),)), send)


class Body:
    """A body of ``PARTS`` lines, and how many were asked for."""

    def __init__(self) -> None:
        self.sent = 0

    async def receive(self) -> Message:
        """The next line."""
        self.sent += 1
        return {"type": "http.request", "body": LINE, "more_body": self.sent < PARTS}


async def test_it_holds_little_and_waits_for_the_slowest() -> None:
    services = {name: Reader() for name in ("referrals", "careplans", "notifications")}
    for name in ("careplans", "referrals"):
        services[name].may.set()
    body = Body()
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": IMPORT, "query_string": b"", "headers": []}
    tracemalloc.start()
    try:
        starting = asyncio.create_task(Imports(Bulk(dict(services), 1_000)).start(scope, body.receive))
        seen = -1

        async def stands() -> bool:
            nonlocal seen
            before, seen = seen, body.sent
            return before == seen > 0

        await eventually(stands, every=0.05)
        assert body.sent < 200, "the client waits while one service does"
        services["notifications"].may.set()
        assert (await starting).status == 202
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [service.lines for service in services.values()] == [0, PARTS, 0]
    assert peak < 3_000_000
