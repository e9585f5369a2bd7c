"""Records that are gathered from all services: what was shown of one, what it refers to, and how it is streamed.

When a service fails in the middle, the answer is left without an end, so that the server breaks the connection: what
the client has is no JSON.
"""

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from services.gateway.asgi import Answer, ASGIApp, Scope, Send, call, inner_scope, send_answer
from services.gateway.bundles import bundle_of
from services.gateway.outcome import FHIR_JSON
from services.gateway.routing import owner_of
from shared.errors import ConsiliumError, Invalid, NotFound, Unavailable
from shared.fhir.http import legal_id
from shared.fhir.json import dumps, received
from shared.fhir.parameters import parameters_in
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

_REFERENCE = re.compile(rb'"reference":"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})[/"]')
_AT_ONCE = 100
_PER_PAGE = 200
MOST_REFERRED = 50_000
"""Resources that the parts of a record may refer to; their names are kept in memory."""

Key = tuple[str, str]


class Found(NamedTuple):
    """A resource as its service gave it."""

    key: Key
    resource: bytes


class _Link(msgspec.Struct):
    relation: str
    url: str


class Page(msgspec.Struct):
    """A page of a searchset."""

    link: list[_Link]
    entry: list[msgspec.Raw] = []

    def url(self, relation: str) -> str | None:
        """The URL of that link."""
        return next((link.url for link in self.link if link.relation == relation), None)


class _Match(msgspec.Struct):
    fullUrl: str
    resource: msgspec.Raw


class _Response(msgspec.Struct):
    status: str


class _Read(msgspec.Struct):
    response: _Response
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Reads(msgspec.Struct):
    entry: list[_Read] = []


page_in = msgspec.json.Decoder(Page).decode
_match = msgspec.json.Decoder(_Match)
_reads = msgspec.json.Decoder(_Reads)


class Record(ABC):
    """One record in the making, on behalf of the request in ``scope``: each service shows what that caller may see."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], scope: Scope) -> None:
        self.upstreams, self.scope = upstreams, scope
        self.base = ""
        self.shown: set[Key] = set()
        """What was shown of that which may be referred to."""
        self.named: set[Key] = set()
        """What is referred to, and is to be shown, too."""
        self._asked: set[Key] = set()
        """What was asked for by its name."""

    @abstractmethod
    def follows(self, of: Key, to: str) -> bool:
        """Whether a reference in ``of`` to a resource of type ``to`` leads to a part of the record."""

    def note(self, of: Key, raw: bytes) -> None:
        """What ``raw``, which is of the resource ``of``, refers to. Raises ``Unavailable`` for too much."""
        for match in _REFERENCE.finditer(raw):
            key = (match[1].decode(), match[2].decode())
            if self.follows(of, key[0]):
                self.named.add(key)
        if len(self.named) > MOST_REFERRED:
            raise Unavailable("The record refers to more resources than one answer can follow.")

    async def referred(self) -> AsyncIterator[list[Found]]:
        """What was referred to and not shown, and what that refers to."""
        while waiting := sorted(self.named - self.shown - self._asked):
            self._asked.update(waiting)
            for name in self.upstreams:
                owned = [key for key in waiting if owner_of(key[0]) == name]
                for start in range(0, len(owned), _AT_ONCE):
                    if found := await self._read(name, owned[start : start + _AT_ONCE]):
                        yield found

    async def search(self, service: str, type_: str, query: str) -> AsyncIterator[list[Found]]:
        """What ``service`` finds and was not shown, page by page; nothing where the caller may not search there."""
        asked: str | None = f"{query}&_count={_PER_PAGE}"
        while asked is not None:
            answer = await self.ask(service, f"/fhir/{type_}", asked)
            if answer.status == 403:
                return
            if answer.status != 200:
                raise Unavailable("A service refused a part of the record.")
            page = page_in(answer.body)
            self.base = self.base or (page.url("self") or "").partition(f"/{type_}?")[0]
            matches = map(_match.decode, page.entry)
            found = [Found(key_of(match.fullUrl), bytes(match.resource)) for match in matches]
            if new := [each for each in found if each.key not in self.shown]:
                self.take(new)
                yield new
            following = page.url("next")
            asked = None if following is None else urlsplit(following).query

    async def locate(self, service: str, key: Key) -> None:
        """Find what this server is called by the caller: the ``base``. Raises ``Unavailable``."""
        type_, id_ = key
        answer = await self.ask(service, f"/fhir/{type_}", f"_id={id_}&_summary=count")
        if answer.status != 200:
            raise Unavailable("A service refused a part of the record.")
        self.base = (page_in(answer.body).url("self") or "").partition(f"/{type_}?")[0]

    async def ask(self, service: str, path: str, query: str = "") -> Answer:
        """A GET by the caller. Raises ``Unavailable``."""
        scope = inner_scope(self.scope, method="GET", path=quote(path, safe="/$"), query=query)
        return told(await call(self.upstreams[service], scope))

    def take(self, found: Collection[Found]) -> None:
        """Count as shown, and note what that refers to."""
        for each in found:
            self.shown.add(each.key)
            self.note(each.key, each.resource)

    def entry(self, found: Found, mode: str) -> bytes:
        """The searchset's entry."""
        head = dumps({"fullUrl": f"{self.base}/{found.key[0]}/{found.key[1]}"})[:-1]
        return head + b',"resource":' + found.resource + b',"search":{"mode":"' + mode.encode() + b'"}}'

    async def _read(self, name: str, keys: Collection[Key]) -> list[Found]:
        entries = ({"request": {"method": "GET", "url": f"{type_}/{id_}"}} for type_, id_ in keys)
        scope = inner_scope(self.scope, method="POST", path="/fhir", json=True)
        answer = await call(self.upstreams[name], scope, bundle_of("batch", entries))
        if answer.status != 200:
            raise Unavailable("A service refused a part of the record.")
        reads = zip(keys, _reads.decode(answer.body).entry, strict=True)
        # what is gone, or not to be seen, is left out
        found = [
            Found(key, bytes(read.resource))
            for key, read in reads
            if read.resource and read.response.status.startswith("200")
        ]
        self.take(found)
        return found


async def stream(parts: AsyncGenerator[bytes | Answer, None], scope: Scope, send: Send) -> None:
    """Send ``parts`` as they come; an ``Answer`` that comes first is a refusal. Raises while nothing was sent yet."""
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


def told(answer: Answer) -> Answer:
    """``answer``, which is of use. Raises ``Unavailable``."""
    if answer.status >= 500:
        raise Unavailable("A service cannot give its part of the record at the moment.")
    return answer


def searchset(url: str) -> bytes:
    """The beginning of a searchset, up to its entries; ``]}`` ends it."""
    links = [{"relation": "self", "url": url}]
    return dumps({"resourceType": "Bundle", "type": "searchset", "link": links})[:-1] + b',"entry":['


def key_of(full_url: str) -> Key:
    """Type and id."""
    _, type_, id_ = full_url.rsplit("/", 2)
    return type_, id_


def id_in(scope: Scope) -> str:
    """The id in the path ``/fhir/Type/id/...``. Raises ``NotFound`` for what is none."""
    id_: str = scope["path"].split("/")[3]
    if not legal_id(id_):
        raise NotFound("No such resource.")
    return id_


def require_no_parameters(body: bytes) -> None:
    """Raises ``Invalid`` for a body that is no Parameters resource; which there are is of no matter."""
    resource = received(body) if body else {"resourceType": "Parameters"}
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise Invalid("The body is not a Parameters resource.", code="structure", expression=("resourceType",))
    parameters_in(resource)
