"""Errors at the edge: OperationOutcome below ``/fhir``, problem+json elsewhere (RFC 9457)."""

from http import HTTPStatus

from services.gateway.asgi import Answer
from shared.errors import ConsiliumError
from shared.fhir.json import dumps
from shared.fhir.outcome import outcome
from shared.status import STATUS, headers_of

FHIR_JSON = (b"content-type", b"application/fhir+json; charset=utf-8")
PROBLEM_JSON = (b"content-type", b"application/problem+json")


def error_answer(error: ConsiliumError, *, path: str, status: int | None = None) -> Answer:
    """The response that tells ``error`` in the language of ``path``; ``status`` overrides the category's."""
    code = status or STATUS[error.category]
    told = tuple((name.lower().encode(), value.encode()) for name, value in headers_of(error).items())
    if path == "/fhir" or path.startswith("/fhir/"):
        return Answer(code, dumps(outcome(error.issues)), (FHIR_JSON, *told))
    problem = {"type": "about:blank", "title": HTTPStatus(code).phrase, "status": code, "detail": error.issues[0].text}
    return Answer(code, dumps(problem), (PROBLEM_JSON, *told))
