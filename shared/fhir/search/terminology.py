"""Value sets and code hierarchies as sets of codes (http://hl7.org/fhir/R4/valueset.html#compositions).

Only what is enumerated, or can be from a complete CodeSystem that is at hand, is expanded; all else is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Invalid
from shared.fhir.definitions.table import codes, facts
from shared.fhir.json import Resource

MOST_CODES = 5_000
_DEEPEST = 10
_OFFICIAL = ("http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/ValueSet/")
_BELOW = {"is-a": True, "descendent-of": False}
"""Operators of a filter on ``concept``, and whether the concept itself is in."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Single codes with their systems, and ``systems`` of which every code is meant."""

    codes: frozenset[tuple[str, str]]
    systems: frozenset[str] = frozenset()


def unavailable() -> Invalid:
    """The error for a value set or code system that is not at hand."""
    return Invalid("A value set or code system is not known to this server.", code="not-found")


def _not_enumerable() -> Invalid:
    return Invalid("The value set cannot be expanded by this server.", code="not-supported")


def shipped(canonical: str) -> Codes | None:
    """A value set of R4's required bindings, by its canonical URL."""
    url = canonical.partition("|")[0]
    name = url.rpartition("/")[2]
    if not url.startswith(_OFFICIAL) or name not in facts()["codes"]:
        return None
    return Codes(frozenset((system, code) for system, listed in codes(name).items() for code in listed))


def expansion(known: Mapping[str, Resource], name: str) -> Codes:
    """The codes of the value set ``name`` (canonical URL or ``ValueSet/id``); ``known`` holds what may be needed.

    Raises ``Invalid`` for one that is not at hand, cannot be enumerated or is larger than ``MOST_CODES``."""
    found = _expansion(known, name, 0)
    if len(found.codes) > MOST_CODES:
        raise Invalid("The value set has too many codes.", code="too-costly")
    return found


def _expansion(known: Mapping[str, Resource], name: str, depth: int) -> Codes:
    value_set = known.get(name)
    if value_set is None:
        found = shipped(name)
        if found is None:
            raise unavailable()
        return found
    if depth > _DEEPEST:
        raise _not_enumerable()
    listed = value_set.get("expansion")
    if listed is not None and "offset" not in listed and "contains" in listed:
        return Codes(frozenset(_contained(listed["contains"])))
    compose = value_set.get("compose")
    if compose is None:
        raise _not_enumerable()
    included = [_included(known, part, depth) for part in compose.get("include", ())]
    excluded = [_included(known, part, depth) for part in compose.get("exclude", ())]
    systems = frozenset().union(*(part.systems for part in included))
    without = frozenset().union(*(part.systems for part in excluded))
    single = frozenset().union(*(part.codes for part in included))
    apart = frozenset().union(*(part.codes for part in excluded))
    if any(system in systems for system, _ in apart):
        raise _not_enumerable()
    return Codes(frozenset(pair for pair in single - apart if pair[0] not in without), systems - without)


def _contained(contains: list[Any]) -> Iterator[tuple[str, str]]:
    for part in contains:
        if "code" in part and not part.get("abstract"):
            yield part.get("system", ""), part["code"]
        yield from _contained(part.get("contains", ()))


def _included(known: Mapping[str, Resource], part: Resource, depth: int) -> Codes:
    """One include or exclude: what its system says, and all of its value sets contain."""
    found = [_expansion(known, name, depth + 1) for name in part.get("valueSet", ())]
    if "system" in part:
        found.append(_of_system(known, part))
    if not found:
        raise _not_enumerable()
    whole = found[0]
    for other in found[1:]:
        both = {pair for pair in whole.codes if pair in other.codes or pair[0] in other.systems}
        both |= {pair for pair in other.codes if pair[0] in whole.systems}
        whole = Codes(frozenset(both), whole.systems & other.systems)
    return whole


def _of_system(known: Mapping[str, Resource], part: Resource) -> Codes:
    system = part["system"]
    if "concept" in part:
        return Codes(frozenset((system, concept["code"]) for concept in part["concept"]))
    if "filter" not in part:
        return Codes(frozenset(), frozenset({system}))
    kept: set[str] | None = None
    for rule in part["filter"]:
        if rule.get("property") != "concept" or rule.get("op") not in _BELOW:
            raise _not_enumerable()
        found = set(subsumed(known, system, rule["value"], up=False))
        if not _BELOW[rule["op"]]:
            found.discard(rule["value"])
        kept = found if kept is None else kept & found
    return Codes(frozenset((system, code) for code in kept or ()))


def subsumed(known: Mapping[str, Resource], system: str, code: str, *, up: bool) -> frozenset[str]:
    """``code`` and all below it (``up``: above it) in the hierarchy of ``system``.

    Raises ``Invalid`` where no complete code system is at hand, or it does not have the code."""
    code_system = known.get(system)
    if code_system is None or code_system.get("content") != "complete":
        raise unavailable()
    nearest: dict[str, set[str]] = {}
    for upper, lower in _pairs(code_system.get("concept", ()), None):
        nearest.setdefault(lower, set())
        if upper is not None:
            nearest.setdefault(upper, set())
            first, second = (lower, upper) if up else (upper, lower)
            nearest[first].add(second)
    if code not in nearest:
        raise Invalid("The code system does not have this code.", code="code-invalid")
    found, waiting = {code}, [code]
    while waiting:
        further = nearest[waiting.pop()] - found
        found |= further
        waiting += further
    return frozenset(found)


def _pairs(concepts: list[Any], parent: str | None) -> Iterator[tuple[str | None, str]]:
    """(parent, code) by nesting and by the properties ``parent`` and ``child``."""
    for concept in concepts:
        code = concept["code"]
        yield parent, code
        for told in concept.get("property", ()):
            if told.get("code") == "parent" and "valueCode" in told:
                yield told["valueCode"], code
            elif told.get("code") == "child" and "valueCode" in told:
                yield code, told["valueCode"]
        yield from _pairs(concept.get("concept", ()), code)
