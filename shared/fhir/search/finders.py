"""How an index finds the rows of a filter: a SELECT of row numbers that reads little more than it returns.

A range of dates or quantities has two ends, a B-tree one order. So entries are kept by length (``level``): within
a level, "ends after X" means "starts after X minus the level's length", and both ends bound one index range.

What a chain or ``_has`` finds is found from its other end: first the rows there, then what they are linked with. How
many rows of the other end that are is not known, so ``Steps`` can bound them.
"""

from dataclasses import dataclass, field

from shared.fhir.search.predicates import DATE, QUANTITY, TABLES, Bind, Shape, predicate, range_condition
from shared.store.indexing import DATE_LEVELS

# prefix -> what a passing entry says about its own ends: (low from, high from, low below)
_BOUNDS = {
    "eq": ("{a}", "", "{b}"),
    "ap": ("", "{a}", "{b}"),
    "gt": ("", "{b}", ""),
    "ge": ("", "{a}", ""),
    "lt": ("", "", "{a}"),
    "le": ("", "", "{b}"),
    "sa": ("{b}", "", ""),
    "eb": ("", "", "{a}"),
}


_FIRST = {"patients": 0, "ids": 0, "terms": 2, "strings": 3, "quantities": 4, "dates": 4, "updated": 5, "linked": 6}


def cost(shape: Shape) -> int:
    """The place of ``shape`` among others when their rows are looked for: the likeliest to be few first."""
    return _FIRST.get(shape[0], 9)


@dataclass(slots=True)
class Steps:
    """What is read on the way to rows that are linked with others: named SELECTs, of up to ``bound`` rows each.

    Where one has that many there may be more, and what it leads to is not all."""

    bound: int
    texts: list[str] = field(default_factory=list)

    def add(self, rows: str) -> str:
        """Name the SELECT of row numbers ``rows``."""
        name = f"step{len(self.texts)}"
        self.texts.append(f"{name} AS MATERIALIZED (SELECT d.rid FROM ({rows}) d LIMIT {self.bound})")
        return name


def finds(shape: Shape, bind: Bind, type_: str = "$1::text", steps: Steps | None = None) -> str:
    """The SELECT for ``shape``, empty where no index helps. ``bind`` gives the placeholders of its condition again.

    ``type_``: the placeholder of the type whose rows are wanted. Without ``steps`` it finds all of them."""
    match shape:
        case ("patients", *_) | ("ids", False, *_):
            here = f"d.type = {type_} AND NOT d.deleted"
            return f"SELECT d.rid FROM resource d WHERE {here} AND {predicate(shape, bind).replace('r.', 'd.')}"
        case ("linked", reverse, *hops):
            return _union([_linked(reverse, hop, bind, type_, steps) for hop in hops])
        case ("any", *shapes):
            return _union([finds(inner, bind, type_, steps) for inner in shapes])
        case ("terms", False, single):
            name = bind("")
            return f"SELECT d.rid FROM index_term d WHERE d.term = {name if single else f'ANY ({name})'}"
        case ("strings", *_):
            return f"SELECT d.rid FROM index_string d WHERE {range_condition(shape, bind)}"
        case ("dates", every, *prefixes) if "ne" not in prefixes and (every or len(prefixes) == 1):
            return _ranges(shape, bind, list(prefixes), [(n, str(length)) for n, length in enumerate(DATE_LEVELS)])
        case ("quantities", every, *tests) if (every or len(tests) == 1) and all(test[0] != "ne" for test in tests):
            return _ranges(shape, bind, [prefix for prefix, _ in tests], [(0, "0")])
        case ("updated", every, *prefixes) if "ne" not in prefixes and (every or len(prefixes) == 1):
            when = predicate(shape, bind).replace("r.", "d.")
            return f"SELECT d.rid FROM resource d WHERE d.type = {type_} AND NOT d.deleted AND {when}"
    return ""


def _union(parts: list[str]) -> str:
    """All that ``parts`` find; nothing helps where one of them is of no help."""
    return " UNION ALL ".join(f"({part})" for part in parts) if parts and all(parts) else ""


