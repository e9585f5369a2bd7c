"""The part of one service in a job that the gateway started at all of them.

They share the gateway's id and moment. A caller may send the headers itself: all that it gets is a job of its own.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.errors import Invalid
from shared.fhir.http import Request
from shared.fhir.search.snapshot import LONGEST_WRITE

HEADER = "x-consilium-part"
"""``id moment``, and a ``Reach`` where the export is not that of the system."""
REQUEST = "x-consilium-request"
"""The URL of the kick-off, as the client sent it."""
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONGEST_URL = 8_000


class Reach(StrEnum):
    """Of what the export is. A member of a Group that is not there is no mistake of who asks; a named patient is."""

    SYSTEM = "system"
    PATIENTS = "patients"
    MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class Part:
    """What the gateway gives: the job's id and moment, and the URL that it was asked at."""

    id: str
    at: datetime
    reach: Reach
    request: str


def is_job_id(text: str) -> bool:
    """Whether ``text`` may be the id of a job."""
    return _ID.fullmatch(text) is not None


def part_of(request: Request, now: datetime) -> Part | None:
    """The part that ``request`` asks for; None where it came from a client. Raises ``Invalid``."""
    text = request.headers.get(HEADER)
    if text is None:
        return None
    try:
        id_, moment, reach = text.split(" ")
        part = Part(id_, datetime.fromisoformat(moment), Reach(reach), request.headers.get(REQUEST, "")[:LONGEST_URL])
        well = abs(now - part.at) <= LONGEST_WRITE and is_job_id(id_)
    except (ValueError, TypeError):
        raise Invalid("The header of a part is malformed.", code="structure") from None
    if not well:
        raise Invalid("A part has the id of a job, and a moment that is now.", code="value")
    return part


def header_of(id_: str, at: datetime, reach: Reach) -> str:
    """The header that ``part_of`` reads."""
    return f"{id_} {at.isoformat()} {reach}"
