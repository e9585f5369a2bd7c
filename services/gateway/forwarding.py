"""A service behind HTTP, as an ASGI app: streams both ways, so that event streams pass unbuffered."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from services.gateway.asgi import Answer, Message, Receive, Scope, Send, send_answer
from services.gateway.formats import as_asked
from services.gateway.outcome import error_answer
from shared.bodies import BODY_METHODS, next_part
from shared.errors import ConsiliumError, Invalid, TooSlow, Unavailable
from shared.lingering import LINGER_S
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers that speak of one connection only (RFC 9110, section 7.6.1)."""

BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""A connection that ended before the answer began."""
IDLE_S = 1.0
"""Seconds that a connection is kept for the next request: shorter than any CONSILIUM_DRAIN_S worth the name, so that
none is taken up again in the moment in which the process behind it, told to stop, closes it."""

_LONG = Invalid("The address is longer than this server takes.", code="too-long")
_NO_HTTP = Invalid("The address or a header has characters that HTTP does not allow.", code="structure")
_SLOW = TooSlow("The request body did not arrive in time.")


class ForwardingApp:
    """Sends what it is asked to ``base_url``.

    Answers 400 when the request's body breaks off or its head is none, 408 when the body is too slow, 414 when the
    address is too long, 503 when the service cannot be reached, 504 when it stays silent, 502 when it breaks off. What
    breaks off in the middle of its answer is left without an end: the server then closes the client's connection."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = 60.0,
        trust_forwarded: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        leaving: asyncio.Event | None = None,
    ) -> None:
        """``leaving``: once it is set, event streams end; whoever reads them goes on at another process."""
        self._base_url = base_url.rstrip("/")
        self._base_path = httpx.URL(self._base_url).raw_path.rstrip(b"/")
        self._timeout = timeout
        self._trust_forwarded = trust_forwarded
        self._leaving = leaving or asyncio.Event()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=IDLE_S)
        self._client = httpx.AsyncClient(
            # what was not connected was not sent: another attempt is harmless, and may meet another process
            transport=transport or httpx.AsyncHTTPTransport(limits=limits, retries=2, trust_env=False),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending, path = _Sending(receive), scope["path"]
        try:
            response = await self._response(scope, sending)
        except ConsiliumError as error:
            failed = error_answer(error, path=path)
        except httpx.InvalidURL:
            failed = error_answer(_LONG, path=path, status=414)
        except httpx.LocalProtocolError:
            failed = error_answer(_NO_HTTP, path=path)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            failed = _failure(scope, 503, "The service cannot be reached.")
        except httpx.TimeoutException:
            failed = _failure(scope, 504, "The service did not answer in time.")
        except httpx.TransportError:
            broke = _failure(scope, 502, "The service broke off the connection.")
            failed = error_answer(_SLOW, path=path) if sending.lingers else broke
        else:
            try:
                await _relay(response, receive, send, self._leaving)
            except httpx.TransportError as error:
                log.warning("A service broke off in the middle of its answer.", extra={"error": class_of(error)})
            finally:
                await response.aclose()
            return
        await send_answer(await as_asked(failed, scope), send)

    async def _response(self, scope: Scope, sending: "_Sending") -> httpx.Response:
        """The beginning of the answer. What only reads is asked once more when a connection breaks before it, unless it
        has a body: that comes once."""
        try:
            return await self._client.send(self._request(scope, sending), stream=True)
        except BROKEN:
            if scope["method"] not in ("GET", "HEAD") or sending.begun:
                raise
        return await self._client.send(self._request(scope, sending), stream=True)

    def _request(self, scope: Scope, sending: "_Sending") -> httpx.Request:
        raw_path = scope.get("raw_path") or scope["path"].encode()
        query = scope.get("query_string") or b""
        target = self._base_url + raw_path.decode("ascii", "replace") + (f"?{query.decode('latin-1')}" if query else "")
        headers = self._headers(scope)
        streams = any(b"text/event-stream" in value for name, value in headers if name == b"accept")
        has_body = scope["method"] in BODY_METHODS or any(
            name == b"content-length" and value.strip(b"0") for name, value in headers
        )
        return self._client.build_request(
            scope["method"],
            target,
            headers=headers,
            content=sending.parts() if has_body else None,
            timeout=httpx.Timeout(self._timeout, connect=5.0, read=None if streams else self._timeout),
            # as it was asked: httpx would resolve "..", and the service would be asked for something else
            extensions={"target": self._base_path + raw_path + (b"?" + query if query else b"")},
        )

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        incoming = [(name.lower(), value) for name, value in scope["headers"]]
        named = {
            part.strip() for name, value in incoming if name == b"connection" for part in value.lower().split(b",")
        }
        kept: dict[bytes, bytes] = {}
        headers = []
        for name, value in incoming:
            if name.startswith(b"x-forwarded-") or name == b"host":
                kept[name] = value
            elif name not in HOP_BY_HOP and name not in named:
                headers.append((name, value))
        client = scope.get("client")
        chain = [kept[b"x-forwarded-for"]] if self._trust_forwarded and b"x-forwarded-for" in kept else []
        chain += [str(client[0]).encode()] if client else []
        host = kept.get(b"host", b"")
        proto = str(scope.get("scheme", "http")).encode()
        if self._trust_forwarded:
            proto, host = kept.get(b"x-forwarded-proto", proto), kept.get(b"x-forwarded-host", host)
        headers.append((b"x-forwarded-proto", proto))
        if chain:
            headers.append((b"x-forwarded-for", b", ".join(chain)))
        if host:
            headers += [(b"x-forwarded-host", host), (b"host", kept.get(b"host", host))]
        return headers


def _failure(scope: Scope, status: int, text: str) -> Answer:
    return error_answer(Unavailable(text), path=scope["path"], status=status)


@dataclass
class _Sending:
    """The body of a request on its way from the client to the service."""

    receive: Receive
    began: float = field(default_factory=time.monotonic)
    under_way: bool = False
    begun: bool = False
    """Whether any of it was asked for."""

    @property
    def lingers(self) -> bool:
        """It has been coming for longer than a service reads the body of a request that it refuses."""
        return self.under_way and time.monotonic() - self.began > LINGER_S

    async def parts(self) -> AsyncIterator[bytes]:
        """Its parts as they come. Raises what ``next_part`` raises."""
        self.under_way = self.begun = True
        while self.under_way:
            message = await next_part(self.receive)
            self.under_way = message.get("more_body", False)
            if part := message.get("body", b""):
                yield part


async def _relay(response: httpx.Response, receive: Receive, send: Send, leaving: asyncio.Event) -> None:
    """Pass the answer on as it comes. An event stream ends when the client leaves, not when it next writes."""
    headers = [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in HOP_BY_HOP]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        await _copy(response, send)
        return
    copying, going = asyncio.ensure_future(_copy(response, send)), asyncio.ensure_future(_gone(receive))
    stopping = asyncio.ensure_future(leaving.wait())
    try:
        await asyncio.wait({copying, going, stopping}, return_when=asyncio.FIRST_COMPLETED)
        cut = stopping.done() and not copying.done() and not going.done()
    finally:
        for task in (copying, going, stopping):
            task.cancel()
        copied, *_ = await asyncio.gather(copying, going, stopping, return_exceptions=True)
    if isinstance(copied, httpx.TransportError):
        raise copied
    if cut:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _copy(response: httpx.Response, send: Send) -> None:
    async for part in response.aiter_raw():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()
