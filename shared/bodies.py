"""Request bodies within bounds: of size, and of the time that they take.

Whoever is slow holds a connection and what was read so far: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from shared.errors import Invalid, TooLarge, TooSlow, UnsupportedMediaType

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
SILENCE_S = 20.0
"""Seconds that the next part of a body may take."""
REST_BYTES = 1024 * 1024
"""The largest body of the REST API: steps, notes, preferences."""
REST_WITHIN_S = 30.0
"""Seconds that a body of the REST API may take as a whole."""
_TOO_LARGE = "The request body is larger than this server takes."


def declared_length(scope: Scope) -> int | None:
    """The Content-Length; None where none (or nonsense, which the HTTP server has refused by then) is given."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None


def require_plain(scope: Scope) -> None:
    """Raises ``UnsupportedMediaType`` for a body in a coding, as nobody would look into it
    (https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16)."""
    for name, value in scope["headers"]:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise UnsupportedMediaType("Send the body without a Content-Encoding.")


async def next_part(receive: Receive) -> Message:
    """The next message of a body. Raises ``TooSlow`` where it does not come, ``Invalid`` where the client is gone."""
    try:
        async with asyncio.timeout(SILENCE_S):
            message = await receive()
    except TimeoutError as error:
        raise TooSlow("The request body did not arrive in time.") from error
    if message["type"] == "http.disconnect":
        raise Invalid("The body ended early.", code="structure")
    return message


async def body_parts(receive: Receive) -> AsyncIterator[bytes]:
    """The parts of a body as they come. Raises what ``next_part`` raises."""
    more = True
    while more:
        message = await next_part(receive)
        more = message.get("more_body", False)
        if part := message.get("body", b""):
            yield part


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """The whole body. Raises ``TooLarge`` beyond ``limit`` bytes, at once where its length was told, and what
    ``require_plain`` raises."""
    require_plain(scope)
    if (declared_length(scope) or 0) > limit:
        raise TooLarge(_TOO_LARGE)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await next_part(receive)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge(_TOO_LARGE)
        more = message.get("more_body", False)
    return b"".join(parts)


async def read_rest_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body of a REST request; raises as ``read_body`` does."""
    try:
        async with asyncio.timeout(REST_WITHIN_S):
            return await read_body(scope, receive, limit=REST_BYTES)
    except TimeoutError as error:
        raise TooSlow("The request body did not arrive in time.") from error


def replayed(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that hands out ``body``, which was read already, and then whatever comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return messages.pop() if messages else await receive()

    return receiving
