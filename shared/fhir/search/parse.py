"""From name-value pairs to a ``Query`` (http://hl7.org/fhir/R4/search.html). Errors never repeat what was sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.errors import Invalid, NotSupported
from shared.fhir.formats import FORMATS
from shared.fhir.search import cursor as cursors
from shared.fhir.search.escapes import split_unescaped, unescape
from shared.fhir.search.filters import AnyOf, Dates, Filter, Ids, Linked, Marked, Quantities, Strings, Updated
from shared.fhir.search.links import UnknownParameter, is_linked, linked
from shared.fhir.search.lookups import NOTHING, Lookups
from shared.fhir.search.modifiers import MISSING, require
from shared.fhir.search.parameters import Parameter, parameters_of, single_keys
from shared.fhir.search.params import composite, date, lists, quantity, reference, string, token, uri
from shared.fhir.search.query import DEFAULT_COUNT, LARGEST_COUNT, Query
from shared.fhir.search.results import includes_of
from shared.fhir.search.sorting import sort_of
from shared.fhir.search.windows import joined
from shared.fhir.subset import subset_of, summary_of

CURSOR = "_cursor"
_VERSIONS = (
    "References are searched by what they refer to, in whichever version: the version in the search was ignored."
)
_LATER = frozenset({"_filter", "_text", "_content", "_query", "_contained", "_containedType"})
_MOST_PARAMETERS = 100
_MOST_RANGES = 500
"""Values in the lists of one search that are compared one by one: dates, strings, numbers; keys are one set."""
_CRITERION: dict[str, Callable[[Parameter, str, list[str]], Filter]] = {
    "string": string.criterion,
    "quantity": quantity.criterion,
    "number": quantity.criterion,
    "uri": uri.criterion,
}


def parse(
    type_: str,
    parameters: Sequence[tuple[str, str]],
    *,
    base: str = "",
    strict: bool = False,
    now: datetime,
    lookups: Lookups = NOTHING,
) -> Query:
    """The query. An unknown parameter is left out, or ``Invalid`` when ``strict``; ``now`` is for ``ap`` dates,
    ``lookups`` for what values refer to (``loading.looked_up``).

    Raises ``Invalid`` for malformed values and unknown modifiers, ``NotSupported`` for what is still to come."""
    if len(parameters) > _MOST_PARAMETERS:
        raise Invalid("There are too many search parameters.", code="too-costly")
    filters: list[Filter] = []
    applied: list[tuple[str, str]] = []
    results: dict[str, list[str]] = {}
    known = parameters_of(type_)

    def plain(type_: str, name: str, value: str) -> Filter:
        code, _, modifier = name.partition(":")
        parameter = parameters_of(type_).get(code)
        if parameter is None:
            raise UnknownParameter("A chain ends in a parameter that its type does not have.", code="not-supported")
        return _filter(parameter, modifier, value, base, now, lookups)

    for name, value in parameters:
        if "\x00" in value:
            raise Invalid("A search value contains a NUL character.", code="value")
        code, _, modifier = name.partition(":")
        if name in FORMATS:
            applied.append((name, value))
            continue
        if is_linked(name):
            filters.append(linked(type_, name, value, plain))
            applied.append((name, value))
            continue
        if code in _LATER:
            raise NotSupported("This kind of search parameter is not supported yet.")
        if code in RESULTS:
            results.setdefault(name, []).append(value)
            if code != CURSOR:
                applied.append((name, value))
            continue
        if name == "_list":
            filters.append(lists.criterion(type_, value, lookups))
            applied.append((name, value))
            continue
        parameter = known.get(code)
        if parameter is None:
            if strict:
                raise Invalid("A search parameter is unknown for this resource type.", code="not-supported")
            continue
        filters.append(_filter(parameter, modifier, value, base, now, lookups))
        applied.append((name, value))
    if sum(_ranges(found) for found in filters) > _MOST_RANGES:
        raise Invalid("There are too many search values.", code="too-costly")
    query = _with_results(type_, joined(filters, single_keys(type_)), tuple(applied), results)
    # http://hl7.org/fhir/R4/search.html#versions
    warnings = (_VERSIONS,) if any(_names_version(known, name, value) for name, value in applied) else ()
    return replace(query, now=now, warnings=warnings)


def _names_version(known: Mapping[str, Parameter], name: str, value: str) -> bool:
    parameter = known.get(name.partition(":")[0])
    return "/_history/" in value and parameter is not None and parameter.kind == "reference"


def _ranges(found: Filter) -> int:
    match found:
        case Dates(_, tests) | Quantities(_, tests) | Updated(tests):
            return len(tests)
        case Strings(_, _, values):
            return len(values)
        case AnyOf(filters):
            return sum(_ranges(inner) for inner in filters)
        case Linked(hops):
            return sum(_ranges(inner) for hop in hops for inner in hop.filters)
    return 0


def _filter(parameter: Parameter, modifier: str, value: str, base: str, now: datetime, lookups: Lookups) -> Filter:
    """The filter that one name-value pair asks for."""
    if parameter.kind == "unsupported":
        raise NotSupported("This search parameter is not supported yet.")
    require(parameter, modifier)
    if not value:
        raise Invalid("A search parameter has no value.", code="value")
    if modifier == MISSING:
        return _missing(parameter, value)
    values = split_unescaped(value, ",")
    if not all(values):
        raise Invalid("A list of search values has an empty member.", code="value")
    if parameter.name == "_id":
        return Ids(tuple(unescape(text) for text in values), negated=modifier == "not")
    match parameter.kind:
        case "reference":
            return reference.criterion(parameter, modifier, values, base)
        case "date":
            return date.criterion(parameter, values, now)
        case "composite":
            return composite.criterion(parameter, values, now)
        case "token":
            return token.criterion(parameter, modifier, values, base, lookups)
    return _CRITERION[parameter.kind](parameter, modifier, values)


def _missing(parameter: Parameter, value: str) -> Filter:
    if value not in ("true", "false"):
        raise Invalid("The modifier :missing takes true or false.", code="value")
    if parameter.name in ("_id", "_lastUpdated"):
        # no resource is without
        return Ids((), negated=value == "false")
    return Marked(parameter.mark, missing=value == "true")


def _with_results(
    type_: str, filters: tuple[Filter, ...], applied: tuple[tuple[str, str], ...], results: dict[str, list[str]]
) -> Query:
    """The query with its result parameters. Raises ``Invalid`` for a value that one of them does not take."""
    sort = sort_of(type_, results.get("_sort", ()), filters)
    count = _count(results["_count"][-1]) if "_count" in results else DEFAULT_COUNT
    summary = summary_of(results.get("_summary", ()))
    subset = subset_of(type_, results.get("_summary", ()), results.get("_elements", ()))
    total = results.get("_total", ["none"])[-1]
    if total not in ("none", "accurate", "estimate"):
        raise Invalid("The parameter _total takes none, accurate or estimate.", code="value")
    includes = []
    for name, values in results.items():
        if name.startswith(("_include", "_revinclude")):
            includes += [include for value in values for include in includes_of(type_, name, value)]
        elif ":" in name:
            raise Invalid("This parameter takes no modifier.", code="not-supported")
    if includes and summary == "text":
        raise Invalid("The parameter _summary=text goes with no includes.", code="not-supported")
    where = cursors.decode(sort, results[CURSOR][-1]) if CURSOR in results else None
    return Query(
        type=type_,
        filters=filters,
        sort=sort,
        count=0 if summary == "count" else count,
        total=total != "none",
        estimate=total == "estimate",
        subset=subset,
        includes=tuple(dict.fromkeys(includes)),
        cursor=where,
        applied=applied,
    )


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise Invalid("The parameter _count takes a whole number from 0.", code="value")
    return min(int(value), LARGEST_COUNT)


RESULTS = frozenset({"_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude", CURSOR})
"""Parameters that say how results come, and select none."""
