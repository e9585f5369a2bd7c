"""How often a day: http://hl7.org/fhir/R4/datatypes.html#Timing, as far as a daily dose needs it.

``repeat`` counts before ``code``: R4 lets either be read. A period of several days gives the average per day.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from services.careplans.domain.safety.quantities import DAY, Amount, amount
from services.careplans.domain.safety.reading import child, codes, number, string, texts
from shared.fhir.json import Resource

PER_DAY: dict[str, Decimal] = {
    "QD": Decimal(1),
    "AM": Decimal(1),
    "PM": Decimal(1),
    "BED": Decimal(1),
    "BID": Decimal(2),
    "TID": Decimal(3),
    "QID": Decimal(4),
    "QOD": Decimal(1) / 2,
    "WK": Decimal(1) / 7,
}
"""http://hl7.org/fhir/R4/valueset-timing-abbreviation.html, without the hourly ones."""

_HOURLY = re.compile(r"Q(\d{1,3})H")
_UNITS = {"min": "min", "h": "h", "d": "d", "wk": "wk"}


@dataclass(frozen=True, slots=True)
class Often:
    """Times a day, and whether it may be fewer."""

    per_day: Decimal
    at_most: bool = False


def often(timing: Resource) -> Often | str:
    """How often a day at most; else the element that is missing or cannot be read, as ``timing.repeat.period``."""
    repeat = child(timing, "repeat")
    if any(name in repeat for name in ("frequency", "frequencyMax", "period", "periodUnit")):
        return _repeated(repeat)
    for name in ("when", "timeOfDay", "dayOfWeek"):
        if isinstance(repeat.get(name), list) and repeat[name]:
            return Often(_events(repeat))
    return _coded(child(timing, "code"))


def _repeated(repeat: Resource) -> Often | str:
    """R4: without a frequency it is once per period."""
    least, most = number(repeat, "frequency"), number(repeat, "frequencyMax")
    period, longest = number(repeat, "period"), number(repeat, "periodMax")
    times = most or least or (None if "frequency" in repeat else Decimal(1))
    if times is None:
        return "timing.repeat.frequency"
    if not period:
        return "timing.repeat.period"
    days = _days(period, string(repeat, "periodUnit"))
    if days is None:
        return "timing.repeat.periodUnit"
    at_most = (most is not None and most != least) or (longest is not None and longest != period)
    return Often(times / days, at_most)


def _days(period: Decimal, unit: str | None) -> Decimal | None:
    if unit == "mo":
        return period * 30
    if unit == "a":
        return period * 365
    length: Amount | None = amount(period, _UNITS.get(unit or ""))
    return length.to(DAY) if length else None


def _events(repeat: Resource) -> Decimal:
    """Once at each named time of the day, on each named day of the week."""
    times = [len(repeat[name]) for name in ("when", "timeOfDay") if isinstance(repeat.get(name), list)]
    weekdays = repeat.get("dayOfWeek")
    share = Decimal(len(weekdays)) / 7 if isinstance(weekdays, list) and weekdays else Decimal(1)
    return (sum(times) or 1) * min(share, Decimal(1))


def _coded(concept: Resource) -> Often | str:
    for word in (*sorted(codes(concept)), *texts(concept)):
        known = PER_DAY.get(word.upper())
        hourly = _HOURLY.fullmatch(word.upper())
        if known is not None:
            return Often(known)
        if hourly and int(hourly[1]):
            return Often(Decimal(24) / int(hourly[1]))
    return "timing.code" if concept else "timing"
