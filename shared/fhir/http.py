"""FHIR requests and responses as values (http://hl7.org/fhir/R4/http.html): what interactions take and give."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl

from shared.errors import Invalid, UnsupportedMediaType
from shared.fhir.addresses import may_hold_url
from shared.fhir.json import Resource, received
from shared.fhir.references import make_relative
from shared.provenance import sent
from shared.security.caller import Caller
from shared.store.resources import Stored

FHIR_JSON = "application/fhir+json"
_CONTENT_TYPE = (b"content-type", b"application/fhir+json; charset=utf-8")
_VARY = (b"vary", b"accept")
JSON_TYPES = frozenset({FHIR_JSON, "application/json", "text/json"})
_PLAIN_FORM = re.compile(r"[A-Za-z0-9_.~:/|,$&=\-]*")
"""A query that needs no decoding: nearly all of them."""
_MOST_FIELDS = 200
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class Request:
    """One interaction, from the wire or from a Bundle entry."""

    method: str
    path: tuple[str, ...]
    """The segments below the base: ``("CarePlan", "1", "_history", "2")``."""
    caller: Caller
    base: str
    """The public base URL without trailing slash, for links and Location; a ``Base`` knows others of this server."""
    query: str = ""
    """The raw query string."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names."""
    body: bytes = b""
    resource: Resource | None = None
    """The body already decoded, where it comes from a Bundle entry."""
    stream: AsyncIterator[bytes] | None = None
    """The body as it comes, for an operation that does not want it whole; ``body`` is empty then."""

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query as name-value pairs in order. Raises ``Invalid`` for bytes that are not UTF-8."""
        return form(self.query)

    @property
    def may_name_base(self) -> bool:
        """Whether the body may hold absolute references to this server; one that came decoded may."""
        return self.resource is not None or may_hold_url(self.body)

    @property
    def provenance(self) -> Resource | None:
        """What the client says of where its data come from (``X-Provenance``). Raises ``Invalid``."""
        header = self.headers.get("x-provenance")
        return None if header is None else sent(header)

    def prefer(self, name: str) -> str | None:
        """A preference of the Prefer header (RFC 7240), lower-case."""
        for part in self.headers.get("prefer", "").replace(";", ",").split(","):
            key, _, value = part.strip().partition("=")
            if key.strip().lower() == name:
                return value.strip().strip('"')
        return None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: status, headers, body bytes as they go on the wire."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media: bytes | None = None
    """What the body is, where that is no FHIR JSON."""
    parts: AsyncIterator[bytes] | None = None
    """The body as it comes, of a length that is not known; ``body`` is empty then."""

    def wire_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers with content type and length."""
        headers = [*self.headers, _VARY]
        if self.body or self.parts is not None:
            headers.append(_CONTENT_TYPE if self.media is None else (b"content-type", self.media))
        if self.parts is None:
            headers.append((b"content-length", str(len(self.body)).encode()))
        return headers


def query_of(raw: bytes) -> str:
    """A query string as it came, percent-encoded or in UTF-8. Raises ``Invalid`` for other bytes: read as something
    else, they would ask for something else."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Invalid("The address is not in UTF-8.", code="structure") from error


def form(query: str) -> list[tuple[str, str]]:
    """A query string or a form body as pairs. Raises ``Invalid``."""
    if _PLAIN_FORM.fullmatch(query):
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        if len(pairs) <= _MOST_FIELDS:
            return [(name, value) for name, _, value in pairs]
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Invalid("The parameters are not a readable form.", code="structure") from error


def body_resource(request: Request, type_: str) -> Resource:
    """The resource in the body, its references to this server relative. A Bundle's entries stay as they are.

    Raises ``UnsupportedMediaType`` or ``Invalid``."""
    resource = any_resource(request)
    if resource.get("resourceType") != type_:
        raise Invalid("The body's resourceType is not the type in the URL.", expression=("resourceType",))
    return resource


def any_resource(request: Request) -> Resource:
    """The same, whatever its type is."""
    resource = request.resource
    if resource is None:
        media = request.headers.get("content-type", FHIR_JSON).partition(";")[0].strip().lower()
        if media not in JSON_TYPES:
            raise UnsupportedMediaType("Send application/fhir+json or application/fhir+xml.")
        resource = received(request.body)
        if request.may_name_base:
            make_relative(resource, request.base)
    if not isinstance(resource, dict):
        raise Invalid("The body is not a JSON object.", code="structure")
    return resource


def legal_id(text: str) -> bool:
    """Whether ``text`` is a FHIR id (http://hl7.org/fhir/R4/datatypes.html#id)."""
    return _ID.fullmatch(text) is not None


def etag(version: int) -> tuple[bytes, bytes]:
    """The ETag header of a version."""
    return (b"etag", b'W/"%d"' % version)


def last_modified(moment: datetime) -> tuple[bytes, bytes]:
    """The Last-Modified header."""
    return (b"last-modified", format_datetime(moment, usegmt=True).encode())


def location(request: Request, stored: Stored) -> tuple[bytes, bytes]:
    """The version-specific Location of a write."""
    return (b"location", f"{request.base}/{stored.type}/{stored.id}/_history/{stored.version}".encode())
