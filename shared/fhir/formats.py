"""JSON or XML, as the caller asks: ``Accept``, ``_format`` and ``_pretty`` (http://hl7.org/fhir/R4/http.html#mime-type).

This is the one place where XML comes in and goes out: interactions know JSON alone.
"""

import asyncio
from dataclasses import dataclass, replace

import msgspec

from shared.errors import Invalid
from shared.fhir.http import FHIR_JSON, Response, form
from shared.fhir.json import dumps, loads
from shared.fhir.xml import from_xml, to_xml

FHIR_XML = "application/fhir+xml"
XML_CONTENT = b"application/fhir+xml; charset=utf-8"
XML_TYPES = frozenset({FHIR_XML, "application/xml", "text/xml"})
FORMATS = frozenset({"_format", "_pretty"})
"""The parameters that say how an answer is written, whatever it is asked for."""
_JSON_NAMES = frozenset({FHIR_JSON, "application/json", "text/json", "json"})
_XML_NAMES = XML_TYPES | {"xml"}
_WILD = ("application/*", "text/*", "*/*")
_SLOW = 64 * 1024
"""Bytes from which on a body is converted beside the event loop."""


@dataclass(frozen=True, slots=True)
class Format:
    """How an answer is written."""

    xml: bool = False
    pretty: bool = False


PLAIN = Format()
_COMMON = dict.fromkeys((None, "", "*/*", FHIR_JSON, "application/json"), PLAIN)


def format_asked(accept: str | None, query: str) -> Format | None:
    """What the Accept header and the parameters in ``query`` ask for, which win; None for what this server cannot do.

    Raises ``Invalid`` for a ``_pretty`` that is neither true nor false."""
    if "_format=" not in query and "_pretty=" not in query:
        return _COMMON[accept] if accept in _COMMON else _negotiated(accept or "")
    parameters = dict(form(query))
    pretty = parameters.get("_pretty", "false")
    if pretty not in ("true", "false"):
        raise Invalid("The parameter _pretty takes true or false.", code="value")
    # a form-decoded "+" of _format=application/fhir+json arrives as a space
    wanted = parameters.get("_format", "").strip().replace("fhir ", "fhir+") or accept or "*/*"
    found = _negotiated(wanted)
    return found and replace(found, pretty=pretty == "true")


def _negotiated(accept: str) -> Format | None:
    """The one of the two formats that is wanted more; JSON where both are wanted the same."""
    wanted: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        told = dict(parameter.partition("=")[::2] for parameter in parameters)
        if told.get("fhirversion", "4.0") == "4.0":
            wanted[media] = max(wanted.get(media, 0.0), _quality(told.get("q", "1")))
    json, xml = _rank(wanted, _JSON_NAMES), _rank(wanted, _XML_NAMES)
    if max(json, xml)[0] <= 0:
        return None
    return Format(xml=True) if xml > json else PLAIN


def _rank(wanted: dict[str, float], names: frozenset[str]) -> tuple[float, int]:
    """How much a format is wanted, and whether by name: a range counts where no name of it is given."""
    exact = [quality for media, quality in wanted.items() if media in names]
    if exact:
        return max(exact), 1
    return next((wanted[wild] for wild in _WILD if wild in wanted), 0.0), 0


def _quality(text: str) -> float:
    try:
        quality = float(text) if text.isascii() else 1.0
    except ValueError:
        return 1.0
    return quality if 0 <= quality <= 1 else 1.0


def media_of(content_type: str | None) -> str:
    """The media type of a Content-Type header, lower-case; that of FHIR JSON where there is none."""
    return (content_type or FHIR_JSON).partition(";")[0].strip().lower()


async def as_json(body: bytes) -> bytes:
    """The JSON of a body in XML. Raises what ``from_xml`` raises."""
    return await asyncio.to_thread(_read, body) if len(body) > _SLOW else _read(body)


async def written_as(response: Response, format: Format) -> Response:
    """``response`` in that format, if it is FHIR."""
    if format is PLAIN or not response.body or response.media is not None:
        return response
    return replace(response, body=await in_format(response.body, format), media=XML_CONTENT if format.xml else None)


async def in_format(body: bytes, format: Format) -> bytes:
    """The FHIR JSON in ``body`` in that format."""
    return await asyncio.to_thread(_write, body, format) if len(body) > _SLOW else _write(body, format)


def _read(body: bytes) -> bytes:
    return dumps(from_xml(body))


def _write(body: bytes, format: Format) -> bytes:
    if format.xml:
        return to_xml(loads(body), pretty=format.pretty)
    return msgspec.json.format(body, indent=2) if format.pretty else body
