"""Numbers and quantities (http://hl7.org/fhir/R4/search.html#quantity).

A stored value is a point (a Range is a range, a comparator opens one end). A search value without prefix stands for the
range that its digits imply: 5.4 is [5.35, 5.45); with ``gt lt ge le sa eb`` it is exact.
"""

import re
from decimal import Context, Decimal
from typing import Any

from shared.errors import Invalid
from shared.fhir.search.entries import Entries
from shared.fhir.search.escapes import split_unescaped, unescape
from shared.fhir.search.filters import Filter, Quantities, QuantityTest
from shared.fhir.search.parameters import Parameter
from shared.store.indexing import QuantityEntry, term

_NUMBER = re.compile(r"(eq|ne|gt|ge|lt|le|sa|eb|ap)?([+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)")
_OPEN = Decimal("1e201")
_LARGEST_EXPONENT = 200
"""What is larger or smaller than that is indexed at the edge: no search value reaches it, and no column holds it."""
_PRECISION = Context(prec=300)


def _units(value: Any) -> tuple[int, ...]:
    """The terms by which the unit of a Quantity or Money may be named."""
    code, system = value.get("code") or value.get("currency"), value.get("system")
    named = {term(text) for text in (code, value.get("unit")) if text}
    if code and system:
        named.add(term(system, code))
    return tuple(sorted(named))


def _decimal(value: Any) -> Decimal:
    number = value if isinstance(value, Decimal) else Decimal(value)
    if not number:
        return Decimal(0)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        edge = _LARGEST_EXPONENT if number.adjusted() > 0 else -_LARGEST_EXPONENT
        return Decimal((number.is_signed(), (1,), edge))
    return _PRECISION.plus(number)


def measured(fhir_type: str, value: Any) -> tuple[tuple[int, ...], Decimal, Decimal] | None:
    """The terms of the unit of ``value`` and its range; None where it has no number."""
    if fhir_type in ("decimal", "integer", "positiveInt", "unsignedInt"):
        point = _decimal(value)
        return (), point, point
    if fhir_type == "Range":
        ends = [value.get("low", {}), value.get("high", {})]
        low, high = (_decimal(end["value"]) if "value" in end else None for end in ends)
        if low is None and high is None:
            return None
        units = tuple(sorted({unit for end in ends for unit in _units(end)}))
        return units, -_OPEN if low is None else low, _OPEN if high is None else high
    if fhir_type == "SampledData":
        if "lowerLimit" not in value or "upperLimit" not in value:
            return None
        return _units(value.get("origin", {})), _decimal(value["lowerLimit"]), _decimal(value["upperLimit"])
    if "value" not in value:
        return None
    point, comparator = _decimal(value["value"]), value.get("comparator", "")
    low = -_OPEN if comparator.startswith("<") else point
    high = _OPEN if comparator.startswith(">") else point
    return _units(value), low, high


def index(parameter: Parameter, fhir_type: str, value: Any, entries: Entries) -> None:
    """Add the range of ``value``."""
    found = measured(fhir_type, value)
    if found is not None:
        entries.quantities.append(QuantityEntry(parameter.key, *found))


def test_of(kind: str, text: str) -> QuantityTest:
    """What one search value of a number or quantity (``[prefix]number|system|code``) asks for. Raises ``Invalid``."""
    parts = [unescape(part) for part in split_unescaped(text, "|")]
    match = _NUMBER.fullmatch(parts[0])
    if match is None or len(parts) not in ((1,) if kind == "number" else (1, 2, 3)):
        raise Invalid("The number or quantity is not well-formed.", code="value")
    prefix, number = match[1] or "eq", Decimal(match[2])
    exponent = number.as_tuple().exponent
    margin = Decimal(5).scaleb(int(exponent) - 1)
    if prefix == "ap":
        margin = max(abs(number) / 10, margin)
    units: tuple[int, ...] = ()
    if len(parts) > 1 and parts[-1]:
        system = parts[1] if len(parts) == 3 else ""
        units = (term(system, parts[-1]) if system else term(parts[-1]),)
    if prefix in ("eq", "ne", "ap"):
        return QuantityTest(prefix, number - margin, number + margin, units)
    return QuantityTest(prefix, number, number, units)


def criterion(parameter: Parameter, modifier: str, values: list[str]) -> Filter:
    """The filter for a comma list of ``values``; they take no modifier. Raises ``Invalid`` for a malformed number."""
    return Quantities(parameter.key, tuple(test_of(parameter.kind, value) for value in values))
