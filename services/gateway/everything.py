"""Patient/[id]/$everything over all services, as one searchset that is streamed
(http://hl7.org/fhir/R4/operation-patient-everything.html).

Each service's part is read page by page and passed on as it comes: one page is in memory at a time, however long the
record. What the parts refer to in other services comes last. When a service fails in the middle, the answer is left
without an end, so that the server breaks the connection: what the client has is no JSON.
"""

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from services.gateway.asgi import Answer, ASGIApp, Scope, Send, call, inner_scope, send_answer
from services.gateway.bundles import bundle_of
from services.gateway.outcome import FHIR_JSON
from services.gateway.routing import CAREPLANS, owner_of
from shared.errors import ConsiliumError, Unavailable
from shared.fhir.compartment import patient_compartment
from shared.fhir.json import dumps
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

_REFERENCE = re.compile(rb'"reference":"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})[/"]')
_AT_ONCE = 100
MOST_REFERRED = 50_000
"""Resources outside the compartment that the parts may refer to; their names are kept in memory."""

Key = tuple[str, str]


class _Link(msgspec.Struct):
    relation: str
    url: str


class _Search(msgspec.Struct):
    mode: str


class _Place(msgspec.Struct):
    fullUrl: str
    search: _Search


class _Page(msgspec.Struct):
    link: list[_Link]
    entry: list[msgspec.Raw] = []


class _Response(msgspec.Struct):
    status: str


class _Read(msgspec.Struct):
    response: _Response
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Reads(msgspec.Struct):
    entry: list[_Read] = []


_page = msgspec.json.Decoder(_Page)
_place = msgspec.json.Decoder(_Place)
_reads = msgspec.json.Decoder(_Reads)


async def everything(upstreams: Mapping[str, ASGIApp], scope: Scope, send: Send, body: bytes) -> None:
    """Answers the request in ``scope``. Raises ``ConsiliumError`` while nothing was sent yet."""
    async with aclosing(_Record(upstreams, scope, body).parts()) as parts:
        await _stream(parts, scope, send)


async def _stream(parts: AsyncGenerator[bytes | Answer, None], scope: Scope, send: Send) -> None:
    first = await anext(parts)
    if isinstance(first, Answer):
        await send_answer(first, send, body=scope["method"] != "HEAD")
        return
    await send({"type": "http.response.start", "status": 200, "headers": [FHIR_JSON]})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b""})
        return
    try:
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for part in parts:
            if isinstance(part, Answer):
                raise Unavailable("A service refused a part of the record.")
            await send({"type": "http.response.body", "body": part, "more_body": True})
    except ConsiliumError as error:
        log.warning("A record broke off in the middle.", extra={"error": class_of(error)})
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Record:
    """One answer in the making."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], scope: Scope, body: bytes) -> None:
        self._upstreams, self._scope, self._body = upstreams, scope, body
        self._base = ""
        self._shown: set[Key] = set()
        """What was shown outside the compartment."""
        self._named: set[Key] = set()
        """What is referred to outside the compartment."""

    async def parts(self) -> AsyncGenerator[bytes | Answer, None]:
        """The pieces of the Bundle's JSON; an ``Answer`` that is a refusal ends them."""
        path = self._scope["path"]
        query = self._scope.get("query_string", b"").decode("latin-1")
        begun = any_ = restricted = False
        # the patient's own service first: it knows whether there is such a patient
        for name in sorted(self._upstreams, key=lambda name: name != CAREPLANS):
            asked = query
            while True:
                answer = await self._ask(name, path, asked)
                if answer.status != 200:
                    yield answer
                    return
                page = _page.decode(answer.body)
                if not begun:
                    url = page.link[0].url
                    self._base, restricted = url.partition("/Patient/")[0], "_type" in parse_qs(urlsplit(url).query)
                    yield _head(url)
                    begun = True
                shown = self._new(page.entry)
                if shown:
                    yield (b"," if any_ else b"") + b",".join(shown)
                    any_ = True
                following = next((link.url for link in page.link if link.relation == "next"), None)
                if following is None:
                    break
                asked = urlsplit(following).query
        if not restricted:
            async for some in self._referred():
                yield b"," + b",".join(some)
        yield b"]}"

    def _new(self, entries: Sequence[msgspec.Raw]) -> list[bytes]:
        """The entries that were not shown before."""
        new = []
        for raw in entries:
            place = _place.decode(raw)
            key = _key(place.fullUrl)
            if place.search.mode == "include" and key in self._shown:
                continue
            if key[0] not in patient_compartment():
                self._shown.add(key)
            new.append(bytes(raw))
            self._note(new[-1])
        return new

    def _note(self, raw: bytes) -> None:
        for match in _REFERENCE.finditer(raw):
            key = (match[1].decode(), match[2].decode())
            if key[0] not in patient_compartment():
                self._named.add(key)
        if len(self._named) > MOST_REFERRED:
            raise Unavailable("The record refers to more resources than one answer can follow.")

    async def _referred(self) -> AsyncIterator[list[bytes]]:
        """What was referred to and not shown, and what that refers to."""
        asked: set[Key] = set()
        while waiting := sorted(self._named - self._shown - asked):
            asked.update(waiting)
            for name in self._upstreams:
                owned = [key for key in waiting if owner_of(key[0]) == name]
                for start in range(0, len(owned), _AT_ONCE):
                    if shown := await self._read(name, owned[start : start + _AT_ONCE]):
                        yield shown

    async def _read(self, name: str, keys: Collection[Key]) -> list[bytes]:
        entries = ({"request": {"method": "GET", "url": f"{type_}/{id_}"}} for type_, id_ in keys)
        scope = inner_scope(self._scope, method="POST", path="/fhir", json=True)
        answer = await call(self._upstreams[name], scope, bundle_of("batch", entries))
        if answer.status != 200:
            raise Unavailable("A service refused a part of the record.")
        shown = []
        for (type_, id_), read in zip(keys, _reads.decode(answer.body).entry, strict=True):
            # what is gone, or not to be seen, is left out
            if read.resource and read.response.status.startswith("200"):
                resource = bytes(read.resource)
                head = dumps({"fullUrl": f"{self._base}/{type_}/{id_}"})[:-1]
                shown.append(head + b',"resource":' + resource + b',"search":{"mode":"include"}}')
                self._shown.add((type_, id_))
                self._note(resource)
        return shown

    async def _ask(self, name: str, path: str, query: str) -> Answer:
        post = self._scope["method"] == "POST"
        scope = inner_scope(
            self._scope, method="POST" if post else "GET", path=quote(path, safe="/$"), query=query, json=post
        )
        answer = await call(self._upstreams[name], scope, self._body if post else b"")
        if answer.status >= 500:
            raise Unavailable("A service cannot give its part of the record at the moment.")
        return answer


def _head(url: str) -> bytes:
    links = [{"relation": "self", "url": url}]
    return dumps({"resourceType": "Bundle", "type": "searchset", "link": links})[:-1] + b',"entry":['


def _key(full_url: str) -> Key:
    _, type_, id_ = full_url.rsplit("/", 2)
    return type_, id_
