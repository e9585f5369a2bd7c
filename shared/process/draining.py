"""Leaving without a failed request: for a while, requests are answered and told that no more shall come.

Whoever spreads requests (a Kubernetes Service, an ingress, our gateway) hears late that a process ends: readiness is
asked every few seconds, and connections are kept for the next request. Meanwhile ``/health/ready`` says 503, and every
answer closes its connection (https://www.rfc-editor.org/rfc/rfc9112#section-9.6).
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

READY = "/health/ready"
_BODY = b'{"status":"fail","checks":{"draining":"fail"}}'


class Draining:
    """Middleware that does nothing until ``drain`` is called."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._leaving = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if not self._leaving or scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == READY:
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]
            await send({"type": "http.response.start", "status": 503, "headers": [*headers, CLOSE]})
            await send({"type": "http.response.body", "body": _BODY})
        else:
            await self._app(scope, receive, _closing(send))

    async def drain(self, seconds: float) -> None:
        """Let those who ask find out, for ``seconds``."""
        self._leaving = True
        await asyncio.sleep(seconds)


CLOSE = (b"connection", b"close")


def _closing(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
        await send(message)

    return sending
