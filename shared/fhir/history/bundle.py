"""The history Bundle, joined from stored bytes (http://hl7.org/fhir/R4/bundle.html#history)."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from shared.clock import instant
from shared.fhir.history.asked import CURSOR, Asked
from shared.fhir.history.cursor import encode
from shared.fhir.history.versions import Page
from shared.fhir.json import dumps
from shared.fhir.subset import Subset, shown
from shared.store.resources import Past

_STATUS = {"POST": "201", "PUT": "200", "PATCH": "200", "DELETE": "204"}


def history_bundle(page: Page, asked: Asked, base: str, scope: Sequence[str]) -> bytes:
    """The Bundle of ``page``. ``meta.lastUpdated`` is what to send as ``_since`` the next time so as to miss nothing:
    whatever is dated until then was committed when this was read. The link ``first`` leads to this page again,
    whatever is written meanwhile."""
    here = "/".join((base, *scope, "_history"))
    links = [_link("self", here, asked.applied)]
    if page.first is not None:
        links.append(_link("first", here, (*asked.applied, (CURSOR, encode(page.first)))))
    if page.next is not None:
        links.append(_link("next", here, (*asked.applied, (CURSOR, encode(page.next)))))
    head: dict[str, Any] = {"resourceType": "Bundle", "meta": {"lastUpdated": instant(page.settled)}, "type": "history"}
    if page.total is not None:
        head["total"] = page.total
    entries = b",".join(_entry(base, past, asked.subset) for past in page.versions)
    return dumps(head | {"link": links})[:-1] + (b',"entry":[' + entries + b"]}" if entries else b"}")


def _entry(base: str, past: Past, subset: Subset | None) -> bytes:
    stored = past.stored
    name = f"{stored.type}/{stored.id}"
    rest = {
        "request": {"method": past.method, "url": stored.type if past.method == "POST" else name},
        "response": {
            "status": "201" if stored.version == 1 else _STATUS[past.method],
            "etag": f'W/"{stored.version}"',
            "lastModified": instant(stored.last_updated),
        },
    }
    body = b"" if stored.deleted else b',"resource":' + shown(subset, stored.type, stored.body)
    return dumps({"fullUrl": f"{base}/{name}"})[:-1] + body + b"," + dumps(rest)[1:]


def _link(relation: str, url: str, parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    query = "&".join(f"{name}={quote(value, safe=':,/')}" for name, value in parameters)
    return {"relation": relation, "url": f"{url}?{query}" if query else url}
