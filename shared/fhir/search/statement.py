"""The SQL of a search. Why it looks like this, with figures: docs/adr/0003-search-layout.md.

- A search in a patient's compartment, or by id, reads those rows by B-tree and checks the rest on them.
- Any other search counts, up to ``BOUND``, what each indexable filter would find. The shortest list below the bound is
  read and sorted. When all are long, the rows are walked in the order of the answer, from where the page before ended;
  unless a trial shows that hardly any would match: then the lists are intersected.
- One single term in default order needs no count: ``index_term`` is in that order.
- A chain or ``_has`` is counted from its other end, and is long, too, where its other end is
  (docs/adr/0022-links-and-access.md).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.fhir.search.filters import Filter, Terms
from shared.fhir.search.finders import Steps, cost
from shared.fhir.search.order import Order, order_of
from shared.fhir.search.part import Names, Part, parts_of
from shared.fhir.search.predicates import Shape, shape_of, values_of
from shared.fhir.search.query import Query
from shared.fhir.search.snapshot import COLUMN
from shared.fhir.search.walks import OURS, ROW, walk
from shared.store.size import smaller, within

BOUND = 1_000
"""A list that is shorter is read whole."""
TRIAL, ENOUGH = 2_000, 20
"""Long lists are walked when, of this many rows of the first, at least so many match."""
_WALK, _INTERSECT = -1, -2


@dataclass(frozen=True, slots=True)
class _Layout:
    """What decides the text of a statement."""

    filters: tuple[Shape, ...]
    sort: tuple[tuple[str, bool], ...]
    continued: bool


def page_statement(query: Query, *, exact: bool = False) -> tuple[str, list[Any]]:
    """The statement for one page, and its arguments; rows are rid, id, version, last_updated, body, sort values.

    It asks for one row more than the page holds: that row says that there is a next page. A row has no body
    (NULL) where it is larger than its share of ``most_bytes``; where ``exact``, behind the rows that fill the page."""
    filters = ordered(query)
    layout = _Layout(
        tuple(shape_of(found) for found in filters),
        tuple((key.kind, key.descending) for key in query.sort),
        query.cursor is not None,
    )
    arguments: list[Any] = [query.type, query.count + 1]
    for found in filters:
        arguments += values_of(found)
    for key in query.sort:
        arguments += key.arguments
    if query.cursor is not None:
        if query.cursor.snapshot is not None:
            arguments += [query.cursor.snapshot.text, query.cursor.snapshot.horizon]
        arguments += [*query.cursor.values, query.cursor.rid]
    keys = "".join(f", page.s{number}" for number in range(len(query.sort))) + (f", {COLUMN}" if query.moves else "")
    if exact:
        body = within("page.body", query.most_bytes)
    else:
        body = smaller("page.body", query.most_bytes // (query.count + 1))
    return (
        f"SELECT page.rid, page.id, page.version, page.last_updated, {body}{keys} FROM ({_page(layout)}) page",
        arguments,
    )


def count_statement(query: Query, *, most: int | None = None) -> tuple[str, list[Any]]:
    """The statement for the total, counted no further than ``most``, and its arguments."""
    shapes, arguments = _asked(query)
    return _count(shapes, most), arguments


def estimate_statement(query: Query) -> tuple[str, list[Any]]:
    """The statement by which the planner tells, as JSON, how many rows it expects to match; and its arguments."""
    shapes, arguments = _asked(query)
    return f"EXPLAIN (FORMAT JSON) {_matching(shapes)}", arguments


def _asked(query: Query) -> tuple[tuple[Shape, ...], list[Any]]:
    filters = ordered(query)
    arguments: list[Any] = [query.type]
    for found in filters:
        arguments += values_of(found)
    return tuple(shape_of(found) for found in filters), arguments


def ordered(query: Query) -> list[Filter]:
    """All filters, the likeliest to be rare first."""
    return sorted(query.filters, key=lambda f: (cost(shape_of(f)), f.rank if isinstance(f, Terms) else 0))


@lru_cache(maxsize=4_096)
def _page(layout: _Layout) -> str:
    names, steps = Names(3), Steps(BOUND)
    parts = parts_of(layout.filters, names, steps)
    order = order_of(layout.sort, layout.continued, names.take)
    every = "".join(f" AND {part.condition}" for part in parts)
    if any(part.shape[0] in ("patients", "ids") and not (part.shape[0] == "ids" and part.shape[1]) for part in parts):
        return _bound(layout, order, parts, every)
    found = [part for part in parts if part.finds]
    if not found or (not layout.sort and len(found) == 1 and found[0].single):
        return walk(layout.sort, order, parts, found)
    return _counted(layout, order, parts, found, steps)


def _bound(layout: _Layout, order: Order, parts: list[Part], every: str) -> str:
    if not layout.sort and ("patients", True) in [part.shape for part in parts]:
        return f"SELECT {ROW} FROM resource r WHERE {OURS}{every}{order.behind('r.rid')} ORDER BY r.rid LIMIT $2::int"
    return (
        f"WITH few AS MATERIALIZED (SELECT {ROW}{order.columns()} FROM resource r WHERE {OURS}{every})"
        f" SELECT * FROM few WHERE true{order.behind(*order.names)} ORDER BY {order.by(*order.names)} LIMIT $2::int"
    )


def _counted(layout: _Layout, order: Order, parts: list[Part], found: list[Part], steps: Steps) -> str:
    """Count each list up to the bound, then run the one branch that is cheap; the others are never started."""
    counts = ", ".join(f"{_length(part)} AS n{number}" for number, part in enumerate(found))
    lists = len(found) > 1 or found[0].linked or not layout.sort
    least = f"least({', '.join(f'n{i}' for i in range(len(found)))})"
    cases = " ".join(f"WHEN n{i} = {least} THEN {i}" for i in range(len(found)))
    long = _trial(layout, order, parts, found) if lists else str(_WALK)
    choice = f"(SELECT CASE WHEN {least} >= {BOUND} THEN {long} {cases} END FROM counts)"
    walked = walk(layout.sort, order, parts, found)
    branches = [
        f"(SELECT * FROM ({walked}) walked WHERE (SELECT branch FROM choice) = {_WALK})",
        *(_branch(order, parts, [part], number) for number, part in enumerate(found)),
    ]
    if lists:
        branches.append(_branch(order, parts, found, _INTERSECT))
    named = "".join(f"{text}, " for text in steps.texts)
    return (
        f"WITH {named}counts AS MATERIALIZED (SELECT {counts}), choice AS MATERIALIZED (SELECT {choice} AS branch)"
        f" SELECT * FROM ({' UNION ALL '.join(branches)}) u ORDER BY {order.by(*order.names)} LIMIT $2::int"
    )


def _length(part: Part) -> str:
    """How many rows ``part`` finds, up to the bound; and the bound where something on the way is as long."""
    count = f"(SELECT count(*) FROM (SELECT FROM ({part.few}) d LIMIT {BOUND}) x)"
    if not part.steps:
        return count
    longest = f"greatest({', '.join(f'(SELECT count(*) FROM {name})' for name in part.steps)})"
    return f"CASE WHEN {longest} >= {BOUND} THEN {BOUND} ELSE {count} END"


def _branch(order: Order, parts: list[Part], read: list[Part], number: int) -> str:
    """Read the lists of ``read`` whole, keep the rows that are in all of them and pass the rest, and sort."""
    rest = "".join(f" AND {other.condition}" for other in parts if other not in read)
    # a list may name a row twice; INTERSECT, too, leaves it once
    if number == _INTERSECT:
        rows = " INTERSECT ".join(f"SELECT DISTINCT d.rid FROM ({part.finds}) d" for part in read)
    else:
        rows = f"SELECT DISTINCT d.rid FROM ({read[0].few}) d"
    if not order.expressions:
        rows = f"SELECT d.rid FROM ({rows}) d WHERE true{order.behind('d.rid')}"
    return (
        f"(SELECT * FROM ({rows}) f CROSS JOIN LATERAL"
        f" (SELECT r.id, r.version, r.last_updated, r.body{order.columns()} FROM resource r"
        f" WHERE r.rid = f.rid AND {OURS}{rest} OFFSET 0) r WHERE (SELECT branch FROM choice) = {number}"
        f"{order.behind(*order.names)} ORDER BY {order.by(*order.names)} LIMIT $2::int)"
    )


def _trial(layout: _Layout, order: Order, parts: list[Part], found: list[Part]) -> str:
    """Walk, if some rows of the first list show that enough of them match; else intersect the long lists.

    Filters that exclude each other would make a walk read a whole type and find nothing; and so would one whose rows
    came late, such as a range of dates: there the first rows of the walk itself are tried."""
    first = found[0]
    itself = first.linked or len(found) == 1
    rest = "".join(f" AND {part.condition}" for part in parts if part is not first or itself)
    behind = "" if layout.sort else order.behind("d.rid")
    if itself:
        # what it finds may be little for all that is read on the way
        some = f"SELECT d.rid FROM resource d WHERE {OURS.replace('r.', 'd.')}{behind} ORDER BY d.rid LIMIT {TRIAL}"
    else:
        some = f"SELECT d.rid FROM ({first.finds}) d WHERE true{behind} LIMIT {TRIAL}"
    matching = f"SELECT FROM resource r WHERE r.rid = f.rid AND {OURS}{rest} OFFSET 0"
    # where those are all that there are, walking through them is cheap
    all_tried = f" OR (SELECT count(*) FROM ({some}) f) < {TRIAL}" if itself else ""
    return (
        f"CASE WHEN (SELECT count(*) FROM (SELECT FROM ({some}) f CROSS JOIN LATERAL ({matching}) r"
        f" LIMIT {ENOUGH}) x) >= {ENOUGH}{all_tried} THEN {_WALK} ELSE {_INTERSECT} END"
    )


@lru_cache(maxsize=1_024)
def _count(shapes: tuple[Shape, ...], most: int | None) -> str:
    bounded = "" if most is None else f" LIMIT {most}"
    return f"SELECT count(*) FROM ({_matching(shapes)}{bounded}) every"


def _matching(shapes: tuple[Shape, ...]) -> str:
    """The row numbers of what matches, each once, in no order."""
    parts = parts_of(shapes, Names(2), Steps(BOUND))
    found = next((part for part in parts if part.finds), None)
    bound = any(part.shape[0] in ("patients", "ids") for part in parts)
    if found is None or bound:
        every = "".join(f" AND {part.condition}" for part in parts)
        return f"SELECT r.rid FROM resource r WHERE {OURS}{every}"
    rest = "".join(f" AND {part.condition}" for part in parts if part is not found)
    if found.linked:
        row = f"SELECT FROM resource r WHERE r.rid = f.rid AND {OURS}{rest} OFFSET 0"
        return f"SELECT f.rid FROM (SELECT DISTINCT d.rid FROM ({found.finds}) d) f CROSS JOIN LATERAL ({row}) r"
    if not rest and found.shape[0] == "terms":
        return f"SELECT DISTINCT d.rid FROM ({found.finds}) d WHERE $1::text IS NOT NULL"
    return f"SELECT r.rid FROM resource r WHERE {OURS}{rest} AND r.rid IN ({found.finds})"
