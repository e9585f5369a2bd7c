"""Open mode asks nobody for a token, so it answers only this machine's own programs, and no pages of a web browser.

A name that resolves to loopback only for the attack (DNS rebinding) stands in Host; a page that posts across origins
names its own in Origin (https://fetch.spec.whatwg.org/#origin-header). Costs nothing where tokens are asked for: there
it is not installed.
"""

from services.gateway.asgi import ASGIApp, Receive, Scope, Send, send_answer
from services.gateway.formats import as_asked
from services.gateway.outcome import error_answer
from shared.errors import Forbidden
from shared.security.loopback import is_foreign


class NearbyOnly:
    """Middleware that refuses with 403 what ``is_foreign``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "http" and is_foreign(_values(scope, b"host"), _values(scope, b"origin")):
            error = Forbidden("Without tokens (CONSILIUM_AUTH=open) only programs of this machine are answered.")
            await send_answer(
                await as_asked(error_answer(error, path=scope["path"]), scope), send, body=scope["method"] != "HEAD"
            )
            return
        await self._app(scope, receive, send)


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
