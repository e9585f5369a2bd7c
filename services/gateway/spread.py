"""Types that live in every service, beside what they speak of: Provenance.

Who is asked follows from an id that a service gave (``referrals.<uuid>``), or from the target. What names neither is
looked for in one service after the other; a search without a target goes through them page by page.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from services.gateway.asgi import Answer, ASGIApp, Receive, Scope, Send, call, inner_scope, send_answer
from services.gateway.formats import as_asked, in_json, require_acceptable
from services.gateway.outcome import FHIR_JSON, error_answer
from services.gateway.routing import CAREPLANS, NOTIFICATIONS, REFERRALS, owner_of, type_in
from shared.bodies import read_body, replayed
from shared.errors import ConsiliumError, Invalid, NotSupported
from shared.fhir.formats import FORMATS
from shared.fhir.http import query_of
from shared.fhir.json import Resource, dumps, loads

ORDER = (CAREPLANS, REFERRALS, NOTIFICATIONS)
AT = "_service"
"""In a next link: which service the page is of."""
_LARGEST = 16 * 1024 * 1024
_ABSENT = 404
_NOTHING: Mapping[str, str] = {}


class Spread:
    """The requests for one such type; ``upstreams`` by service name."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], *, largest: int = _LARGEST) -> None:
        self._upstreams, self._largest = upstreams, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        _, _, type_, *rest = scope["path"].split("/")
        try:
            scope, receive = await in_json(scope, receive, limit=self._largest)
            if not rest or rest == ["_search"]:
                await self._type(scope, receive, send, type_)
            elif rest[0][:1] in ("_", "$"):
                # history and operations of the type: of the shared record's
                await self._upstreams[CAREPLANS](scope, receive, send)
            else:
                await self._instance(scope, receive, send, rest[0])
        except ConsiliumError as error:
            answer = await as_asked(error_answer(error, path=scope["path"]), scope)
            await send_answer(answer, send, body=scope["method"] != "HEAD")

    async def _instance(self, scope: Scope, receive: Receive, send: Send, id_: str) -> None:
        service = service_in(id_)
        if service is not None:
            return await self._upstreams[service](scope, receive, send)
        holder = await self._holder(scope, "/".join(scope["path"].split("/")[:4]))
        if holder is None and scope["method"] == "PUT":
            body = await read_body(scope, receive, limit=self._largest)
            holder, receive = service_of(_resource(body)), replayed(body, receive)
        return await self._upstreams[holder or CAREPLANS](scope, receive, send)

    async def _holder(self, scope: Scope, path: str) -> str | None:
        """The service that has, or had, what ``path`` names."""
        for name in ORDER:
            answer = await call(self._upstreams[name], inner_scope(scope, method="HEAD", path=path))
            if answer.status != _ABSENT:
                return name
        return None

    async def _type(self, scope: Scope, receive: Receive, send: Send, type_: str) -> None:
        query = query_of(scope.get("query_string", b""))
        searches = scope["path"].endswith("/_search")
        if scope["method"] == "POST":
            body = await read_body(scope, receive, limit=self._largest)
            receive = replayed(body, receive)
            if not searches:
                return await self._upstreams[service_of(_resource(body))](scope, receive, send)
            query = "&".join(filter(None, (query, body.decode("utf-8", "replace"))))
        elif scope["method"] not in ("GET", "HEAD"):
            return await self._upstreams[CAREPLANS](scope, receive, send)
        asked = parse_qsl(query, keep_blank_values=True)
        owner = service_by(asked)
        if owner is not None:
            return await self._upstreams[owner](scope, receive, send)
        # the format, too, may be told in the body of a search
        told = {**scope, "query_string": query.encode()}
        require_acceptable(told)
        answer = await as_asked(await self._everywhere(scope, type_, asked), told)
        return await send_answer(answer, send, body=scope["method"] != "HEAD")

    async def _everywhere(self, scope: Scope, type_: str, asked: list[tuple[str, str]]) -> Answer:
        """A page of the first service that has something, with a next link to what is left.

        Raises ``NotSupported`` for an order over all services, ``Invalid`` for a next link that is none."""
        own = [(name, value) for name, value in asked if name not in (AT, *FORMATS)]
        if any(name == "_sort" for name, _ in own):
            raise NotSupported("Provenance of all services is sorted where a target is named.", expression=("_sort",))
        named = [value for name, value in asked if name == AT]
        if named and named[-1] not in ORDER:
            raise Invalid("The next link is none of ours.", code="value")
        left = ORDER[ORDER.index(named[-1]) if named else 0 :]
        query = urlencode(own)
        bundle: Resource = {}
        for name in left:
            answer = await self._ask(scope, name, type_, query)
            if answer.status != 200:
                return answer
            bundle = loads(answer.body)
            following = left[left.index(name) + 1 :]
            _link_on(bundle, name, following[0] if following else None)
            _keep_formats(bundle, [(name, value) for name, value in asked if name in FORMATS])
            if bundle.get("entry") or not following:
                break
        if "total" in bundle:
            bundle["total"] = await self._total(scope, type_, own)
        return Answer(200, dumps(bundle), (FHIR_JSON,))

    async def _total(self, scope: Scope, type_: str, asked: list[tuple[str, str]]) -> int:
        kept = [(name, value) for name, value in asked if name not in ("_summary", "_total", "_count", "_cursor")]
        query = urlencode([*kept, ("_summary", "count")])
        answers = [await self._ask(scope, name, type_, query) for name in ORDER]
        return sum(loads(answer.body).get("total", 0) for answer in answers if answer.status == 200)

    async def _ask(self, scope: Scope, name: str, type_: str, query: str) -> Answer:
        inner = inner_scope(scope, method="GET", path=f"/fhir/{type_}", query=query)
        return await call(self._upstreams[name], inner)


