"""Conditions as FHIRPath (http://hl7.org/fhir/R4/fhirpath.html): parsed once, evaluated to yes, no or not known.

A variable without a value is empty, and the logic of FHIRPath has three values: empty means that what is missing
decides.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from services.careplans.domain.applying.gather import RAW
from shared.errors import Unprocessable

LANGUAGE = "text/fhirpath"
LONGEST = 2000
"""Characters of an expression."""
REFUSED = frozenset(
    {
        *("matches", "replaceMatches", "repeat", "select", "aggregate", "descendants"),
        *("replace", "split", "toChars", "encode", "decode", "power"),
        *("now", "today", "timeOfDay", "trace"),
    }
)
"""Functions that may not end in time or make much of little, depend on the clock (``%asOf`` is the day), or print what
they see."""
CRITERIA = frozenset({"where", "all", "exists"})
"""Functions that look at each item of what they are called on."""
DEEPEST = 2
"""Criteria within each other: each one looks at as many items again."""

_BRACKET = re.compile(r"%([A-Za-z]+)\b|([A-Za-z]*)\s*\(\s*(\)?)|\)")
_VARIABLE = re.compile(r"%`?([A-Za-z_]\w*)")
_CALL = re.compile(r"([A-Za-z]+)\s*\(")
_HIDING = re.compile(r"/\*.*?\*/|//[^\n]*|`", re.DOTALL)
"""What may stand between the name of a function and its bracket, or around the name."""
_TEXT = re.compile(r"'(?:\\.|[^'\\])*'")

Compiled = Callable[[Any, Mapping[str, Any]], list[Any]]


def variables(expression: str) -> tuple[str, ...]:
    """The names of the variables in it, in order, each once."""
    return tuple(dict.fromkeys(_VARIABLE.findall(_TEXT.sub("''", expression))))


def truth(expression: str, environment: Mapping[str, Any], path: str) -> bool | None:
    """Whether it holds; None where that is not known. Raises ``Unprocessable`` at ``path`` where it is no condition."""
    found = evaluate(expression, environment, path)
    if not found:
        return None
    if len(found) > 1 or not isinstance(found[0], bool):
        raise Unprocessable("A condition must be true, false or empty.", expression=(path,))
    return found[0]


def evaluate(expression: str, environment: Mapping[str, Any], path: str) -> list[Any]:
    """The result. Raises ``Unprocessable`` at ``path`` for what cannot be parsed or evaluated, or is refused."""
    unknown = [name for name in variables(expression) if name not in environment and name not in ("context", "ucum")]
    if unknown:
        raise Unprocessable("The expression names a variable that there is not.", expression=(path,))
    compiled = compile_expression(expression, path)
    try:
        return list(compiled({}, environment))
    except Exception as error:  # what fhirpathpy raises is often a bare Exception
        raise Unprocessable("The expression cannot be evaluated over this record.", expression=(path,)) from error


def compile_expression(expression: str, path: str) -> Compiled:
    """The parsed expression. Raises ``Unprocessable`` at ``path``."""
    said = _HIDING.sub("", _TEXT.sub("''", expression))
    refused = REFUSED.intersection(_CALL.findall(said))
    if refused:
        text = f"These functions are not for conditions: {', '.join(sorted(refused))}."
        raise Unprocessable(text, code="not-supported", expression=(path,))
    if len(expression) > LONGEST:
        raise Unprocessable("The expression is too long.", expression=(path,))
    if _depth(said) > DEEPEST:
        text = (
            f"No more than {DEEPEST} of these stand within each other, and no list of the record in them: "
            f"{', '.join(sorted(CRITERIA))}."
        )
        raise Unprocessable(text, code="not-supported", expression=(path,))
    try:
        return _parsed(expression)
    except Exception as error:  # as above
        raise Unprocessable("This is no FHIRPath expression.", expression=(path,)) from error


def _depth(expression: str) -> int:
    """How many criteria stand within each other; a list of the whole record counts as one too many in them."""
    within: list[bool] = []
    deepest = 0
    for bracket in _BRACKET.finditer(expression):
        variable, name, closed = bracket.groups()
        if variable is not None:
            if variable in RAW and any(within):
                return DEEPEST + 1
        elif name is None:
            del within[-1:]
        elif not closed:
            within.append(name in CRITERIA)
            deepest = max(deepest, sum(within))
    return deepest


@lru_cache(maxsize=2048)
def _parsed(expression: str) -> Compiled:
    # its grammar takes a quarter of a second to import: only who applies a plan waits for it
    import fhirpathpy

    compiled: Compiled = fhirpathpy.compile(expression)
    return compiled
