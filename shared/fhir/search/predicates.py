"""Filters as SQL over one resource row ``r``.

Each filter is split into its shape, which decides the text, and its values, which are bound, so that one text (and
PostgreSQL's prepared plan) serves every search of that shape.
"""

from collections.abc import Callable, Iterator
from typing import Any

from shared.fhir.search.filters import (
    AnyOf,
    Dates,
    Filter,
    Ids,
    Linked,
    Marked,
    Patients,
    Quantities,
    Strings,
    Terms,
    Updated,
)
from shared.fhir.search.instants import moment

Shape = tuple[Any, ...]
Bind = Callable[[str], str]
"""``bind("bigint")`` is the next placeholder, cast to that type."""

_LAST = "\U0010ffff"

# prefix -> condition on the stored range (l, h) and the range searched for ({a}, {b}), both half-open
DATE = {
    "eq": "(l >= {a} AND l < {b} AND h <= {b})",
    "ne": "NOT (l >= {a} AND h <= {b})",
    "ap": "(l < {b} AND h > {a})",
    "gt": "h > {b}",
    "ge": "h > {a}",
    "lt": "l < {a}",
    "le": "l < {b}",
    "sa": "l >= {b}",
    "eb": "h <= {a}",
}
# the stored range is closed; the one searched for is [a, b), and a = b behind a prefix that ignores precision
QUANTITY = {
    "eq": "(l >= {a} AND l < {b} AND h < {b})",
    "ne": "NOT (l >= {a} AND h < {b})",
    "ap": "(l <= {b} AND h >= {a})",
    "gt": "h > {b}",
    "ge": "h >= {a}",
    "lt": "l < {a}",
    "le": "l <= {b}",
    "sa": "l > {b}",
    "eb": "h < {a}",
}
# lastUpdated is a moment: it is compared with the range's ends
_UPDATED = {
    "eq": "(l >= {a} AND l < {b})",
    "ne": "NOT (l >= {a} AND l < {b})",
    "ap": "(l >= {a} AND l < {b})",
    "gt": "l >= {b}",
    "ge": "l >= {a}",
    "lt": "l < {a}",
    "le": "l < {b}",
    "sa": "l >= {b}",
    "eb": "l < {a}",
}


def shape_of(found: Filter) -> Shape:
    """What decides the text of ``found``."""
    match found:
        case Terms(any_of, negated):
            return ("terms", negated, len(any_of) == 1)
        case Marked(_, missing):
            return ("marked", missing)
        case Patients(ids):
            return ("patients", len(ids) == 1)
        case Ids(ids, negated):
            return ("ids", negated, len(ids) == 1)
        case Dates(_, tests, every):
            return ("dates", every, *(test.prefix for test in tests))
        case Updated(tests, every):
            return ("updated", every, *(test.prefix for test in tests))
        case Strings(_, mode, values):
            return ("strings", mode, len(values))
        case Quantities(_, measures, every):
            return ("quantities", every, *((test.prefix, len(test.units)) for test in measures))
        case Linked(hops, reverse):
            return ("linked", reverse, *(tuple(shape_of(inner) for inner in hop.filters) for hop in hops))
        case AnyOf(filters):
            return ("any", *(shape_of(inner) for inner in filters))


def values_of(found: Filter) -> Iterator[Any]:
    """The bound values of ``found``, in the order in which ``names`` makes placeholders."""
    match found:
        case Terms(any_of):
            yield any_of[0] if len(any_of) == 1 else list(any_of)
        case Marked(mark, _):
            yield mark
        case Patients(ids) | Ids(ids):
            yield ids[0] if len(ids) == 1 else list(ids)
        case Dates(param, tests):
            yield param
            for test in tests:
                yield from _used(DATE[test.prefix], test.low, test.high)
        case Updated(tests):
            for test in tests:
                yield from _used(_UPDATED[test.prefix], moment(test.low), moment(test.high))
        case Strings(param, mode, values, exact):
            yield param
            for number, value in enumerate(values):
                if mode == "contains":
                    yield value
                elif mode == "prefix":
                    yield from (value, value + _LAST)
                else:
                    yield from (value, exact[number])
        case Quantities(param, tests):
            yield param
            for measure in tests:
                yield from _used(QUANTITY[measure.prefix], measure.low, measure.high)
                yield from measure.units
        case Linked(hops):
            for hop in hops:
                yield from (hop.key, hop.type)
                for inner in hop.filters:
                    yield from values_of(inner)
        case AnyOf(filters):
            for inner in filters:
                yield from values_of(inner)


