"""Patient/[id]/$everything over all services, as one searchset that is streamed
(http://hl7.org/fhir/R4/operation-patient-everything.html).

Each service's part is read page by page and passed on as it comes: one page is in memory at a time, however long the
record. What the parts refer to in other services comes last.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from services.gateway.asgi import Answer, ASGIApp, Scope, Send, call, inner_scope
from services.gateway.records import Key, Record, key_of, page_in, searchset, stream, told
from services.gateway.routing import CAREPLANS
from shared.fhir.compartment import patient_compartment
from shared.fhir.http import query_of


class _Search(msgspec.Struct):
    mode: str


class _Place(msgspec.Struct):
    fullUrl: str
    search: _Search


_place = msgspec.json.Decoder(_Place)


async def everything(upstreams: Mapping[str, ASGIApp], scope: Scope, send: Send, body: bytes) -> None:
    """Answers the request in ``scope``. Raises ``ConsiliumError`` while nothing was sent yet."""
    async with aclosing(_PatientRecord(upstreams, scope, body).parts()) as parts:
        await stream(parts, scope, send)


class _PatientRecord(Record):
    """The compartment, and what is referred to outside of it: only that is remembered, by its names."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], scope: Scope, body: bytes) -> None:
        super().__init__(upstreams, scope)
        self._body = body

    def follows(self, of: Key, to: str) -> bool:
        """What is in the compartment comes by itself."""
        return to not in patient_compartment()

    async def parts(self) -> AsyncGenerator[bytes | Answer, None]:
        """The pieces of the Bundle's JSON; an ``Answer`` that is a refusal ends them."""
        path = self.scope["path"]
        query = query_of(self.scope.get("query_string", b""))
        begun = any_ = restricted = False
        # the patient's own service first: it knows whether there is such a patient
        for name in sorted(self.upstreams, key=lambda name: name != CAREPLANS):
            asked = query
            while True:
                answer = await self._part(name, path, asked)
                if answer.status != 200:
                    yield answer
                    return
                page = page_in(answer.body)
                if not begun:
                    url = page.link[0].url
                    self.base, restricted = url.partition("/Patient/")[0], "_type" in parse_qs(urlsplit(url).query)
                    yield searchset(url)
                    begun = True
                shown = self._new(page.entry)
                if shown:
                    yield (b"," if any_ else b"") + b",".join(shown)
                    any_ = True
                following = page.url("next")
                if following is None:
                    break
                asked = urlsplit(following).query
        if not restricted:
            async for some in self.referred():
                yield b"," + b",".join(self.entry(each, "include") for each in some)
        yield b"]}"

    def _new(self, entries: Sequence[msgspec.Raw]) -> list[bytes]:
        """The entries that were not shown before."""
        new = []
        for raw in entries:
            place = _place.decode(raw)
            key = key_of(place.fullUrl)
            if place.search.mode == "include" and key in self.shown:
                continue
            if key[0] not in patient_compartment():
                self.shown.add(key)
            new.append(bytes(raw))
            self.note(key, new[-1])
        return new

    async def _part(self, name: str, path: str, query: str) -> Answer:
        post = self.scope["method"] == "POST"
        scope = inner_scope(
            self.scope, method="POST" if post else "GET", path=quote(path, safe="/$"), query=query, json=post
        )
        return told(await call(self.upstreams[name], scope, self._body if post else b""))
