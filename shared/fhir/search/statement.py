"""The SQL of a search. Why it looks like this, with figures: docs/adr/0003-search-layout.md.

- A search in a patient's compartment, or by id, reads those rows by B-tree and checks the rest on them.
- Any other search reads, up to a bound, the row numbers that each indexable filter finds. The shortest list below
  ``BOUND`` is taken, without what is not in the other short ones, and its rows are read and sorted. In default order
  only a page of them is read: so there lists may be longer (``WIDE``) where all are short, and nothing else is asked.
- When all are long, the rows are walked in the order of the answer, from where the page before ended; unless a trial
  shows that hardly any would match: then the lists are intersected.
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
"""The rows of a list that is shorter are read, all of them."""
WIDE = 5
"""So many times longer may one be of which only a page is read."""
TRIAL, ENOUGH = 1_000, 10
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


@dataclass(frozen=True, slots=True)
class _List:
    """What an index finds for ``part``, up to ``bound``: the SELECT ``name`` of row numbers, and ``length``, their
    number, which is the bound where there are more."""

    part: Part
    number: int
    bound: int

    @property
    def name(self) -> str:
        return f"list{self.number}"

    @property
    def length(self) -> str:
        return f"n{self.number}"

    @property
    def text(self) -> str:
        """The SELECT; empty where something on the way is as long as its own bound: what it leads to is not all."""
        whole = f" WHERE {self._longest} < {BOUND}" if self.part.steps else ""
        return f"{self.name} AS MATERIALIZED (SELECT d.rid FROM ({self.part.few}) d{whole} LIMIT {self.bound})"

    @property
    def count(self) -> str:
        count = f"(SELECT count(*) FROM {self.name})"
        if not self.part.steps:
            return count
        return f"CASE WHEN {self._longest} >= {BOUND} THEN {self.bound} ELSE {count} END"

    @property
    def _longest(self) -> str:
        return f"greatest({', '.join(f'(SELECT count(*) FROM {name})' for name in self.part.steps)})"


def _counted(layout: _Layout, order: Order, parts: list[Part], found: list[Part], steps: Steps) -> str:
    """Read each list up to its bound, then run the one branch that is cheap; the others are never started."""
    lists = [
        _List(part, number, BOUND if layout.sort or part.single else BOUND * WIDE) for number, part in enumerate(found)
    ]
    least = f"least({', '.join(each.length for each in lists)})"
    cases = " ".join(f"WHEN {each.length} = {least} THEN {each.number}" for each in lists)
    tried = len(found) > 1 or found[0].linked or not layout.sort
    long = _trial(layout, order, parts, found) if tried else str(_WALK)
    if layout.sort or len(found) < len(parts):
        few = f"{least} < {BOUND}"
    else:
        few = f"{least} < {BOUND} OR ({' AND '.join(f'{each.length} < {each.bound}' for each in lists)})"
    choice = f"(SELECT CASE WHEN {few} THEN CASE {cases} END ELSE {long} END FROM counts)"
    walked = walk(layout.sort, order, parts, found)
    branches = [
        f"(SELECT * FROM ({walked}) walked WHERE (SELECT branch FROM choice) = {_WALK})",
        *(_branch(order, parts, each, lists) for each in lists),
    ]
    if tried:
        branches.append(_intersection(order, parts, found))
    named = "".join(f"{text}, " for text in (*steps.texts, *(each.text for each in lists)))
    counts = ", ".join(f"{each.count} AS {each.length}" for each in lists)
    return (
        f"WITH {named}counts AS MATERIALIZED (SELECT {counts}), choice AS MATERIALIZED (SELECT {choice} AS branch)"
        f" SELECT * FROM ({' UNION ALL '.join(branches)}) u ORDER BY {order.by(*order.names)} LIMIT $2::int"
    )


def _branch(order: Order, parts: list[Part], read: _List, lists: list[_List]) -> str:
    """Read what is in ``read`` and in all other lists that are short, keep the rows that pass the rest, and sort."""
    others = "".join(
        f" AND ((SELECT {each.length} FROM counts) >= {each.bound} OR d.rid IN (SELECT x.rid FROM {each.name} x))"
        for each in lists
        if each is not read
    )
    # a list may name a row twice
    rows = f"SELECT DISTINCT d.rid FROM {read.name} d WHERE true{others}"
    return _rows(order, parts, [read.part], rows, read.number)


def _intersection(order: Order, parts: list[Part], found: list[Part]) -> str:
    """Read all lists whole, however long, and the rows that are in each of them."""
    rows = " INTERSECT ".join(f"SELECT DISTINCT d.rid FROM ({part.finds}) d" for part in found)
    return _rows(order, parts, found, rows, _INTERSECT)


def _rows(order: Order, parts: list[Part], read: list[Part], rows: str, number: int) -> str:
    """The branch ``number``: of the row numbers ``rows``, which pass ``read``, those that pass the other parts, too."""
    rest = "".join(f" AND {other.condition}" for other in parts if other not in read)
    if not order.expressions:
        # in the order of the answer: no more are read than fill the page
        rows = f"SELECT d.rid FROM ({rows}) d WHERE true{order.behind('d.rid')} ORDER BY d.rid"
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
