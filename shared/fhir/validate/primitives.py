"""The primitive datatypes: JSON type and format (http://hl7.org/fhir/R4/datatypes.html#primitive)."""

import binascii
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from shared.fhir.validate.walk import Place, Run, Walk

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""Characters that no string may have: controls other than tab, CR and LF, and lone surrogates."""

LONGEST = 1024 * 1024
"""Characters of a string (http://hl7.org/fhir/R4/datatypes.html#string)."""

_DAY = r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_date = re.compile(_DAY + r")?)?").fullmatch
_date_time = re.compile(_DAY + rf"(?:T{_TIME}{_ZONE})?)?)?").fullmatch
_instant = re.compile(rf"([0-9]{{4}})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{_TIME}{_ZONE}").fullmatch
_time = re.compile(_TIME).fullmatch
_id = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_code = re.compile(r"[^\s]+(?:\s[^\s]+)*").fullmatch
_uri = re.compile(r"\S+").fullmatch
_oid = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+").fullmatch
_uuid = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_space = re.compile(r"\s+")


def plain(value: str) -> bool:
    """A non-empty string without control characters."""
    return value != "" and (value.isprintable() or CONTROL.search(value) is None)


def is_string(value: str) -> bool:
    return plain(value) and len(value) <= LONGEST


def is_uri(value: str) -> bool:
    return plain(value) and _uri(value) is not None


def is_code(value: str) -> bool:
    return plain(value) and _code(value) is not None


def _real_day(match: re.Match[str] | None) -> bool:
    """Whether the year, month and day that were matched exist."""
    if match is None:
        return False
    year, month, day = match.groups()
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return False
    return True


def is_base64(value: str) -> bool:
    try:
        binascii.a2b_base64(_space.sub("", value).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return value.strip() != ""


FORMATS: dict[str, tuple[Callable[[str], Any], str]] = {
    "base64Binary": (is_base64, "This must be base64."),
    "canonical": (is_uri, "This must be a canonical URL without blanks or control characters."),
    "code": (is_code, "This must be a code: no blanks at the ends, none doubled, no control characters."),
    "date": (lambda value: _real_day(_date(value)), "This must be a date that exists: YYYY, YYYY-MM or YYYY-MM-DD."),
    "dateTime": (
        lambda value: _real_day(_date_time(value)),
        "This must be a date, or a date with a time, seconds and a time zone.",
    ),
    "id": (_id, "This must be an id: 1 to 64 letters, digits, '-' and '.'."),
    "instant": (
        lambda value: _real_day(_instant(value)),
        "This must be an instant: date, time with seconds, and time zone.",
    ),
    "markdown": (is_string, "This must be text: not empty, at most 1 MB, no control characters."),
    "oid": (_oid, "This must be an OID as urn:oid:..."),
    "string": (is_string, "This must be text: not empty, at most 1 MB, no control characters."),
    "time": (_time, "This must be a time of day: hh:mm:ss."),
    "uri": (is_uri, "This must be a URI without blanks or control characters."),
    "url": (is_uri, "This must be a URL without blanks or control characters."),
    "uuid": (_uuid, "This must be a UUID as urn:uuid:..., in lower case."),
}
"""The primitives that are strings in JSON: the test of the format, and what to say."""

RANGES = {"integer": -(2**31), "positiveInt": 1, "unsignedInt": 0}
"""The smallest value of the whole numbers; all of them fit in 32 bits."""


def primitive(type_: str) -> Run:
    """The check of one value of the primitive type. Raises ``KeyError`` where ``type_`` is none."""
    if type_ == "boolean":
        return _boolean
    if type_ == "decimal":
        return _decimal
    if type_ in RANGES:
        return _whole(RANGES[type_])
    if type_ in ("string", "markdown"):
        return _text
    fits, text = FORMATS[type_]

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        if type(value) is not str:
            walk.report("structure", "This must be a JSON string.", parent, label, index)
        elif not fits(value):
            walk.report("value", text, parent, label, index)

    return run


def _text(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
    if type(value) is not str:
        walk.report("structure", "This must be a JSON string.", parent, label, index)
    elif not is_string(value):
        walk.report("value", FORMATS["string"][1], parent, label, index)


def _boolean(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
    if value is not True and value is not False:
        walk.report("structure", "This must be true or false.", parent, label, index)


def _decimal(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
    if type(value) is not Decimal and type(value) is not int:
        walk.report("structure", "This must be a JSON number.", parent, label, index)


def _whole(least: int) -> Run:
    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        if type(value) is not int:
            walk.report("structure", "This must be a whole JSON number.", parent, label, index)
        elif not least <= value < 2**31:
            walk.report("value", f"This must be a whole number from {least} to {2**31 - 1}.", parent, label, index)

    return run
