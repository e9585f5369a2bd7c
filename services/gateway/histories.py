"""The history of the whole over all services, newest first (http://hl7.org/fhir/R4/http.html#history).

Each service's history of the whole is asked for, and the versions are merged by date. A cursor of the edge holds each
service's cursor and how many of the versions behind it were shown already: what a cursor leads to does not change, so
the next page asks for it again and goes on behind them.
"""

import asyncio
import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from services.gateway.asgi import Answer, ASGIApp, Scope, call, inner_scope
from services.gateway.outcome import FHIR_JSON
from shared.errors import Invalid, Unavailable
from shared.fhir.history import parse
from shared.fhir.history.asked import CURSOR, LARGEST_COUNT
from shared.fhir.http import form, query_of
from shared.fhir.json import dumps
from shared.store.size import MOST_BYTES

_LONGEST_CURSOR = 4_000


@dataclass(frozen=True, slots=True)
class Reached:
    """How far one service's history was shown: ``shown`` versions behind ``cursor`` (None: behind its beginning)."""

    cursor: str | None = None
    shown: int = 0


class _Link(msgspec.Struct):
    relation: str
    url: str


class _Meta(msgspec.Struct):
    lastUpdated: str


class _History(msgspec.Struct):
    meta: _Meta
    link: list[_Link]
    entry: list[msgspec.Raw] = []

    def cursor(self, relation: str) -> str | None:
        """The token in that link."""
        for link in self.link:
            if link.relation == relation:
                return parse_qs(urlsplit(link.url).query).get(CURSOR, [None])[0]
        return None


class _Response(msgspec.Struct):
    lastModified: str


class _Entry(msgspec.Struct):
    response: _Response


_history = msgspec.json.Decoder(_History)
_entry = msgspec.json.Decoder(_Entry)
_cursor = msgspec.json.Decoder(tuple[str, dict[str, tuple[str | None, int]]])


async def history(upstreams: Mapping[str, ASGIApp], scope: Scope) -> Answer:
    """The history Bundle, or a service's refusal. Raises ``Invalid``, ``NotSupported``, ``Unavailable``."""
    parameters = form(query_of(scope.get("query_string", b"")))
    own = [value for name, value in parameters if name == CURSOR]
    others = [(name, value) for name, value in parameters if name != CURSOR]
    asked = parse(others, ())
    settled, reached = _decode(own[-1], upstreams) if own else ("", {name: Reached() for name in upstreams})
    sent = [(name, value) for name, value in others if name != "_count"]
    answers = await asyncio.gather(
        *(_ask(upstreams[name], scope, sent, asked.count, place) for name, place in reached.items())
    )
    for answer in answers:
        if answer.status != 200:
            return answer
    found = {name: _history.decode(answer.body) for name, answer in zip(reached, answers, strict=True)}
    settled = min([settled] * bool(settled) + [each.meta.lastUpdated for each in found.values()])
    entries, following = _merged(found, reached, asked.count)
    here = next(link.url for each in found.values() for link in each.link if link.relation == "self").partition("?")[0]
    links = [_told("self", here, asked.applied)]
    if following and asked.count:
        links.append(_told("next", here, (*asked.applied, (CURSOR, _encode(settled, following)))))
    head = {"resourceType": "Bundle", "meta": {"lastUpdated": settled}, "type": "history", "link": links}
    body = dumps(head)[:-1] + (b',"entry":[' + b",".join(entries) + b"]}" if entries else b"}")
    return Answer(200, body, (FHIR_JSON,))


async def _ask(app: ASGIApp, scope: Scope, parameters: Sequence[tuple[str, str]], count: int, place: Reached) -> Answer:
    asked = [*parameters, ("_count", str(min(count + place.shown, LARGEST_COUNT)))]
    if place.cursor is not None:
        asked.append((CURSOR, place.cursor))
    answer = await call(app, inner_scope(scope, method="GET", path="/fhir/_history", query=_query(asked)))
    if answer.status >= 500:
        raise Unavailable("A service cannot tell its history at the moment.")
    return answer


def _merged(
    found: Mapping[str, _History], reached: Mapping[str, Reached], count: int
) -> tuple[list[bytes], dict[str, Reached]]:
    """The newest entries of all, and how far each service was shown then; those that were shown whole are left out."""
    rest = {name: each.entry[reached[name].shown :] for name, each in found.items()}
    dates = {name: [_entry.decode(raw).response.lastModified for raw in raws] for name, raws in rest.items()}
    taken = dict.fromkeys(found, 0)
    entries: list[bytes] = []
    size = 0
    while len(entries) < count and size < MOST_BYTES:
        ended = [name for name in found if taken[name] == len(rest[name])]
        # what follows in a service whose page has ended may be newer than what the others have
        if len(ended) == len(found) or any(found[name].cursor("next") for name in ended):
            break
        newest = max((name for name in found if name not in ended), key=lambda name: dates[name][taken[name]])
        raw = bytes(rest[newest][taken[newest]])
        taken[newest] += 1
        entries.append(raw)
        size += len(raw)
    following = {}
    for name, each in found.items():
        if taken[name] < len(rest[name]):
            before = reached[name]
            start = before.cursor if before.cursor is not None else each.cursor("first")
            following[name] = Reached(start, before.shown + taken[name])
        elif (cursor := each.cursor("next")) is not None:
            following[name] = Reached(cursor)
    return entries, following


def _encode(settled: str, reached: Mapping[str, Reached]) -> str:
    written = (settled, {name: (place.cursor, place.shown) for name, place in reached.items()})
    return urlsafe_b64encode(msgspec.json.encode(written)).decode().rstrip("=")


def _decode(token: str, upstreams: Mapping[str, ASGIApp]) -> tuple[str, dict[str, Reached]]:
    """What ``_encode`` wrote. Raises ``Invalid`` for anything else; a service judges its own cursor."""
    try:
        settled, written = _cursor.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        fits = all(0 <= shown < LARGEST_COUNT for _, shown in written.values())
        fits = fits and all(len(cursor or "") <= _LONGEST_CURSOR for cursor, _ in written.values())
        if written and written.keys() <= upstreams.keys() and fits and len(settled) == len("2026-01-01T00:00:00.000Z"):
            return settled, {name: Reached(cursor, shown) for name, (cursor, shown) in written.items()}
    except (ValueError, binascii.Error, msgspec.DecodeError):
        pass
    raise Invalid("The page token is not one of this history.", code="value")


def _query(parameters: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name)}={quote(value, safe=':,/')}" for name, value in parameters)


def _told(relation: str, url: str, parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {"relation": relation, "url": f"{url}?{_query(parameters)}" if parameters else url}