def again(taken: list[str]) -> Bind:
    """The placeholders that were ``taken``, once more in the same order."""
    names = iter(taken)
    return lambda _: next(names)


def _linked(reverse: bool, inner: tuple[Shape, ...], bind: Bind, type_: str, steps: Steps | None) -> str:
    """From the rows at the other end of one hop to those that are linked with them."""
    key, other = bind("bigint"), bind("text")
    conditions, placeholders = [], []
    for shape in inner:
        taken: list[str] = []

        def noting(cast: str, taken: list[str] = taken) -> str:
            taken.append(bind(cast))
            return taken[-1]

        conditions.append(predicate(shape, noting))
        placeholders.append(taken)
    for number in sorted(range(len(inner)), key=lambda n: cost(inner[n])):
        rows = finds(inner[number], again(placeholders[number]), other, steps)
        if rows:
            break
    else:
        return ""
    few = f"SELECT DISTINCT d.rid FROM ({rows}) d" if steps is None else f"SELECT d.rid FROM {steps.add(rows)} d"
    rest = "".join(f" AND {each}" for n, each in enumerate(conditions) if n != number)
    columns = "r.link_params, r.link_targets" if reverse else "r.self"
    row = f"SELECT {columns} FROM resource r WHERE r.type = {other} AND r.rid = c.rid AND NOT r.deleted{rest} OFFSET 0"
    ends = f"({few}) c CROSS JOIN LATERAL ({row}) o CROSS JOIN LATERAL"
    if reverse:
        return (
            f"SELECT d.rid FROM {ends} unnest(o.link_params, o.link_targets) AS l(param, target) CROSS JOIN LATERAL"
            f" (SELECT r.rid FROM resource r WHERE r.self = l.target AND r.type = {type_} AND NOT r.deleted OFFSET 0) d"
            f" WHERE l.param = {key}"
        )
    return f"SELECT d.rid FROM {ends} (SELECT d.rid FROM index_term d WHERE d.term = ({key} # o.self) OFFSET 0) d"


def _ranges(shape: Shape, bind: Bind, prefixes: list[str], levels: list[tuple[int, str]]) -> str:
    """One index range per level, and one for the entries longer than all levels."""
    taken: list[str] = []

    def noting(cast: str) -> str:
        taken.append(bind(cast))
        return taken[-1]

    condition = range_condition(shape, noting)
    cast = "bigint" if shape[0] == "dates" else "numeric"
    ends = _ends(shape, prefixes, taken[1:])
    starts = [start for start, _, _ in ends if start]
    reaches = [reach for _, reach, _ in ends if reach]
    below = "".join(f" AND d.low {'<' if shape[0] == 'dates' else '<='} {end}" for _, _, end in ends if end)
    where = f"FROM {TABLES[shape[0]]} d WHERE {condition}{below}"
    if starts or not reaches:
        return f"SELECT d.rid {where}"
    reach = reaches[0] if len(reaches) == 1 else f"greatest({', '.join(reaches)})"
    lengths = ", ".join(f"({level}, {length}::{cast})" for level, length in levels)
    # the long ones first: what is still open is most of what a search from some day on finds
    return (
        f"SELECT d.rid {where} AND d.level = {len(levels)} UNION ALL"
        f" SELECT x.rid FROM (VALUES {lengths}) AS v(level, length) CROSS JOIN LATERAL (SELECT d.rid {where}"
        f" AND d.level = v.level AND d.low >= {reach} - v.length OFFSET 0) x"
    )


def _ends(shape: Shape, prefixes: list[str], names: list[str]) -> list[tuple[str, str, str]]:
    """The bounds of each test, written with the placeholders that its condition took."""
    found = []
    position = 0
    for number, prefix in enumerate(prefixes):
        used = {}
        for letter in "ab":
            if f"{{{letter}}}" in (DATE if shape[0] == "dates" else QUANTITY)[prefix]:
                used[letter] = names[position]
                position += 1
        if shape[0] == "quantities":
            position += shape[2 + number][1]
        found.append(tuple(text.format(**used) for text in _BOUNDS[prefix]))
    return [(start, reach, end) for start, reach, end in found]
