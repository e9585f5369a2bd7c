"""Errors carry a *category*; one function per edge turns a category into a status code and a body.

ConsiliumError
 +-- Invalid               the request or its content is malformed (400)
 +-- Unauthenticated       no token, or one that does not verify (401)
 +-- Forbidden             this caller may not do this (403)
 +-- NotFound              nothing by that name here (404)
 +-- NotAllowed            this address does not take this method (405)
 +-- NotSupported          a part of the standard that this server does not do (400)
 +-- NotAcceptable         no representation that the caller accepts (406)
 +-- TooSlow               a body that did not arrive in time (408)
 +-- Conflict              the present state does not allow it: an illegal transition, a referenced target (409)
 +-- Gone                  it was deleted (410)
 +-- PreconditionFailed    If-Match or a conditional criterion did not hold (412)
 +-- TooLarge              body over the limit (413)
 +-- UnsupportedMediaType  a body type that is not FHIR JSON (415)
 +-- Unprocessable         well-formed, but it breaks a rule (422)
 +-- PreconditionRequired  If-Match is demanded and missing (428)
 +-- TooMany               more than this caller may have at a time (429)
 +-- Unavailable           a dependency is down; try again (503)

Texts never repeat what a client sent: no values, no ids, only codes of ours and element paths.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class Category(StrEnum):
    """What went wrong, independent of any protocol."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    NOT_ALLOWED = "not-allowed"
    NOT_SUPPORTED = "not-supported"
    NOT_ACCEPTABLE = "not-acceptable"
    TOO_SLOW = "too-slow"
    CONFLICT = "conflict"
    GONE = "gone"
    PRECONDITION_FAILED = "precondition-failed"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    UNPROCESSABLE = "unprocessable"
    PRECONDITION_REQUIRED = "precondition-required"
    TOO_MANY = "too-many"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: an IssueType code (http://hl7.org/fhir/R4/valueset-issue-type.html), a text, FHIRPath locations."""

    code: str
    text: str
    expression: tuple[str, ...] = ()
    severity: str = "error"


class ConsiliumError(Exception):
    """The root. ``issues`` is never empty."""

    category: ClassVar[Category]
    default_code: ClassVar[str] = "processing"
    contained: tuple[dict[str, Any], ...] = ()
    """Resources that the OperationOutcome contains for who is told; they may hold anything, and are never logged."""
    linked: Mapping[str, str] = {}
    """Extension URL -> id: how the OperationOutcome refers to each of ``contained``."""
    version: int | None = None
    """The current version of what the request was about, where the error is that it has moved on."""

    def __init__(self, text: str, *, code: str | None = None, expression: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.issues: tuple[Issue, ...] = (Issue(code or self.default_code, text, expression),)

    @classmethod
    def of(cls, issues: tuple[Issue, ...]) -> "ConsiliumError":
        """The same error with several findings."""
        error = cls(issues[0].text)
        error.issues = issues
        return error


class Invalid(ConsiliumError):
    category, default_code = Category.INVALID, "invalid"


class Unauthenticated(ConsiliumError):
    category, default_code = Category.UNAUTHENTICATED, "login"


class Forbidden(ConsiliumError):
    category, default_code = Category.FORBIDDEN, "forbidden"


class NotFound(ConsiliumError):
    category, default_code = Category.NOT_FOUND, "not-found"


class NotAllowed(ConsiliumError):
    category, default_code = Category.NOT_ALLOWED, "not-supported"

    def __init__(self, text: str, *, methods: tuple[str, ...] = ()) -> None:
        """``methods`` are those that the address takes."""
        super().__init__(text)
        self.methods = methods


class NotSupported(ConsiliumError):
    category, default_code = Category.NOT_SUPPORTED, "not-supported"


class NotAcceptable(ConsiliumError):
    category, default_code = Category.NOT_ACCEPTABLE, "not-supported"


class TooSlow(ConsiliumError):
    category, default_code = Category.TOO_SLOW, "timeout"


class Conflict(ConsiliumError):
    category, default_code = Category.CONFLICT, "conflict"


class Gone(ConsiliumError):
    category, default_code = Category.GONE, "deleted"


class PreconditionFailed(ConsiliumError):
    category, default_code = Category.PRECONDITION_FAILED, "conflict"


class TooLarge(ConsiliumError):
    category, default_code = Category.TOO_LARGE, "too-long"


class UnsupportedMediaType(ConsiliumError):
    category, default_code = Category.UNSUPPORTED_MEDIA_TYPE, "not-supported"

    def __init__(self, text: str, *, patches: tuple[str, ...] = ()) -> None:
        """``patches`` are the types of a patch that the address takes."""
        super().__init__(text)
        self.patches = patches


class Unprocessable(ConsiliumError):
    category, default_code = Category.UNPROCESSABLE, "business-rule"


class PreconditionRequired(ConsiliumError):
    category, default_code = Category.PRECONDITION_REQUIRED, "required"


class TooMany(ConsiliumError):
    category, default_code = Category.TOO_MANY, "throttled"


class Unavailable(ConsiliumError):
    category, default_code = Category.UNAVAILABLE, "transient"
