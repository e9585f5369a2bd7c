"""Body limits: by Content-Length before a byte is read, by counting where there is none."""

from services.gateway.asgi import Message, Receive, Scope
from shared.errors import TooLarge

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def declared_length(scope: Scope) -> int | None:
    """The Content-Length; None where none (or nonsense, which the HTTP server has refused by then) is given."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None


def limited(scope: Scope, receive: Receive, *, limit: int) -> Receive:
    """``receive``, guarded. Raises ``TooLarge`` at once or while the body is read."""
    length = declared_length(scope)
    if length is not None:
        if length > limit:
            raise TooLarge("The request body is larger than this server takes.")
        return receive
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise TooLarge("The request body is larger than this server takes.")
        return message

    return counted


def replayed(body: bytes) -> Receive:
    """A ``receive`` that hands out ``body``, and then that the client is gone."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive
