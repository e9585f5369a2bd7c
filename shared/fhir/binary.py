"""Binary over the wire as what it holds: content under its own media type, out and in
(http://hl7.org/fhir/R4/binary.html#rest). Everything behind this knows the resource alone."""

import base64
from collections.abc import Mapping
from dataclasses import replace

from shared.fhir.formats import XML_TYPES, media_of
from shared.fhir.http import JSON_TYPES, Response
from shared.fhir.json import Resource, dumps, loads

TYPE = "Binary"
SECURITY_CONTEXT = "x-security-context"
_OURS = XML_TYPES | JSON_TYPES
_SAFE = (
    # whoever opens it in a browser gets a file: nothing in it acts in this server's name
    (b"content-disposition", b"attachment"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"x-content-type-options", b"nosniff"),
)


def wants_content(method: str, path: tuple[str, ...], accept: str | None, query: str) -> bool:
    """Whether a read asks for the content: its Accept header names types, and none that a resource is written in."""
    reads = method in ("GET", "HEAD") and path[:1] == (TYPE,) and (len(path) == 2 or path[2:3] == ("_history",))
    if not reads or path[1].startswith(("_", "$")) or path[-1] == "_history" or not accept or "_format=" in query:
        return False
    named = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return named != {"*/*"} and named.isdisjoint(_OURS)


def brings_content(method: str, path: tuple[str, ...], content_type: str | None) -> bool:
    """Whether the body of a create or an update is the content itself."""
    writes = path[:1] == (TYPE,) and (method, len(path)) in (("POST", 1), ("PUT", 2))
    return writes and media_of(content_type) not in _OURS


def content(response: Response) -> Response:
    """The content of the Binary in ``response``, under its type; a Binary without data has none."""
    if response.status != 200 or not response.body:
        return response
    binary = loads(response.body)
    media = binary.get("contentType", "application/octet-stream").encode("latin-1", "replace")
    data = base64.b64decode(binary.get("data", ""))
    return replace(response, body=data, media=media, headers=(*response.headers, *_SAFE))


def resource_of(body: bytes, path: tuple[str, ...], headers: Mapping[str, str]) -> bytes:
    """The Binary, as FHIR JSON, that a body of another type stands for."""
    binary: Resource = {"resourceType": TYPE}
    if len(path) == 2:
        binary["id"] = path[1]
    binary["contentType"] = headers["content-type"].strip()
    if SECURITY_CONTEXT in headers:
        binary["securityContext"] = {"reference": headers[SECURITY_CONTEXT]}
    if body:
        binary["data"] = base64.b64encode(body).decode()
    return dumps(binary)
