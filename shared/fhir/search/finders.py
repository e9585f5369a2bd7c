"""How an index finds the rows of a filter: a SELECT of row numbers that reads little more than it returns.

A range of dates or quantities has two ends, a B-tree one order. So entries are kept by length (``level``): within
a level, "ends after X" means "starts after X minus the level's length", and both ends bound one index range.
"""

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


def finds(shape: Shape, bind: Bind) -> str:
    """The SELECT for ``shape``, empty where no index helps. ``bind`` gives the placeholders of its condition again."""
    match shape:
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
            return f"SELECT d.rid FROM resource d WHERE d.type = $1::text AND NOT d.deleted AND {when}"
        case ("any", *shapes) if shapes:
            lists = [finds(inner, bind) for inner in shapes]
            return " UNION ALL ".join(f"({each})" for each in lists) if all(lists) else ""
    return ""


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
