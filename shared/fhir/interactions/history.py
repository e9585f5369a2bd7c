"""history of one instance, newest first (http://hl7.org/fhir/R4/http.html#history)."""

from urllib.parse import urlencode

from shared.clock import instant
from shared.engine import Engine
from shared.errors import Invalid, NotFound
from shared.fhir.http import Request, Response
from shared.fhir.json import dumps
from shared.fhir.search.access import condition
from shared.fhir.subset import Subset, shown, subset_of, summary_of
from shared.store import resources
from shared.store.resources import Past

_PAGE = 50
_LARGEST_PAGE = 1000
_BEGINNING = 2_147_483_647
_STATUS = {"POST": "201", "PUT": "200", "PATCH": "200", "DELETE": "204"}


async def history(engine: Engine, request: Request) -> Response:
    """A history Bundle; ``_count`` sizes the page, the next link goes on below the last version shown.

    ``_summary`` and ``_elements`` say which part of each version is given; ``_summary=count`` gives the total alone."""
    type_, id_, _ = request.path
    engine.kinds.kind(type_)
    asked = request.parameters
    parameters = dict(asked)
    shaping = [(name, value) for name, value in asked if name in ("_summary", "_elements", "_format", "_pretty")]
    summaries = [value for name, value in shaping if name == "_summary"]
    subset = subset_of(type_, summaries, [value for name, value in shaping if name == "_elements"])
    only_total = summary_of(summaries) == "count"
    count = 0 if only_total else min(_number(parameters.get("_count"), _PAGE), _LARGEST_PAGE)
    below = min(_number(parameters.get("_before"), _BEGINNING), _BEGINNING)
    seen = condition(engine.access(request.caller), (type_,))
    versions = await resources.history(engine.pool, type_, id_, below=below, limit=count, seen=seen)
    newest = versions or await resources.history(engine.pool, type_, id_, below=_BEGINNING, limit=1, seen=seen)
    if not newest:
        raise NotFound("No such resource.")
    base = f"{request.base}/{type_}/{id_}"
    links = [_link("self", f"{base}/_history?{request.query}" if request.query else f"{base}/_history")]
    # versions have no gaps: whatever ended the page, the first one that is kept is on the last one
    if versions and versions[-1].stored.version > versions[-1].oldest:
        going_on = [("_count", str(count)), ("_before", str(versions[-1].stored.version)), *shaping]
        links.append(_link("next", f"{base}/_history?{urlencode(going_on, safe=',/')}"))
    total = newest[0].stored.version - newest[0].oldest + 1 if below == _BEGINNING else None
    head = {"resourceType": "Bundle", "type": "history"} | ({} if total is None else {"total": total}) | {"link": links}
    entries = b",".join(_entry(base, past, subset) for past in versions)
    return Response(200, dumps(head)[:-1] + (b',"entry":[' + entries + b"]}" if entries else b"}"))


def _entry(base: str, past: Past, subset: Subset | None) -> bytes:
    stored = past.stored
    url = f"{stored.type}" if past.method == "POST" else f"{stored.type}/{stored.id}"
    status = "201" if stored.version == 1 else _STATUS[past.method]
    rest = {
        "request": {"method": past.method, "url": url},
        "response": {
            "status": status,
            "etag": f'W/"{stored.version}"',
            "lastModified": instant(stored.last_updated),
        },
    }
    head = dumps({"fullUrl": base})[:-1]
    body = b"" if stored.deleted else b',"resource":' + shown(subset, stored.type, stored.body)
    return head + body + b"," + dumps(rest)[1:]


def _link(relation: str, url: str) -> dict[str, str]:
    return {"relation": relation, "url": url}


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise Invalid("_count and _before take a whole number.", code="value")
    return int(text)
