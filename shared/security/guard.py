"""Who calls is known before a body is read: FastAPI itself reads and parses it first, whoever sent it."""

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.bodies import BODY_METHODS, read_rest_body, replayed
from shared.errors import ConsiliumError
from shared.problem import of_error
from shared.security.tokens import Verifier


class Guarded:
    """Middleware of the REST API: 401 before a byte of the body is read, 413 and 408 for bodies out of bounds."""

    def __init__(self, app: ASGIApp, verifier: Verifier) -> None:
        self._app, self._verifier = app, verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "http" and scope["method"] in BODY_METHODS:
            try:
                await self._verifier.verify(_authorization(scope))
                body = await read_rest_body(scope, receive)
            except ConsiliumError as error:
                await of_error(error)(scope, receive, send)
                return
            receive = replayed(body, receive)
        await self._app(scope, receive, send)


def _authorization(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), None)
