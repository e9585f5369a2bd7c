"""OperationOutcome for every error, alone or in a Bundle entry (http://hl7.org/fhir/R4/operationoutcome.html)."""

from collections.abc import Iterable

from shared.errors import ConsiliumError, Issue
from shared.fhir.http import Response
from shared.fhir.json import Resource, dumps
from shared.status import STATUS, headers_of


def outcome(issues: Iterable[Issue]) -> Resource:
    """The resource that tells ``issues``."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": issue.severity, "code": issue.code, "diagnostics": issue.text}
            | ({"expression": list(issue.expression)} if issue.expression else {})
            for issue in issues
        ],
    }


def error_response(error: ConsiliumError) -> Response:
    """The answer to a request that failed with ``error``."""
    headers = tuple((name.lower().encode(), value.encode()) for name, value in headers_of(error).items())
    return Response(STATUS[error.category], dumps(outcome(error.issues)), headers)


ALL_WELL = dumps(outcome([Issue("informational", "All well.", severity="information")]))
"""The body for ``Prefer: return=OperationOutcome``."""

UNEXPECTED = Response(
    500, dumps(outcome([Issue("exception", "Something went wrong here; it was logged.", severity="fatal")]))
)
"""What a caller hears of a defect of ours: nothing but that."""
