"""Small ASGI vocabulary of the edge: types, an answer, calling an app and collecting its answer."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Unavailable
from shared.fhir.formats import FORMATS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

BODY_LENGTH_HEADERS = frozenset({b"content-length", b"transfer-encoding"})
BODY_HEADERS = frozenset({b"content-length", b"content-type", b"transfer-encoding", b"content-encoding"})
OWN_HEADERS = frozenset(
    {b"accept", b"accept-encoding", b"if-match", b"if-modified-since", b"if-none-exist", b"if-none-match"}
)


class BrokenOff(Unavailable):
    """An answer that ended in its middle."""

    def __init__(self) -> None:
        super().__init__("The service broke off the connection.")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def send_answer(answer: Answer, send: Send, *, body: bool = True) -> None:
    """Send ``answer``; only its head where ``body`` is false (HEAD)."""
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [(name, value) for name, value in answer.headers if name.lower() not in BODY_LENGTH_HEADERS]
    await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": answer.body if body else b""})


def inner_scope(scope: Scope, *, method: str, path: str, query: str = "", json: bool = False) -> Scope:
    """A request of our own on behalf of the one in ``scope``: same caller, same host, other target."""
    dropped = BODY_HEADERS | OWN_HEADERS
    if any(f"{name}=" in query for name in FORMATS):
        # what the gateway reads itself comes in JSON, whatever its own answer is written in
        query = "&".join(pair for pair in query.split("&") if pair.partition("=")[0] not in FORMATS)
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
    if json:
        headers.append((b"content-type", b"application/fhir+json"))
    return {
        **scope,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers,
        "state": dict(scope.get("state") or {}),
    }


async def call(app: ASGIApp, scope: Scope, body: bytes = b"") -> Answer:
    """The whole answer of ``app`` to the request in ``scope`` with ``body``. Raises ``BrokenOff``."""
    scope["headers"] = [*scope["headers"], (b"content-length", str(len(body)).encode())]
    received = False

    async def receive() -> Message:
        nonlocal received
        if received:
            return {"type": "http.disconnect"}
        received = True
        return {"type": "http.request", "body": body, "more_body": False}

    return await collected(app, scope, receive)


async def collected(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """The whole answer of ``app`` to the request in ``scope``, whose body ``receive`` gives. Raises ``BrokenOff``."""
    status = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    parts: list[bytes] = []
    whole = False

    async def send(message: Message) -> None:
        nonlocal status, headers, whole
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = tuple((bytes(name), bytes(value)) for name, value in message.get("headers", ()))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
            whole = not message.get("more_body", False)

    await app(scope, receive, send)
    if not whole:
        raise BrokenOff
    return Answer(status, b"".join(parts), headers)