def service_in(id_: str) -> str | None:
    """The service that gave ``id_``; None for an id that a client chose."""
    name, dot, _ = id_.partition(".")
    return name if dot and name in ORDER else None


def service_of(resource: Resource, beside: Mapping[str, str] = _NOTHING) -> str:
    """Where ``resource`` belongs: with its first target that we know, or in the shared record."""
    targets = resource.get("target")
    for target in targets if isinstance(targets, list) else []:
        reference = target.get("reference") if isinstance(target, dict) else None
        if isinstance(reference, str):
            owner = beside.get(reference) or _owner(reference)
            if owner is not None:
                return owner
    return CAREPLANS


def service_of_entry(url: str, resource: object, beside: Mapping[str, str]) -> str:
    """Whom a Bundle's entry is for: by the id in ``url``, by its criteria, or by the target of ``resource``.

    ``beside``: who owns the other entries, by fullUrl. What says nothing of that is for the shared record."""
    path, _, query = url.partition("?")
    _, _, id_ = path.strip("/").partition("/")
    named = service_in(id_.partition("/")[0])
    if named is None and query:
        named = service_by(parse_qsl(query, keep_blank_values=True))
    if named is not None:
        return named
    return service_of(resource, beside) if isinstance(resource, dict) else CAREPLANS


def service_by(asked: list[tuple[str, str]]) -> str | None:
    """The one service that a search asks, by its target or the ids that it names; None where that is open."""
    found: set[str | None] = set()
    for name, value in asked:
        code, _, modifier = name.partition(":")
        if code == "target" and modifier in ("", *([modifier] if owner_of(modifier) else [])):
            found |= {owner_of(modifier) if modifier else _owner(one) for one in value.split(",")}
        elif name == "_id":
            found |= {service_in(one) for one in value.split(",")}
        elif name == "patient":
            # the target is a Patient
            found.add(CAREPLANS)
    return found.pop() if len(found) == 1 else None


def _owner(reference: str) -> str | None:
    """The owner of what a reference leads to, relative, absolute or by criteria."""
    parts = reference.partition("?")[0].partition("/_history/")[0].split("/")
    return owner_of(type_in("/".join(parts[-2:])))


def _resource(body: bytes) -> Resource:
    try:
        resource: Any = loads(body)
    except Invalid:
        # its owner says so in full
        return {}
    return resource if isinstance(resource, dict) else {}


def _link_on(bundle: Resource, name: str, following: str | None) -> None:
    """Let the next link go on in this service, or in the ``following`` one."""
    links: list[dict[str, str]] = bundle.get("link", [])
    mine = next((link for link in links if link["relation"] == "next"), None)
    if mine is not None:
        mine["url"] = _at(mine["url"], name)
    elif following is not None and bundle.get("entry"):
        here = next(link["url"] for link in links if link["relation"] == "self")
        links.append({"relation": "next", "url": _at(here, following)})


def _keep_formats(bundle: Resource, formats: list[tuple[str, str]]) -> None:
    """Who asked for a page as XML gets the others so, too."""
    for link in bundle.get("link", []) if formats else []:
        link["url"] = _and(link["url"], urlencode(formats))


def _at(url: str, name: str) -> str:
    return _and(url, f"{AT}={name}")


def _and(url: str, more: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{more}"
