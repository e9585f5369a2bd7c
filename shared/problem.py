"""Errors of the REST API as ``application/problem+json`` (RFC 9457). The FHIR side speaks OperationOutcome instead.

No body repeats what a client sent, and no exception's own text leaves the process unless the exception is ours.
"""

import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from opentelemetry import trace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import ConsiliumError, Invalid, Issue, Unavailable, Unprocessable
from shared.status import STATUS, headers_of
from shared.store.losses import is_loss
from shared.telemetry.failures import described

_logger = logging.getLogger(__name__)
_LOST = Unavailable("The database does not answer now; try again.")

_EXPECTED: Mapping[str, str] = {
    "missing": "A value is required.",
    "extra_forbidden": "An element that is not declared is not accepted.",
    "json_invalid": "JSON is expected.",
    "enum": "{expected} is expected.",
    "literal_error": "{expected} is expected.",
    "string_pattern_mismatch": "Text of the form {pattern} is expected.",
    "string_too_short": "Text of at least {min_length} characters is expected.",
    "string_too_long": "Text of at most {max_length} characters is expected.",
    "too_long": "At most {max_length} values are expected.",
    "too_short": "At least {min_length} values are expected.",
    **dict.fromkeys(
        ("date_from_datetime_parsing", "date_parsing", "date_type", "date_from_datetime_inexact"),
        "A date like 2026-01-31 is expected.",
    ),
    "greater_than_equal": "A number that is at least {ge} is expected.",
    "less_than_equal": "A number that is at most {le} is expected.",
    "less_than": "A number below {lt} is expected.",
    **dict.fromkeys(("string_type", "string_unicode", "string_sub_type"), "Text is expected."),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "A whole number is expected."),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false is expected."),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "An object is expected."),
}
"""What is said of pydantic's findings (https://docs.pydantic.dev/latest/errors/validation_errors/). Of their contexts
only what is declared is told: others quote the input."""

_TYPES = re.compile(r"[A-Z][A-Za-z]{3,}(?=[|)]*/|\|)")
"""The resource types in the pattern of a reference."""

DOCUMENTED: dict[str, Any] = {
    "description": "A problem (RFC 9457); no value that was sent comes back in it.",
    "content": {
        "application/problem+json": {
            "schema": {
                "title": "Problem",
                "type": "object",
                "required": ["type", "title", "status"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "issues": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["code", "text", "expression"],
                            "properties": {
                                "code": {"type": "string"},
                                "text": {"type": "string"},
                                "expression": {"type": "array", "items": {"type": "string"}},
                            },
                        },
                    },
                    "trace_id": {"type": "string"},
                },
            }
        }
    },
}
"""``problem``'s answers as OpenAPI has them."""


def problem(
    status: int, *, detail: str | None = None, issues: tuple[Issue, ...] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """A problem answer."""
    return JSONResponse(details(status, detail, issues), status, headers, "application/problem+json")


def details(status: int, detail: str | None = None, issues: tuple[Issue, ...] = ()) -> dict[str, Any]:
    """The body of a problem; ``trace_id`` lets a reader of our logs find it."""
    body: dict[str, Any] = {"type": "about:blank", "title": _phrase(status), "status": status}
    if detail:
        body["detail"] = detail
    if issues:
        body["issues"] = [
            {"code": issue.code, "text": issue.text, "expression": list(issue.expression)} for issue in issues
        ]
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        body["trace_id"] = f"{context.trace_id:032x}"
    return body


def of_error(error: ConsiliumError) -> Response:
    """One of our own errors."""
    return problem(STATUS[error.category], detail=error.issues[0].text, issues=error.issues, headers=headers_of(error))


def details_of(error: ConsiliumError) -> dict[str, Any]:
    """The body of one of our own errors, for an answer that has several."""
    return details(STATUS[error.category], error.issues[0].text, error.issues)


def of_validation(error: RequestValidationError) -> Response:
    """A request that does not fit its declared shape.

    Pydantic's texts quote the input, so ours say what was expected."""
    findings = error.errors()
    malformed = any(finding["type"] in {"json_invalid", "json_type"} for finding in findings)
    kind = Invalid if malformed else Unprocessable
    issues = tuple(Issue("structure" if malformed else "value", _text(f), _expression(f)) for f in findings[:20])
    return problem(STATUS[kind.category], detail="The request is not as declared.", issues=issues)


def unknown() -> Response:
    """An error that nobody foresaw; what it was is in the log."""
    return problem(500, detail="An unexpected error occurred.")


def install_problem_handlers(app: FastAPI) -> None:
    """Answers every error of ``app``'s routes with a problem. Unforeseen ones are ``LastResort``'s."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ConsiliumError)
        return of_error(error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return of_validation(error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, headers=error.headers)

    app.add_exception_handler(ConsiliumError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


class LastResort:
    """Middleware that answers 500 where an exception passed everybody, and logs it without its text.

    Starlette's own handler for unforeseen errors raises them again, and the server then prints the whole text.
    """

    def __init__(self, app: ASGIApp, answers: Mapping[str, Callable[[], Response]] | None = None) -> None:
        """``answers``: by path prefix, what a 500 looks like there (``{"/fhir": ...}``); a problem elsewhere."""
        self._app, self._answers = app, dict(answers or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:  # noqa: BLE001  the process's edge: an error that leaves here would be printed
            lost = is_loss(error)
            if lost:
                _logger.warning("A request lost its database.", extra={"error": described(error)})
            else:
                _logger.error("An error that nobody handles.", extra={"error": described(error)})
            if not begun:
                answer = of_error(_LOST) if lost else self._answer(scope["path"])
                await answer(scope, receive, send)

    def _answer(self, path: str) -> Response:
        for prefix, answer in self._answers.items():
            if path == prefix or path.startswith(prefix + "/"):
                return answer()
        return unknown()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _text(finding: Mapping[str, Any]) -> str:
    if finding["type"] == "string_pattern_mismatch" and (types := _TYPES.findall(finding["ctx"]["pattern"])):
        return f"A relative reference is expected, [type]/[id], of the type {', '.join(sorted(set(types)))}."
    return _EXPECTED.get(finding["type"], "The value is not accepted.").format_map(finding.get("ctx", {}))


def _expression(finding: Mapping[str, Any]) -> tuple[str, ...]:
    """Where: declared names and indexes. A name that is not declared is the client's, so it is left out."""
    path = [str(step) for step in finding["loc"]]
    if finding["type"] in {"extra_forbidden", "json_invalid"}:
        path = path[:-1]
    return (".".join(path),) if path else ()
