"""Fixed and pattern values (http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_)."""

from typing import Any


def fits(value: Any, pattern: Any) -> bool:
    """Whether ``value`` has at least what ``pattern`` has; of a list, each member of the pattern is found somewhere."""
    if type(pattern) is dict:
        return type(value) is dict and all(name in value and fits(value[name], each) for name, each in pattern.items())
    if type(pattern) is list:
        return type(value) is list and all(any(fits(one, each) for one in value) for each in pattern)
    return type(value) is type(pattern) and bool(value == pattern)


def inside(pattern: Any, steps: tuple[str, ...]) -> list[Any]:
    """The parts of a pattern that ``steps`` lead to."""
    found = [pattern]
    for step in steps:
        below = [each[step] for each in found if type(each) is dict and step in each]
        found = [one for each in below for one in (each if type(each) is list else [each])]
    return found
