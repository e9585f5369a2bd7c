"""Kick-off requests of an export, read and judged (http://hl7.org/fhir/uv/bulkdata/STU2/export.html).

A parameter that is not supported is refused, unless the request prefers ``handling=lenient``: then it is passed over,
as are types that are not here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.errors import Invalid, NotSupported, TooLarge
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.http import Request, body_resource
from shared.fhir.json import Resource
from shared.fhir.parameters import parameters_in
from shared.fhir.search.instants import span

MOST_PATIENTS = 10_000
"""Patients that an export may name, or that a Group may have to be exported."""
NDJSON = "application/fhir+ndjson"
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})
_PATIENT = re.compile(r"(?:.*/)?Patient/([A-Za-z0-9\-.]{1,64})", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_UNSUPPORTED = frozenset(
    {"_elements", "_typeFilter", "includeAssociatedData", "organizeOutputBy", "allowPartialManifests"}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KickOff:
    """What a client asked for. ``types`` and ``patients`` are None where it named none."""

    types: tuple[str, ...] | None
    patients: frozenset[str] | None
    since: datetime | None
    lenient: bool


def kick_off(request: Request, *, of_patients: bool) -> KickOff:
    """The kick-off in ``request``. Raises ``Invalid`` or ``NotSupported``."""
    if request.prefer("respond-async") is None:
        raise Invalid("An export is asynchronous: send Prefer: respond-async.", code="required")
    lenient = request.prefer("handling") == "lenient"
    types: list[str] | None = None
    patients: list[str] = []
    since = None
    for name, value in given(request):
        match name:
            case "_type":
                types = [*(types or ()), *value.split(",")]
            case "_since":
                since = _instant(value)
            case "patient" if of_patients and request.method == "POST":
                patients.append(_patient(value))
            case "_outputFormat":
                if value.replace(" ", "+") not in FORMATS:
                    raise NotSupported("Exports are made as application/fhir+ndjson.", expression=("_outputFormat",))
            case "_format":
                pass
            case _ if not lenient:
                known = name in _UNSUPPORTED or name == "patient"
                raise NotSupported(
                    "A parameter is not supported here; Prefer: handling=lenient passes it over.",
                    expression=(name,) if known else (),
                )
    if len(patients) > MOST_PATIENTS:
        raise TooLarge("The export names more patients than this server takes.", code="too-costly")
    named = None if types is None else _types(types, lenient=lenient)
    return KickOff(named, frozenset(patients) or None, since, lenient)


def given(request: Request) -> Iterator[tuple[str, str]]:
    """The parameters of the query, and those of Parameters in the body. Raises ``Invalid``."""
    yield from request.parameters
    if request.method != "POST" or not (request.body or request.resource):
        return
    for number, parameter in enumerate(parameters_in(body_resource(request, "Parameters"))):
        yield _named(parameter, f"Parameters.parameter[{number}]")


def _named(parameter: Resource, where: str) -> tuple[str, str]:
    if isinstance(name := parameter.get("name"), str):
        for element, value in parameter.items():
            if element.startswith("value") and isinstance(value, dict) and isinstance(value.get("reference"), str):
                return name, value["reference"]
            if element.startswith("value") and isinstance(value, str):
                return name, value
    raise Invalid("A parameter has a name and a value.", code="structure", expression=(where,))


def _types(names: list[str], *, lenient: bool) -> tuple[str, ...]:
    known = [name for name in dict.fromkeys(names) if name in RESOURCE_TYPES]
    if not lenient and len(known) < len(set(names)):
        raise Invalid("A type is no resource type of FHIR R4.", code="value", expression=("_type",))
    return tuple(known)


def _instant(text: str) -> datetime:
    text = text.replace(" ", "+")  # what a query did to the sign of a time zone
    try:
        if not _INSTANT.fullmatch(text):
            raise ValueError("not an instant")
        return _EPOCH + timedelta(microseconds=span(text)[0])
    except (ValueError, OverflowError):
        raise Invalid("An instant looks like 2026-01-31T10:00:00Z.", code="value", expression=("_since",)) from None


def _patient(reference: str) -> str:
    match = _PATIENT.fullmatch(reference)
    if match is None:
        raise Invalid("A patient is named by a reference: Patient/id.", code="value", expression=("patient",))
    return match[1]


def members_of(group: Resource) -> frozenset[str]:
    """The Patients that are members of ``group`` now. Raises ``TooLarge``."""
    listed = group.get("member", [])
    if len(listed) > MOST_PATIENTS:
        raise TooLarge("The Group has more members than can be exported at a time.", code="too-costly")
    references = (
        member["entity"].get("reference", "") for member in listed if not member.get("inactive") and "entity" in member
    )
    return frozenset(match[1] for match in map(_PATIENT.fullmatch, references) if match)


def chosen(members: frozenset[str], patients: frozenset[str] | None) -> frozenset[str]:
    """Those ``patients`` of a Group's ``members`` that are asked for. Raises ``Invalid`` where one is none of them."""
    if patients is None:
        return members
    if not patients <= members:
        raise Invalid("A patient is no member of the Group.", code="value", expression=("patient",))
    return patients
