"""What a history is asked for (http://hl7.org/fhir/R4/http.html#history). Errors never repeat what was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.errors import Invalid, NotSupported
from shared.fhir.history.cursor import Cursor, decode
from shared.fhir.search.instants import moment, span
from shared.fhir.subset import Subset, subset_of, summary_of

DEFAULT_COUNT = 50
LARGEST_COUNT = 1_000
CURSOR = "_cursor"
_TAKEN = frozenset({"_count", "_since", "_at", "_sort", "_summary", "_elements", "_format", "_pretty", CURSOR})
_MOST_PARAMETERS = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """One history, after parsing. ``applied`` are the parameters that were understood, for links."""

    count: int = DEFAULT_COUNT
    since: datetime | None = None
    """Versions that were made at or after this moment."""
    at: tuple[datetime, datetime] | None = None
    """Versions that were current at some point from the first moment until before the second."""
    cursor: Cursor | None = None
    applied: tuple[tuple[str, str], ...] = ()
    subset: Subset | None = None
    """The part of each version that is given."""


def parse(parameters: Sequence[tuple[str, str]], scope: Sequence[str], *, strict: bool = False) -> Asked:
    """What ``parameters`` ask of the history of ``scope``: ``()`` for the whole, ``(type,)``, ``(type, id)``.

    Of what is given twice, the last counts. Raises ``Invalid`` for a malformed value and, when ``strict``, an unknown
    parameter; ``NotSupported`` for ``_list``, a ``_sort`` other than newest first, and to count more than one
    resource's versions."""
    if len(parameters) > _MOST_PARAMETERS:
        raise Invalid("There are too many parameters.", code="too-costly")
    given: dict[str, str] = {}
    for name, value in parameters:
        if name == "_list":
            raise NotSupported("A history cannot be restricted to a list.")
        if name == "_sort" and value != "-_lastUpdated":
            raise NotSupported("A history comes newest first.")
        if name in _TAKEN:
            given[name] = value
        elif strict:
            raise Invalid("A parameter is unknown for a history.", code="not-supported")
    summaries, listed = ([given[name]] if name in given else [] for name in ("_summary", "_elements"))
    only_total = summary_of(summaries) == "count"
    if only_total and len(scope) < 2:
        raise NotSupported("Only the versions of one resource are counted.")
    asked = _count(given["_count"]) if "_count" in given else DEFAULT_COUNT
    return Asked(
        count=0 if only_total else asked,
        since=_span(given["_since"], "_since")[0] if "_since" in given else None,
        at=_span(given["_at"], "_at") if "_at" in given else None,
        cursor=decode(given[CURSOR], one=len(scope) == 2) if CURSOR in given else None,
        applied=tuple((name, value) for name, value in given.items() if name != CURSOR),
        subset=subset_of(scope[0] if scope else "", summaries, listed),
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Invalid("The parameter _count takes a whole number from 0.", code="value")
    return min(int(text), LARGEST_COUNT)


def _span(text: str, name: str) -> tuple[datetime, datetime]:
    """The moments that a date, with the precision that it has, begins and ends at."""
    try:
        # a plus that was not percent-encoded arrives as a blank
        low, high = span(text.replace(" ", "+"))
    except ValueError:
        raise Invalid(f"The parameter {name} takes a date or an instant, without a prefix.", code="value") from None
    return moment(low), moment(high)
