"""Body limits of what is passed on: by Content-Length before a byte is read, by counting where there is none."""

from services.gateway.asgi import Message, Receive, Scope
from shared.bodies import declared_length
from shared.errors import TooLarge


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
