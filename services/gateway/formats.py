"""JSON or XML at the edge: what the gateway answers itself, and the Bundles that it takes apart."""

from services.gateway.asgi import BODY_HEADERS, Answer, Receive, Scope
from shared.bodies import BODY_METHODS, read_body, replayed
from shared.errors import Invalid, NotAcceptable, UnsupportedMediaType
from shared.fhir.formats import PLAIN, XML_CONTENT, XML_TYPES, Format, as_json, format_asked, in_format, media_of
from shared.fhir.http import FHIR_JSON, JSON_TYPES, query_of

_XML = (b"content-type", XML_CONTENT)
_VARY = (b"vary", b"accept")


async def as_asked(answer: Answer, scope: Scope) -> Answer:
    """``answer`` in the format that the request in ``scope`` asks for; as it is where that is none of ours."""
    told = [header for header in answer.headers if header[0].lower() == b"content-type"]
    if not told or media_of(told[0][1].decode("latin-1")) != FHIR_JSON:
        return answer
    headers = answer.headers if _VARY in answer.headers else (*answer.headers, _VARY)
    try:
        format = _format(scope) or PLAIN
    except Invalid:
        format = PLAIN
    if format == PLAIN:
        return Answer(answer.status, answer.body, headers)
    if format.xml:
        headers = (*(header for header in headers if header not in told), _XML)
    return Answer(answer.status, await in_format(answer.body, format), headers)


def require_acceptable(scope: Scope) -> None:
    """Raises ``NotAcceptable`` where the caller takes no format of ours, ``Invalid`` for a wrong ``_pretty``."""
    if _format(scope) is None:
        raise NotAcceptable("This server answers in application/fhir+json and application/fhir+xml.")


def require_json(scope: Scope) -> None:
    """The same where the answer is streamed, which XML is not."""
    require_acceptable(scope)
    asked = _format(scope)
    if asked is not None and asked.xml:
        raise NotAcceptable("This operation answers in application/fhir+json only, as it is streamed.")


def is_xml(scope: Scope) -> bool:
    """Whether the request's body is said to be XML. Raises ``UnsupportedMediaType`` where it is no FHIR at all."""
    media = media_of(dict(scope["headers"]).get(b"content-type", b"").decode("latin-1"))
    if media not in JSON_TYPES | XML_TYPES:
        raise UnsupportedMediaType("Send application/fhir+json or application/fhir+xml.")
    return media in XML_TYPES


async def in_json(scope: Scope, receive: Receive, *, limit: int) -> tuple[Scope, Receive]:
    """The request with its body in JSON, where it came in XML. Raises what ``read_body`` and ``as_json`` raise."""
    headers = dict(scope["headers"])
    media = media_of(headers.get(b"content-type", b"").decode("latin-1"))
    if scope["method"] not in BODY_METHODS or media not in XML_TYPES:
        return scope, receive
    body = await as_json(await read_body(scope, receive, limit=limit))
    kept = [(name, value) for name, value in scope["headers"] if name.lower() not in BODY_HEADERS]
    told = [(b"content-type", FHIR_JSON.encode()), (b"content-length", str(len(body)).encode())]
    return {**scope, "headers": [*kept, *told]}, replayed(body, receive)


def _format(scope: Scope) -> Format | None:
    accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
    return format_asked(accept, query_of(scope.get("query_string", b"")))


__all__ = ["as_asked", "as_json", "in_json", "is_xml", "require_acceptable", "require_json"]
