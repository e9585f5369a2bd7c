"""The way of a read through the gateway is short."""

import time
from typing import Any

from services.gateway.asgi import Receive, Scope, Send
from services.gateway.main import Gateway
from services.gateway.routing import OWNED_TYPES


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """A service that answers at once."""


async def never() -> dict[str, Any]:
    """Nobody reads or writes here."""
    raise AssertionError


async def ignored(message: Any) -> None:
    """Nobody reads or writes here."""
    raise AssertionError


async def test_a_read_costs_less_than_five_microseconds() -> None:
    gateway = Gateway(dict.fromkeys(OWNED_TYPES, nothing))
    scope = {"type": "http", "method": "GET", "path": "/fhir/CarePlan/0190f7a2", "headers": []}
    rounds = 2_000

    async def seconds(app: Any) -> float:
        begun = time.perf_counter()
        for _ in range(rounds):
            await app(scope, never, ignored)
        return (time.perf_counter() - begun) / rounds

    costs = [await seconds(gateway) - await seconds(nothing) for _ in range(10)]
    assert min(costs) < 5e-6
