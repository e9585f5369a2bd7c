"""The searchset Bundle, joined from stored bytes: no resource is parsed or written again, but where parts are asked for
(http://hl7.org/fhir/R4/bundle.html#searchset)."""

import re
from urllib.parse import quote

from shared.fhir.json import dumps
from shared.fhir.search.cursor import encode
from shared.fhir.search.page import Page
from shared.fhir.search.parse import CURSOR
from shared.fhir.search.query import Query
from shared.fhir.subset import Subset, shown
from shared.store.resources import Stored

_SAFE = ":/|,$"
_PLAIN = re.compile(r"[A-Za-z0-9_.~:/|,$-]*")


def searchset(page: Page, query: Query, base: str) -> bytes:
    """The Bundle of ``page``. Links carry the parameters that were understood, as a GET, also for a search by POST."""
    here = f"{base}/Patient/{query.compartment}/{query.type}?" if query.compartment else f"{base}/{query.type}?"
    asked = "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in query.applied])
    links = [_link("self", (here + asked).rstrip("?"))]
    if page.next is not None:
        token = f"{CURSOR}={encode(query.sort, page.next)}"
        links.append(_link("next", f"{here}{asked}&{token}" if asked else here + token))
    parts = [b'{"resourceType":"Bundle","type":"searchset"']
    if page.total is not None:
        parts.append(b',"total":%d' % page.total)
    parts.append(b',"link":[' + b",".join(links) + b"]")
    if page.matches or page.included or query.warnings:
        root = base.encode()
        entries = [_entry(root, stored, b"match", query.subset) for stored in page.matches]
        entries += [_entry(root, stored, b"include", query.subset) for stored in page.included]
        entries += [_warning(text) for text in query.warnings]
        parts.append(b',"entry":[' + b",".join(entries) + b"]")
    parts.append(b"}")
    return b"".join(parts)


def _link(relation: str, url: str) -> bytes:
    return dumps({"relation": relation, "url": url})


def _warning(text: str) -> bytes:
    issue = {"severity": "warning", "code": "not-supported", "details": {"text": text}}
    return dumps({"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}})


def _quoted(text: str) -> str:
    """``text`` for a query string; most of them need nothing done."""
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_SAFE)


def _entry(base: bytes, stored: Stored, mode: bytes, subset: Subset | None) -> bytes:
    return b'{"fullUrl":"%b/%b/%b","resource":%b,"search":{"mode":"%b"}}' % (
        base,
        stored.type.encode(),
        stored.id.encode(),
        shown(subset, stored.type, stored.body),
        mode,
    )
