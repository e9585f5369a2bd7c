"""read: the current version, as stored (http://hl7.org/fhir/R4/http.html#read), also conditional (#cread)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from shared.engine import Engine
from shared.errors import Invalid
from shared.fhir.etags import tags
from shared.fhir.http import Request, Response, etag, last_modified
from shared.fhir.subset import shown, subset_asked
from shared.reading import current
from shared.store.resources import Stored


async def read(engine: Engine, request: Request) -> Response:
    """200 with the stored bytes, 304 when the caller has them already, 404, or 410 after a deletion.

    ``_summary`` and ``_elements`` give a part of it."""
    type_, id_ = request.path
    subset = subset_asked(type_, request.parameters) if request.query else None
    stored = await current(engine, request.caller, type_, id_)
    headers = (etag(stored.version), last_modified(stored.last_updated))
    if _is_known(request, stored):
        return Response(304, b"", headers)
    return Response(200, shown(subset, type_, stored.body), headers)


def _is_known(request: Request, stored: Stored) -> bool:
    """Whether If-None-Match names the version or, without it, nothing changed after If-Modified-Since (RFC 9110,
    section 13.2.2). Raises ``Invalid`` for a malformed header."""
    named = request.headers.get("if-none-match")
    if named is not None:
        return tags(named).name(stored.version)
    since = request.headers.get("if-modified-since")
    # what HTTP writes down of a moment is whole seconds
    return since is not None and stored.last_updated.replace(microsecond=0) <= _moment(since)


def _moment(text: str) -> datetime:
    """An HTTP date, or, from a Bundle entry's ``ifModifiedSince``, an instant. Raises ``Invalid``."""
    try:
        if not text.isascii():
            raise ValueError("not a moment")
        found = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
    except (ValueError, OverflowError) as error:
        raise Invalid("A moment looks like Tue, 24 Nov 2026 10:00:00 GMT.", code="value") from error
    # a moment of HTTP without a zone is one of GMT
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
