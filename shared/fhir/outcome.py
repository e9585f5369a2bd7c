"""OperationOutcome for every error, alone or in a Bundle entry (http://hl7.org/fhir/R4/operationoutcome.html)."""

import logging
from collections.abc import Iterable, Mapping, Sequence

from shared.errors import ConsiliumError, Issue, Unavailable
from shared.fhir.http import Response, etag
from shared.fhir.json import Resource, dumps
from shared.status import STATUS, headers_of
from shared.store.losses import is_loss
from shared.telemetry.failures import class_of, described

log = logging.getLogger(__name__)
_NONE: Mapping[str, str] = {}


def outcome(issues: Iterable[Issue], contained: Sequence[Resource] = (), linked: Mapping[str, str] = _NONE) -> Resource:
    """The resource that tells ``issues``; an extension refers to each of ``contained`` (dom-3)."""
    links = [{"url": url, "valueReference": {"reference": f"#{id_}"}} for url, id_ in linked.items()]
    return {
        "resourceType": "OperationOutcome",
        **({"contained": list(contained), "extension": links} if contained else {}),
        "issue": [
            {"severity": issue.severity, "code": issue.code, "diagnostics": issue.text}
            | ({"expression": list(issue.expression)} if issue.expression else {})
            for issue in issues
        ],
    }


def outcome_of(error: ConsiliumError) -> Resource:
    """The resource that tells ``error``."""
    return outcome(error.issues, error.contained, error.linked)


def error_response(error: ConsiliumError) -> Response:
    """The answer to a request that failed with ``error``."""
    headers = tuple((name.lower().encode(), value.encode()) for name, value in headers_of(error).items())
    if error.version is not None:
        headers += (etag(error.version),)
    return Response(STATUS[error.category], dumps(outcome_of(error)), headers)


def failure_response(error: Exception) -> Response:
    """The answer to whatever went wrong: 503 where the database was lost, 500 (and a line in the log) for a defect."""
    if isinstance(error, ConsiliumError):
        return error_response(error)
    if is_loss(error):
        log.warning("a FHIR request lost its database: %s", class_of(error))
        return error_response(Unavailable("The database does not answer now; try again."))
    log.error("A FHIR request failed.", extra={"error": described(error)})
    return UNEXPECTED


ALL_WELL = dumps(outcome([Issue("informational", "All well.", severity="information")]))
"""The body for ``Prefer: return=OperationOutcome``."""

UNEXPECTED = Response(
    500, dumps(outcome([Issue("exception", "Something went wrong here; it was logged.", severity="fatal")]))
)
"""What a caller hears of a defect of ours: nothing but that."""