def _used(template: str, low: Any, high: Any) -> Iterator[Any]:
    if "{a}" in template:
        yield low
    if "{b}" in template:
        yield high


def condition(templates: dict[str, str], prefix: str, bind: Bind, cast: str, low: str, high: str) -> str:
    """One test over the columns ``low`` and ``high``."""
    template = templates[prefix]
    a = bind(cast) if "{a}" in template else ""
    b = bind(cast) if "{b}" in template else ""
    words = template.format(a=a, b=b).split(" ")
    columns = {"l": low, "(l": f"({low}", "h": high, "(h": f"({high}"}
    return " ".join(columns.get(word, word) for word in words)


def range_condition(shape: Shape, bind: Bind) -> str:
    """The condition of a dates, strings or quantities shape over its index table ``d``."""
    param = f"d.param = {bind('bigint')}"
    tests = []
    if shape[0] == "dates":
        tests = [condition(DATE, prefix, bind, "bigint", "d.low", "d.high") for prefix in shape[2:]]
    elif shape[0] == "quantities":
        for prefix, units in shape[2:]:
            test = condition(QUANTITY, prefix, bind, "numeric", "d.low", "d.high")
            each = [f"{bind('bigint')} = ANY (d.units)" for _ in range(units)]
            tests.append(f"({' AND '.join([test, *each])})")
    else:
        for _ in range(shape[2]):
            if shape[1] == "contains":
                tests.append(f"strpos(d.value, {bind('text')}) > 0")
            elif shape[1] == "prefix":
                tests.append(f"(d.value >= {bind('text')} AND d.value < {bind('text')})")
            else:
                tests.append(f"(d.value = {bind('text')} AND d.exact = {bind('bigint')})")
    return f"{param} AND ({_joined(shape, tests)})"


def _joined(shape: Shape, tests: list[str]) -> str:
    """All of ``tests`` where the shape says "every", else one of them."""
    return (" AND " if shape[0] in ("dates", "quantities", "updated") and shape[1] else " OR ").join(tests)


TABLES = {"dates": "index_date", "strings": "index_string", "quantities": "index_quantity"}


def predicate(shape: Shape, bind: Bind) -> str:
    """The condition of ``shape`` on the resource row ``r``."""
    match shape:
        case ("terms", negated, single):
            found = f"{bind('bigint')} = ANY (r.terms)" if single else f"r.terms && {bind('bigint[]')}"
            return f"NOT {found}" if negated and single else f"NOT ({found})" if negated else found
        case ("marked", missing):
            return f"{'NOT ' if missing else ''}{bind('bigint')} = ANY (r.marks)"
        case ("patients", single):
            return f"r.patient = {bind('text')}" if single else f"r.patient = ANY ({bind('text[]')})"
        case ("ids", negated, single):
            found = f"r.id = {bind('text')}" if single else f"r.id = ANY ({bind('text[]')})"
            return f"NOT ({found})" if negated else found
        case ("updated", _, *prefixes):
            tests = [condition(_UPDATED, p, bind, "timestamptz", "r.last_updated", "") for p in prefixes]
            return f"({_joined(shape, tests)})"
        case ("linked", reverse, *hops):
            return f"({' OR '.join(_linked(reverse, hop, bind) for hop in hops)})"
        case ("any", *shapes):
            return f"({' OR '.join(predicate(inner, bind) for inner in shapes)})" if shapes else "false"
    # OFFSET 0 keeps the planner from turning the probe of one row into a join over the whole index
    return f"EXISTS (SELECT FROM {TABLES[shape[0]]} d WHERE d.rid = r.rid AND {range_condition(shape, bind)} OFFSET 0)"


def _linked(reverse: bool, inner: tuple[Shape, ...], bind: Bind) -> str:
    """The condition of one hop; in it ``r`` is the row that it leads to."""
    key, type_ = bind("bigint"), bind("text")
    every = f"r.type = {type_} AND NOT r.deleted" + "".join(f" AND {predicate(shape, bind)}" for shape in inner)
    if reverse:
        return (
            "EXISTS (SELECT FROM index_term d CROSS JOIN LATERAL"
            f" (SELECT FROM resource r WHERE r.rid = d.rid AND {every} OFFSET 0) o"
            f" WHERE d.term = ({key} # r.self) OFFSET 0)"
        )
    return (
        "EXISTS (SELECT FROM unnest(r.link_params, r.link_targets) AS l(param, target) CROSS JOIN LATERAL"
        f" (SELECT FROM resource r WHERE r.self = l.target AND {every} OFFSET 0) t WHERE l.param = {key} OFFSET 0)"
    )
