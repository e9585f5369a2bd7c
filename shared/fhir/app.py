"""The ASGI face of the engine: bytes in, ``Request``, ``Response``, bytes out. Every failure is an OperationOutcome."""

import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from shared.bodies import BODY_METHODS, body_parts, read_body
from shared.engine import Engine
from shared.errors import NotAcceptable
from shared.fhir import binary
from shared.fhir.addresses import Base
from shared.fhir.bulk.answering import ROOMS
from shared.fhir.formats import PLAIN, XML_TYPES, Format, as_json, format_asked, media_of, written_as
from shared.fhir.http import FHIR_JSON, Request, Response, query_of
from shared.fhir.outcome import failure_response
from shared.fhir.routes import dispatch
from shared.security.caller import Caller, Role
from shared.security.tokens import Verifier

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PUBLIC = ("metadata",)
STREAMED = ("$import",)
"""Its body may be larger than what is held at a time."""
_NOBODY = Caller(subject="anonymous", role=Role.PATIENT)
_HEADERS = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-type",
        b"host",
        b"if-match",
        b"if-modified-since",
        b"if-none-exist",
        b"if-none-match",
        b"prefer",
        b"x-consilium-part",
        b"x-consilium-request",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-provenance",
        b"x-security-context",
    }
)


_HOST = re.compile(r"(?:[A-Za-z0-9.\-_]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
"""http://www.rfc-editor.org/rfc/rfc3986#section-3.2.2 without what no host here needs."""


@dataclass(slots=True)
class _Asked:
    """What the head of a request says."""

    headers: dict[str, str]
    query: str = ""
    format: Format | None = PLAIN
    """Of the answer; None for one that this server cannot write."""


@dataclass(frozen=True, slots=True)
class FhirApp:
    """The FHIR base of one service. ``prefix`` is its path; ``base_url`` its public URL, else taken from Host."""

    engine: Engine
    verifier: Verifier
    prefix: str = "/fhir"
    base_url: str | None = None
    known_as: str | None = None
    """Another URL of this base, which references may hold (``CONSILIUM_PUBLIC_URL``)."""
    trust_forwarded: bool = False
    """Whether ``X-Forwarded-Host`` and ``-Proto`` come from somebody who may say where this server is."""
    largest_body: int = 16 * 1024 * 1024
    """Bytes of one resource."""
    largest_bundle: int = 32 * 1024 * 1024
    """Bytes of a batch or transaction."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        asked = _Asked(_headers(scope["headers"]))
        try:
            response = await written_as(await self._answer(asked, scope, receive), asked.format or PLAIN)
        except Exception as error:  # noqa: BLE001  the edge: every failure has an answer, and none leaves as a text
            response = await written_as(failure_response(error), asked.format or PLAIN)
        await send({"type": "http.response.start", "status": response.status, "headers": response.wire_headers()})
        if response.parts is not None and scope["method"] != "HEAD":
            # what fails from here on ends the connection, so that nobody takes the part for the whole
            async for part in response.parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, asked: _Asked, scope: Scope, receive: Receive) -> Response:
        asked.query = query_of(scope["query_string"])
        asked.format = format_asked(asked.headers.get("accept"), asked.query)
        path = _segments(scope["path"][len(self.prefix) :])
        limit = self.largest_body if path else self.largest_bundle
        request = await self.request(scope, receive, path, limit=limit)
        if path[-1:] == ("_search",) and request.body:
            # the parameters of a search may be in its body, these among them
            told = f"{asked.query}&{request.body.decode('utf-8', 'replace')}"
            asked.format = format_asked(asked.headers.get("accept"), told)
        if binary.wants_content(scope["method"], path, asked.headers.get("accept"), asked.query):
            return binary.content(await dispatch(self.engine, request))
        if asked.format is None and not (path and path[0] in ROOMS):
            raise NotAcceptable("This server answers in application/fhir+json and application/fhir+xml.")
        return await dispatch(self.engine, request)

    async def request(self, scope: Scope, receive: Receive, path: tuple[str, ...], *, limit: int) -> Request:
        """The request in ``scope`` for ``path``, of up to ``limit`` bytes; who calls is known before a byte is read."""
        headers = _headers(scope["headers"])
        caller = _NOBODY if path == _PUBLIC else await self.verifier.verify(headers.get("authorization"))
        method = scope["method"]
        stream = body_parts(receive) if path == STREAMED and method == "POST" else None
        whole = method in BODY_METHODS and stream is None
        body = await read_body(scope, receive, limit=limit) if whole else b""
        if whole and binary.brings_content(method, path, headers.get("content-type")):
            body = binary.resource_of(body, path, headers)
            headers["content-type"] = FHIR_JSON
        elif whole and media_of(headers.get("content-type")) in XML_TYPES:
            body = await as_json(body) if body else body
            headers["content-type"] = FHIR_JSON
        query = query_of(scope["query_string"])
        base = self.base_url or _base(scope, headers, trust_forwarded=self.trust_forwarded) + self.prefix
        base = Base(base, *self._others(scope))
        return Request(method, path, caller, base, query, headers, body, stream=stream)

    def _others(self, scope: Scope) -> Iterator[str]:
        """Where this base is found whatever the caller's Host says: its known URL, and where the connection ended."""
        if self.known_as is not None:
            yield self.known_as
        host, port = scope.get("server") or (None, None)
        if host and port:
            yield f"http://{f'[{host}]' if ':' in host else host}:{port}{self.prefix}"


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): _text(value) for name, value in raw if name in _HEADERS}


def _text(value: bytes) -> str:
    """Criteria and Provenance come in UTF-8, though HTTP knows of no such thing."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _segments(path: str) -> tuple[str, ...]:
    text = path.strip("/")
    return tuple(text.split("/")) if text else ()


def _base(scope: Scope, headers: dict[str, str], *, trust_forwarded: bool) -> str:
    """Where the caller sees this server: it stands in links, so nothing but a host and a port gets there."""
    scheme, host = str(scope.get("scheme", "http")), headers.get("host", "")
    if trust_forwarded:
        scheme, host = headers.get("x-forwarded-proto", scheme), headers.get("x-forwarded-host", host)
    return f"{'https' if scheme == 'https' else 'http'}://{host if _HOST.fullmatch(host) else 'localhost'}"
