"""Dates: partial precision, periods, timings, prefixes (http://hl7.org/fhir/R4/search.html#date).

A stored value and a search value are both half-open ranges. ``ge`` and ``le`` also find a range that only reaches
into the one searched for: a period that ends within the day is "on or after" that day.
"""

import re
from datetime import datetime
from typing import Any

from shared.errors import Invalid
from shared.fhir.search.entries import Entries
from shared.fhir.search.filters import Dates, DateTest, Filter, Updated
from shared.fhir.search.instants import micros, span
from shared.fhir.search.parameters import Parameter
from shared.store.indexing import EARLIEST, LATEST, DateEntry

_VALUE = re.compile(r"(eq|ne|gt|ge|lt|le|sa|eb|ap)?([0-9].*)")


def range_of(fhir_type: str, value: Any) -> tuple[int, int] | None:
    """The range of a stored value; None where it has no date, or one that is none."""
    try:
        return _range(fhir_type, value)
    except ValueError:
        return None


def _range(fhir_type: str, value: Any) -> tuple[int, int] | None:
    if fhir_type == "Period":
        start, end = value.get("start"), value.get("end")
        if start is None and end is None:
            return None
        return span(start)[0] if start else EARLIEST, span(end)[1] if end else LATEST
    if fhir_type == "Timing":
        ranges = [span(event) for event in value.get("event", ()) if event]
        bounds = _range("Period", value.get("repeat", {}).get("boundsPeriod", {}))
        if bounds:
            ranges.append(bounds)
        return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None
    return span(value)


def index(parameter: Parameter, fhir_type: str, value: Any, entries: Entries) -> None:
    """Add the range of ``value``; a date that is none leaves nothing behind."""
    found = range_of(fhir_type, value)
    if found:
        entries.dates.append(DateEntry(parameter.key, *found))


def test_of(text: str, now: datetime) -> DateTest:
    """What one search value asks for. Raises ``Invalid``."""
    # a plus that was not percent-encoded arrives as a blank
    match = _VALUE.fullmatch(text.replace(" ", "+"))
    try:
        if match is None:
            raise ValueError("no date")
        low, high = span(match[2])
    except ValueError:
        raise Invalid("The date is not well-formed.", code="value") from None
    prefix = match[1] or "eq"
    if prefix == "ap":
        margin = abs(micros(now) - (low + high) // 2) // 10
        low, high = low - margin, high + margin
    return DateTest(prefix, low, high)


def criterion(parameter: Parameter, values: list[str], now: datetime) -> Filter:
    """The filter for a list of ``values``; ``now`` is for ``ap``. Raises ``Invalid`` for a malformed date."""
    tests = tuple(test_of(value, now) for value in values)
    return Updated(tests) if parameter.name == "_lastUpdated" else Dates(parameter.key, tests)
