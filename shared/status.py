"""A category's HTTP status: the one table for FHIR and REST (RFC 9110 section 15)."""

from collections.abc import Mapping

from shared.errors import Category, ConsiliumError, NotAllowed, UnsupportedMediaType

STATUS: Mapping[Category, int] = {
    Category.INVALID: 400,
    Category.UNAUTHENTICATED: 401,
    Category.FORBIDDEN: 403,
    Category.NOT_FOUND: 404,
    Category.NOT_ALLOWED: 405,
    Category.NOT_SUPPORTED: 400,
    Category.NOT_ACCEPTABLE: 406,
    Category.TOO_SLOW: 408,
    Category.CONFLICT: 409,
    Category.GONE: 410,
    Category.PRECONDITION_FAILED: 412,
    Category.TOO_LARGE: 413,
    Category.UNSUPPORTED_MEDIA_TYPE: 415,
    Category.UNPROCESSABLE: 422,
    Category.PRECONDITION_REQUIRED: 428,
    Category.TOO_MANY: 429,
    Category.UNAVAILABLE: 503,
}

_HEADERS: Mapping[Category, Mapping[str, str]] = {
    Category.UNAUTHENTICATED: {"WWW-Authenticate": "Bearer"},
    Category.TOO_MANY: {"Retry-After": "60"},
    Category.UNAVAILABLE: {"Retry-After": "5"},
}


def headers_of(error: ConsiliumError) -> Mapping[str, str]:
    """What a client must be told beside the status, where the status demands it."""
    if isinstance(error, NotAllowed):
        return {"Allow": ", ".join(error.methods)}
    if isinstance(error, UnsupportedMediaType) and error.patches:
        # https://www.rfc-editor.org/rfc/rfc5789#section-2.2
        return {"Accept-Patch": ", ".join(error.patches)}
    return _HEADERS.get(error.category, {})
