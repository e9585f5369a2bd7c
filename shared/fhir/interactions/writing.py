"""What all writes answer with: status, ETag, Location, and the body that Prefer asks for (http://hl7.org/fhir/R4/http.html#ops)."""

from shared.fhir.http import Request, Response, etag, last_modified, location
from shared.fhir.outcome import ALL_WELL
from shared.store.resources import Stored


def written(request: Request, stored: Stored, *, created: bool) -> Response:
    """201 or 200 for ``stored``."""
    headers = (etag(stored.version), last_modified(stored.last_updated), location(request, stored))
    return Response(201 if created else 200, preferred_body(request, stored.body), headers)


def preferred_body(request: Request, representation: bytes) -> bytes:
    """The representation, nothing, or an OperationOutcome, by ``Prefer: return=``."""
    match request.prefer("return"):
        case "minimal":
            return b""
        case "OperationOutcome" | "operationoutcome":
            return ALL_WELL
        case _:
            return representation
