"""A proxy between two systems that loses, repeats and reorders what passes, by a seed."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from shared.fhir.app import Receive, Scope, Send
from shared.messaging.waiting import either
from tests.listening import listening


class Fault(StrEnum):
    """What happens to a request instead of being passed on and answered."""

    LOST = "lost"
    """It never arrives, and the sender hears nothing."""
    UNANSWERED = "unanswered"
    """It arrives, and the sender hears nothing."""
    FAILED = "failed"
    """The sender is answered 500, and nothing arrives."""
    DONE_AND_FAILED = "done-and-failed"
    """It arrives, and the sender is answered 500."""
    TWICE = "twice"
    """It arrives twice at the same moment."""
    LATE = "late"
    """The sender hears nothing, and it arrives after what was sent later."""


@dataclass
class Proxy:
    """Passes on to ``target``; ``rate`` of all requests meet a fault.

    ``silence``: seconds for which a sender that hears nothing waits."""

    target: str
    client: httpx.AsyncClient
    chance: random.Random
    rate: float = 0.2
    silence: float = 1.0
    seen: Counter[str] = field(default_factory=Counter)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _late: set[asyncio.Task[httpx.Response]] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        fault = self.chance.choice(list(Fault)) if self.chance.random() < self.rate else None
        self.seen[fault or "passed"] += 1
        answer = await self._answer(fault, scope, body)
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items() if name in _KEPT]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})

    async def _answer(self, fault: Fault | None, scope: Scope, body: bytes) -> httpx.Response:
        match fault:
            case Fault.FAILED:
                return httpx.Response(500)
            case Fault.DONE_AND_FAILED:
                await self._pass(scope, body)
                return httpx.Response(500)
            case Fault.TWICE:
                _, second = await asyncio.gather(self._pass(scope, body), self._pass(scope, body))
                return second
            case Fault.LOST | Fault.UNANSWERED | Fault.LATE:
                if fault is Fault.UNANSWERED:
                    await self._pass(scope, body)
                if fault is Fault.LATE:
                    late = asyncio.create_task(self._pass_late(scope, body))
                    self._late.add(late)
                    late.add_done_callback(self._late.discard)
                await either(self._stop, seconds=self.silence)
                return httpx.Response(504)
        return await self._pass(scope, body)

    async def _pass_late(self, scope: Scope, body: bytes) -> httpx.Response:
        await either(self._stop, seconds=self.silence * self.chance.uniform(0.1, 2.5))
        return await self._pass(scope, body)

    async def _pass(self, scope: Scope, body: bytes) -> httpx.Response:
        named = ((name.decode(), value.decode()) for name, value in scope["headers"])
        headers = {name: value for name, value in named if name not in ("host", "content-length")}
        query = scope["query_string"].decode()
        url = f"{self.target}{scope['path']}" + (f"?{query}" if query else "")
        return await self.client.request(scope["method"], url, headers=headers, content=body)

    async def close(self) -> None:
        """Let go of whoever waits; what is late arrives now."""
        self._stop.set()
        if self._late:
            await asyncio.wait(self._late)


_KEPT = ("content-type", "etag", "location", "last-modified")


@asynccontextmanager
async def faulty(target: str, seed: int, *, silence: float, rate: float = 0.2) -> AsyncIterator[tuple[str, Proxy]]:
    """Such a proxy in front of ``target``: its base URL, and itself."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        proxy = Proxy(target, client, random.Random(seed), rate, silence)
        async with listening(proxy) as url:
            yield url, proxy
            await proxy.close()
