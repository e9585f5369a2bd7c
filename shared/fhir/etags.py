"""Entity tags: what If-Match and If-None-Match name (http://hl7.org/fhir/R4/http.html#versioning; RFC 9110, 13.1)."""

import re
from dataclasses import dataclass

from shared.errors import Invalid

_MOST = 50
"""Tags in one header: more than anybody has versions in hand."""
_TAG = re.compile(r'\s*(?:W/)?"([0-9]{1,9})"\s*')


@dataclass(frozen=True, slots=True)
class Tags:
    """The versions that a header names. FHIR's tags are weak, and are compared by their version alone."""

    versions: frozenset[int] = frozenset()
    any: bool = False
    """``*``: every version that there is."""

    def name(self, version: int | None) -> bool:
        """Whether they name ``version``; None, of what is not there, is named by none."""
        return version is not None and (self.any or version in self.versions)


def tags(text: str) -> Tags:
    """The tags in a header: ``*``, or a list like ``W/"3", "4"``. Raises ``Invalid`` for what is malformed."""
    if text.strip() == "*":
        return Tags(any=True)
    parts = text.split(",", _MOST)
    found = [match for part in parts if (match := _TAG.fullmatch(part))]
    if len(found) < len(parts):
        raise Invalid('An ETag looks like W/"3".', code="value")
    return Tags(frozenset(int(match[1]) for match in found))
