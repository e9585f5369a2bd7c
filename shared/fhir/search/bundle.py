"""The searchset Bundle, joined from stored bytes: no resource is parsed or written again
(http://hl7.org/fhir/R4/bundle.html#searchset)."""

from urllib.parse import quote, urlencode

from shared.fhir.json import dumps
from shared.fhir.search.cursor import encode
from shared.fhir.search.page import Page
from shared.fhir.search.parse import CURSOR
from shared.fhir.search.query import Query
from shared.store.resources import Stored


def searchset(page: Page, query: Query, base: str) -> bytes:
    """The Bundle of ``page``. Links carry the parameters that were understood, as a GET, also for a search by POST."""
    here = f"{base}/{query.type}"
    links = [_link("self", here, list(query.applied))]
    if page.next is not None:
        links.append(_link("next", here, [*query.applied, (CURSOR, encode(query.sort, page.next))]))
    parts = [b'{"resourceType":"Bundle","type":"searchset"']
    if page.total is not None:
        parts.append(b',"total":%d' % page.total)
    parts.append(b',"link":[' + b",".join(links) + b"]")
    if page.matches or page.included:
        root = base.encode()
        entries = [_entry(root, stored, b"match") for stored in page.matches]
        entries += [_entry(root, stored, b"include") for stored in page.included]
        parts.append(b',"entry":[' + b",".join(entries) + b"]")
    parts.append(b"}")
    return b"".join(parts)


def _link(relation: str, url: str, parameters: list[tuple[str, str]]) -> bytes:
    query = urlencode(parameters, safe=":/|,$", quote_via=quote)
    return dumps({"relation": relation, "url": f"{url}?{query}" if query else url})


def _entry(base: bytes, stored: Stored, mode: bytes) -> bytes:
    return b'{"fullUrl":"%b/%b/%b","resource":%b,"search":{"mode":"%b"}}' % (
        base,
        stored.type.encode(),
        stored.id.encode(),
        stored.body,
        mode,
    )
