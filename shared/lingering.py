"""Refusals that arrive: what the client still sends is read before it is answered.

A server that answers and closes while the body is under way makes the client's system throw the answer away with the
connection (https://www.rfc-editor.org/rfc/rfc9112#section-9.6): instead of a 413 or 401 the client sees a reset.
"""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_BYTES = 128 * 1024 * 1024
"""How much is read and thrown away, at most: who sends more finds the connection closed."""
LINGER_S = 10.0
"""Seconds that it may take."""


class Lingering:
    """Middleware: an error is answered once the request's body has ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH") or _asks_first(scope):
            await self._app(scope, receive, send)
            return
        under_way = True

        async def receiving() -> Message:
            nonlocal under_way
            message = await receive()
            under_way = message["type"] == "http.request" and bool(message.get("more_body", False))
            return message

        async def sending(message: Message) -> None:
            if under_way and message["type"] == "http.response.start" and _refuses(message["status"]):
                await _read_on(receive)
            await send(message)

        await self._app(scope, receiving, sending)


def _refuses(status: int) -> bool:
    """Whoever was too slow (408) has been waited for."""
    return status >= 400 and status != 408


def _asks_first(scope: Scope) -> bool:
    """The client waits to hear whether its body is wanted; reading would say that it is."""
    return any(name == b"expect" for name, _ in scope["headers"])


async def _read_on(receive: Receive) -> None:
    size, deadline, more = 0, time.monotonic() + LINGER_S, True
    while more and size <= LINGER_BYTES and (left := deadline - time.monotonic()) > 0:
        try:
            message = await asyncio.wait_for(receive(), left)
        except TimeoutError:
            return
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and bool(message.get("more_body", False))
