"""Rules of the datatypes (http://hl7.org/fhir/R4/datatypes.html, metadatatypes.html, extensibility.html)."""

from decimal import Decimal

from shared.fhir.validate.invariants.rule import Invariant, Value, has, has_choice, in_order, only_with

UCUM = "http://unitsofmeasure.org"


def _one_of_value_and_extension(extension: Value) -> bool:
    return ("extension" in extension) != has_choice(extension, "value")


def _ordered(range_: Value) -> bool:
    """Compared only where both ends are numbers of the same unit."""
    low, high = range_.get("low", {}), range_.get("high", {})
    same = all(low.get(name) == high.get(name) for name in ("system", "code", "unit"))
    return not same or "value" not in low or "value" not in high or bool(low["value"] <= high["value"])


def _both_or_none(ratio: Value) -> bool:
    numerator, denominator = "numerator" in ratio, "denominator" in ratio
    return numerator == denominator and (numerator or "extension" in ratio)


def _ucum_with_code(quantity: Value) -> bool:
    return (has(quantity, "code") or not has(quantity, "value")) and quantity.get("system", UCUM) == UCUM


def _age(age: Value) -> bool:
    return _ucum_with_code(age) and ("value" not in age or age["value"] > 0)


def _count(count: Value) -> bool:
    whole = "." not in str(Decimal(count.get("value", 0)))
    return _ucum_with_code(count) and count.get("code", "1") == "1" and whole


def _duration(duration: Value) -> bool:
    return not has(duration, "code") or (duration.get("system") == UCUM and has(duration, "value"))


def _offset(repeat: Value) -> bool:
    if not has(repeat, "offset"):
        return True
    return has(repeat, "when") and not {"C", "CM", "CD", "CV"} & set(repeat.get("when", ()))


def _not_negative(name: str, value: Value) -> bool:
    return name not in value or bool(value[name] >= 0)


def _trigger_is_complete(trigger: Value) -> bool:
    kind = trigger.get("type", "")
    if kind == "named-event":
        return has(trigger, "name")
    if kind == "periodic":
        return has_choice(trigger, "timing")
    return not kind.startswith("data-") or "data" in trigger


def _one_of_path_and_search(filter_: Value) -> bool:
    return has(filter_, "path") != has(filter_, "searchParam")


DATATYPES = (
    Invariant("ext-1", "Extension", "An extension has a value or extensions, not both.", _one_of_value_and_extension),
    Invariant("per-1", "Period", "A period does not end before it starts.", lambda v: in_order(v, "start", "end")),
    *(
        Invariant("qty-3", type_, "A coded unit needs its system.", lambda v: only_with(v, "code", "system"))
        for type_ in ("Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration")
    ),
    Invariant("rng-2", "Range", "The low end is not above the high end.", _ordered),
    Invariant("rat-1", "Ratio", "A ratio has both numerator and denominator.", _both_or_none),
    Invariant("age-1", "Age", "An age is positive, with a UCUM code of time.", _age),
    Invariant("cnt-3", "Count", "A count is a whole number with the UCUM code 1.", _count),
    Invariant("dis-1", "Distance", "A distance has a UCUM code of length.", _ucum_with_code),
    Invariant("drt-1", "Duration", "A duration with a code is a value in UCUM.", _duration),
    Invariant("cpt-2", "ContactPoint", "A value needs its system.", lambda v: only_with(v, "value", "system")),
    Invariant("att-1", "Attachment", "Data needs a content type.", lambda v: only_with(v, "data", "contentType")),
    Invariant("exp-1", "Expression", "Give an expression or a reference.", lambda v: has(v, "expression", "reference")),
    Invariant(
        "trd-1",
        "TriggerDefinition",
        "Timing and data exclude each other.",
        lambda v: not ("data" in v and has_choice(v, "timing")),
    ),
    Invariant("trd-2", "TriggerDefinition", "A condition needs data.", lambda v: only_with(v, "condition", "data")),
    Invariant("trd-3", "TriggerDefinition", "The trigger lacks what its type needs.", _trigger_is_complete),
    *(
        Invariant(
            id_, f"DataRequirement.{part}", "Give a path or a search parameter, not both.", _one_of_path_and_search
        )
        for id_, part in (("drq-1", "codeFilter"), ("drq-2", "dateFilter"))
    ),
    *(
        Invariant(
            id_,
            "Timing.repeat",
            f"{name} needs {other}.",
            lambda v, name=name, other=other: only_with(v, name, other),  # type: ignore[misc]  # bound per rule
        )
        for id_, name, other in (
            ("tim-1", "duration", "durationUnit"),
            ("tim-2", "period", "periodUnit"),
            ("tim-6", "periodMax", "period"),
            ("tim-7", "durationMax", "duration"),
            ("tim-8", "countMax", "count"),
        )
    ),
    Invariant("tim-4", "Timing.repeat", "duration is not negative.", lambda v: _not_negative("duration", v)),
    Invariant("tim-5", "Timing.repeat", "period is not negative.", lambda v: _not_negative("period", v)),
    Invariant("tim-9", "Timing.repeat", "An offset needs a when other than C, CM, CD, CV.", _offset),
    Invariant(
        "tim-10",
        "Timing.repeat",
        "timeOfDay and when exclude each other.",
        lambda v: not (has(v, "timeOfDay") and has(v, "when")),
    ),
)
