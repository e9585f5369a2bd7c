"""What search values mean, read naively from the JSON of resources (http://hl7.org/fhir/R4/search.html).

Nothing here comes from the engine that is tested: dates are Python's, texts are folded with ``unicodedata``.
"""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Range = tuple[Any, Any]
MICROSECOND = timedelta(microseconds=1)
BEGINNING, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def at(node: Any, path: str) -> list[Any]:
    """The values at a dotted path, lists flattened."""
    nodes = [node]
    for step in path.split("."):
        found = [each[step] for each in nodes if step in each]
        nodes = [value for each in found for value in (each if isinstance(each, list) else [each])]
    return nodes


def fold(text: str) -> str:
    """As strings compare: without case and accents, white space as single blanks."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(letters.casefold().split())


# tokens


def codes(type_: str, value: Any) -> list[tuple[str | None, str]]:
    """(system, code) of each coding in ``value``; a folded code where codes compare without case."""
    if type_ == "CodeableConcept":
        return [pair for coding in value.get("coding", []) for pair in codes("Coding", coding)]
    if type_ == "Coding":
        return [(value.get("system"), value["code"].lower())]
    if type_ == "Identifier":
        return [(value.get("system"), value["value"])]
    if type_ == "ContactPoint":
        return [(system, value["value"].lower()) for system in (value.get("system"), value.get("use"))]
    return [(None, str(value).lower())]


def texts(type_: str, value: Any) -> list[str]:
    """What ``:text`` looks at."""
    if type_ == "CodeableConcept":
        found = [value.get("text"), *(coding.get("display") for coding in value.get("coding", []))]
    elif type_ == "Coding":
        found = [value.get("display")]
    elif type_ == "Identifier":
        found = [value.get("type", {}).get("text")]
    else:
        found = []
    return [text for text in found if text]


def has_system(type_: str) -> bool:
    """Whether codes of this type have a system of their own, not an implied one."""
    return type_ in ("CodeableConcept", "Coding", "Identifier", "ContactPoint")


# dates


def span(text: str) -> Range:
    """First moment of a FHIR date, and the first one after it."""
    if len(text) == 4:
        return datetime(int(text), 1, 1, tzinfo=UTC), datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    if len(text) == 7:
        first = datetime.fromisoformat(f"{text}-01T00:00:00+00:00")
        return first, (first + timedelta(days=32)).replace(day=1)
    if len(text) == 10:
        first = datetime.fromisoformat(f"{text}T00:00:00+00:00")
        return first, first + timedelta(days=1)
    first = datetime.fromisoformat(text)
    first = first if first.tzinfo else first.replace(tzinfo=UTC)
    time = text[11:].rstrip("Z").partition("+")[0].partition("-")[0]
    if len(time) == 5:
        return first, first + timedelta(minutes=1)
    digits = len(time.partition(".")[2])
    return first, first + timedelta(seconds=1) / 10**digits


def spans(value: Any) -> Iterator[Range]:
    """The range of a date, a Period or a Timing."""
    if isinstance(value, str):
        yield span(value)
    elif "event" in value or "repeat" in value:
        parts = [span(event) for event in value.get("event", [])]
        parts += spans(value.get("repeat", {}).get("boundsPeriod", {}))
        if parts:
            yield min(low for low, _ in parts), max(high for _, high in parts)
    elif value:
        yield (
            span(value["start"])[0] if "start" in value else BEGINNING,
            span(value["end"])[1] if "end" in value else END,
        )


DATE_PREFIXES: dict[str, Callable[[Any, Any, Any, Any], bool]] = {
    "": lambda low, high, a, b: a <= low and high <= b,
    "eq": lambda low, high, a, b: a <= low and high <= b,
    "ne": lambda low, high, a, b: not (a <= low and high <= b),
    "gt": lambda low, high, a, b: high > b,
    "ge": lambda low, high, a, b: high > a,
    "lt": lambda low, high, a, b: low < a,
    "le": lambda low, high, a, b: low < b,
    "sa": lambda low, high, a, b: low >= b,
    "eb": lambda low, high, a, b: high <= a,
}


def passes_date(prefix: str, text: str, now: datetime) -> Callable[[Range], bool]:
    """Whether a range passes ``prefix`` and date ``text``; ``ap`` is within a tenth of the way from ``now``."""
    a, b = span(text)
    if prefix == "ap":
        margin = abs(now - (a + (b - a) / 2)) / 10
        return lambda found: found[0] < b + margin and found[1] > a - margin
    return lambda found: DATE_PREFIXES[prefix](*found, a, b)


# numbers and quantities

INFINITE = Decimal("Infinity")


def measures(value: Any) -> Iterator[Range]:
    """Least and greatest number that a decimal, Quantity, Range or SampledData stands for."""
    if not isinstance(value, dict):
        yield value, value
    elif "lowerLimit" in value:
        yield value["lowerLimit"], value["upperLimit"]
    elif "low" in value or "high" in value:
        yield value.get("low", {}).get("value", -INFINITE), value.get("high", {}).get("value", INFINITE)
    elif "value" in value:
        comparator = value.get("comparator", "")
        yield (
            -INFINITE if comparator.startswith("<") else value["value"],
            INFINITE if comparator.startswith(">") else value["value"],
        )


def passes_number(prefix: str, text: str) -> Callable[[Range], bool]:
    """Whether a range of numbers passes ``prefix`` and number ``text``, whose digits say how exact it is."""
    number = Decimal(text)
    half = Decimal(1).scaleb(int(number.as_tuple().exponent)) / 2
    a, b = number - half, number + half
    near = max(abs(number) / 10, half)
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "": lambda low, high: a <= low and high < b,
        "eq": lambda low, high: a <= low and high < b,
        "ne": lambda low, high: not (a <= low and high < b),
        "gt": lambda low, high: high > number,
        "ge": lambda low, high: high >= number,
        "lt": lambda low, high: low < number,
        "le": lambda low, high: low <= number,
        "sa": lambda low, high: low > number,
        "eb": lambda low, high: high < number,
        "ap": lambda low, high: low <= number + near and high >= number - near,
    }
    return lambda found: tests[prefix](*found)


def in_unit(value: Any, system: str, unit: str) -> bool:
    """Whether a quantity is in ``unit``: a code of ``system``, or a code or words of any system."""
    ends = [value[end] for end in ("low", "high", "origin") if end in value] or [value]
    if system:
        return any((each.get("system"), each.get("code")) == (system, unit) for each in ends)
    return any(unit in (each.get("code"), each.get("unit")) for each in ends)
