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
from shared.fhir.search.finders import Steps, again, cost, finds
from shared.fhir.search.order import VALUES, Order, missing_value, order_of
from shared.fhir.search.predicates import Shape, predicate, shape_of, values_of
from shared.fhir.search.query import Query
from shared.fhir.search.snapshot import COLUMN, Sight
from shared.store.size import smaller, within

BOUND = 1_000
"""A list that is shorter is read whole."""
TRIAL, ENOUGH = 2_000, 20
"""Long lists are walked when, of this many rows of the first, at least so many match."""
_WALK, _INTERSECT = -1, -2
_ROW = "r.rid, r.id, r.version, r.last_updated, r.body"
_OURS = "r.type = $1::text AND NOT r.deleted"


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


class _Names:
    """The placeholders of a statement under construction."""

    def __init__(self, first: int) -> None:
        self._next = first

    def take(self, cast: str) -> str:
        name = f"${self._next}::{cast}"
        self._next += 1
        return name


@dataclass(frozen=True, slots=True)
class _Part:
    """One filter: its condition on a row, and the SELECT by which an index finds its rows, if one can."""

    shape: Shape
    condition: str
    finds: str = ""
    few: str = ""
    """The same where none of ``steps`` is full."""
    steps: tuple[str, ...] = ()
    """What is read on the way, by name."""

    @property
    def single(self) -> bool:
        """Whether the rows come in the default order."""
        return self.shape[0] == "terms" and self.shape[-1] is True

    @property
    def linked(self) -> bool:
        """Whether the rows are found by way of others, so that those may be many and these few."""
        return bool(self.steps)


def _parts(shapes: tuple[Shape, ...], names: _Names, steps: Steps) -> list[_Part]:
    parts = []
    for shape in shapes:
        taken: list[str] = []

        def bind(cast: str, taken: list[str] = taken) -> str:
            taken.append(names.take(cast))
            return taken[-1]

        condition = predicate(shape, bind)
        before = len(steps.texts)
        few = finds(shape, again(taken), steps=steps)
        own = tuple(f"step{number}" for number in range(before, len(steps.texts)))
        parts.append(_Part(shape, condition, finds(shape, again(taken)), few, own))
    return parts


@lru_cache(maxsize=4_096)
def _page(layout: _Layout) -> str:
    names, steps = _Names(3), Steps(BOUND)
    parts = _parts(layout.filters, names, steps)
    order = order_of(layout.sort, layout.continued, names.take)
    every = "".join(f" AND {part.condition}" for part in parts)
    if any(part.shape[0] in ("patients", "ids") and not (part.shape[0] == "ids" and part.shape[1]) for part in parts):
        return _bound(layout, order, parts, every)
    found = [part for part in parts if part.finds]
    if not found or (not layout.sort and len(found) == 1 and found[0].single):
        return _walk(layout, order, parts, found)
    return _counted(layout, order, parts, found, steps)


def _bound(layout: _Layout, order: Order, parts: list[_Part], every: str) -> str:
    if not layout.sort and ("patients", True) in [part.shape for part in parts]:
        return f"SELECT {_ROW} FROM resource r WHERE {_OURS}{every}{order.behind('r.rid')} ORDER BY r.rid LIMIT $2::int"
    return (
        f"WITH few AS MATERIALIZED (SELECT {_ROW}{order.columns()} FROM resource r WHERE {_OURS}{every})"
        f" SELECT * FROM few WHERE true{order.behind(*order.names)} ORDER BY {order.by(*order.names)} LIMIT $2::int"
    )


def _counted(layout: _Layout, order: Order, parts: list[_Part], found: list[_Part], steps: Steps) -> str:
    """Count each list up to the bound, then run the one branch that is cheap; the others are never started."""
    counts = ", ".join(f"{_length(part)} AS n{number}" for number, part in enumerate(found))
    lists = len(found) > 1 or found[0].linked or not layout.sort
    least = f"least({', '.join(f'n{i}' for i in range(len(found)))})"
    cases = " ".join(f"WHEN n{i} = {least} THEN {i}" for i in range(len(found)))
    long = _trial(layout, order, parts, found) if lists else str(_WALK)
    choice = f"(SELECT CASE WHEN {least} >= {BOUND} THEN {long} {cases} END FROM counts)"
    branches = [
        f"(SELECT * FROM ({_walk(layout, order, parts, found)}) walked WHERE (SELECT branch FROM choice) = {_WALK})",
        *(_branch(order, parts, [part], number) for number, part in enumerate(found)),
    ]
    if lists:
        branches.append(_branch(order, parts, found, _INTERSECT))
    named = "".join(f"{text}, " for text in steps.texts)
    return (
        f"WITH {named}counts AS MATERIALIZED (SELECT {counts}), choice AS MATERIALIZED (SELECT {choice} AS branch)"
        f" SELECT * FROM ({' UNION ALL '.join(branches)}) u ORDER BY {order.by(*order.names)} LIMIT $2::int"
    )


def _length(part: _Part) -> str:
    """How many rows ``part`` finds, up to the bound; and the bound where something on the way is as long."""
    count = f"(SELECT count(*) FROM (SELECT FROM ({part.few}) d LIMIT {BOUND}) x)"
    if not part.steps:
        return count
    longest = f"greatest({', '.join(f'(SELECT count(*) FROM {name})' for name in part.steps)})"
    return f"CASE WHEN {longest} >= {BOUND} THEN {BOUND} ELSE {count} END"


def _branch(order: Order, parts: list[_Part], read: list[_Part], number: int) -> str:
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
        f" WHERE r.rid = f.rid AND {_OURS}{rest} OFFSET 0) r WHERE (SELECT branch FROM choice) = {number}"
        f"{order.behind(*order.names)} ORDER BY {order.by(*order.names)} LIMIT $2::int)"
    )


def _trial(layout: _Layout, order: Order, parts: list[_Part], found: list[_Part]) -> str:
    """Walk, if some rows of the first list show that enough of them match; else intersect the long lists.

    Filters that exclude each other would make a walk read a whole type and find nothing; and so would one whose rows
    came late, such as a range of dates: there the first rows of the walk itself are tried."""
    first = found[0]
    itself = first.linked or len(found) == 1
    rest = "".join(f" AND {part.condition}" for part in parts if part is not first or itself)
    behind = "" if layout.sort else order.behind("d.rid")
    if itself:
        # what it finds may be little for all that is read on the way
        some = f"SELECT d.rid FROM resource d WHERE {_OURS.replace('r.', 'd.')}{behind} ORDER BY d.rid LIMIT {TRIAL}"
    else:
        some = f"SELECT d.rid FROM ({first.finds}) d WHERE true{behind} LIMIT {TRIAL}"
    matching = f"SELECT FROM resource r WHERE r.rid = f.rid AND {_OURS}{rest} OFFSET 0"
    # where those are all that there are, walking through them is cheap
    all_tried = f" OR (SELECT count(*) FROM ({some}) f) < {TRIAL}" if itself else ""
    return (
        f"CASE WHEN (SELECT count(*) FROM (SELECT FROM ({some}) f CROSS JOIN LATERAL ({matching}) r"
        f" LIMIT {ENOUGH}) x) >= {ENOUGH}{all_tried} THEN {_WALK} ELSE {_INTERSECT} END"
    )


def _walk(layout: _Layout, order: Order, parts: list[_Part], found: list[_Part]) -> str:
    """The rows in the order of the answer, from the cursor on, until the page is full."""
    every = "".join(f" AND {part.condition}" for part in parts)
    if not layout.sort:
        single = next((part for part in found if part.single), None)
        if single is None:
            rows = f"SELECT {_ROW} FROM resource r WHERE {_OURS}{every}{order.behind('r.rid')}"
            return f"{rows} ORDER BY r.rid LIMIT $2::int"
        # other single terms are probed in the index before the row itself is fetched
        others = [part for part in found if part.single and part is not single]
        probes = "".join(f" AND EXISTS ({_probe(part)} AND e.rid = d.rid OFFSET 0)" for part in others)
        rest = "".join(f" AND {part.condition}" for part in parts if part is not single and part not in others)
        return _through(f"{single.finds}{probes}{order.behind('d.rid')} ORDER BY d.rid", "", rest, "w.rid")
    kind, descending = layout.sort[0]
    if len(layout.sort) == 1 and kind in VALUES:
        return _walk_values(kind, descending, order, every)
    if order.sight:
        return _walk_as_seen(order, order.sight, every)
    columns = (*order.expressions, "r.rid")
    if len(layout.sort) == 1:
        return (
            f"SELECT {_ROW}{order.columns()} FROM resource r WHERE {_OURS}{every}{order.behind(*columns)}"
            f" ORDER BY {order.by(*columns)} LIMIT $2::int"
        )
    return (
        f"SELECT * FROM (SELECT {_ROW}{order.columns()} FROM resource r WHERE {_OURS}{every} OFFSET 0) every"
        f" WHERE true{order.behind(*order.names)} ORDER BY {order.by(*order.names)} LIMIT $2::int"
    )


def _walk_as_seen(order: Order, sight: Sight, every: str) -> str:
    """Through the rows by lastUpdated as the first page saw them; those that changed since are in their old places."""
    columns = ("r.last_updated", "r.rid")
    same = (
        f"SELECT {_ROW}, r.last_updated AS s0 FROM resource r WHERE {_OURS}{every} AND {sight.unchanged()}"
        f"{order.behind(*columns)} ORDER BY {order.by(*columns)} LIMIT $2::int"
    )
    changed = (
        f"SELECT * FROM (SELECT {_ROW}, {sight.updated()} AS s0 FROM resource r WHERE {_OURS}{every}"
        f" AND {sight.changed()} OFFSET 0) c WHERE true{order.behind('s0', 'rid')}"
    )
    return f"SELECT * FROM (({same}) UNION ALL ({changed})) u ORDER BY {order.by('s0', 'rid')} LIMIT $2::int"


def _probe(part: _Part) -> str:
    """The SELECT of a single term under another alias, to be asked about one row."""
    return part.finds.replace("d.", "e.").replace(" d ", " e ")


def _through(source: str, columns: str, conditions: str, by: str) -> str:
    """Row by row through an ordered ``source`` of row numbers to the resources."""
    return (
        f"SELECT w.rid, r.id, r.version, r.last_updated, r.body{columns} FROM ({source}) w CROSS JOIN LATERAL"
        f" (SELECT {_ROW} FROM resource r WHERE r.rid = w.rid AND {_OURS}{conditions} OFFSET 0) r"
        f" ORDER BY {by} LIMIT $2::int"
    )


def _walk_values(kind: str, descending: bool, order: Order, every: str) -> str:
    """Through the index of the values in its order; rows without one are only looked for when it is exhausted."""
    table, column, ties = VALUES[kind]
    sign = ">" if descending else "<"
    [[param]] = order.params
    mine, others = (", ".join(f"{alias}.{name}" for name in (column, *ties)) for alias in "de")
    first = (
        f"NOT EXISTS (SELECT FROM {table} e WHERE e.rid = d.rid AND e.param = d.param"
        f" AND ({others}) {sign} ({mine}) OFFSET 0)"
    )
    behind = order.behind(f"d.{column}", "d.rid")
    source = (
        f"SELECT d.rid, d.{column} AS s0 FROM {table} d WHERE d.param = {param} AND {first}{behind}"
        f" ORDER BY {order.by(f'd.{column}', 'd.rid')}"
    )
    with_value = _through(source, ", w.s0", every, order.by("w.s0", "w.rid"))
    missing = missing_value(kind, descending)
    without = (
        f"SELECT {_ROW}, {missing} AS s0 FROM resource r WHERE {_OURS}{every}"
        f" AND NOT EXISTS (SELECT FROM {table} d WHERE d.rid = r.rid AND d.param = {param} OFFSET 0)"
        f"{order.behind(missing, 'r.rid')} AND (SELECT count(*) FROM valued) < $2::int"
        f" ORDER BY r.rid{' DESC' if descending else ''} LIMIT $2::int"
    )
    return (
        f"WITH valued AS MATERIALIZED ({with_value}) SELECT * FROM (SELECT * FROM valued UNION ALL ({without})) v"
        f" ORDER BY {order.by('s0', 'rid')} LIMIT $2::int"
    )


@lru_cache(maxsize=1_024)
def _count(shapes: tuple[Shape, ...], most: int | None) -> str:
    bounded = "" if most is None else f" LIMIT {most}"
    return f"SELECT count(*) FROM ({_matching(shapes)}{bounded}) every"


def _matching(shapes: tuple[Shape, ...]) -> str:
    """The row numbers of what matches, each once, in no order."""
    parts = _parts(shapes, _Names(2), Steps(BOUND))
    found = next((part for part in parts if part.finds), None)
    bound = any(part.shape[0] in ("patients", "ids") for part in parts)
    if found is None or bound:
        every = "".join(f" AND {part.condition}" for part in parts)
        return f"SELECT r.rid FROM resource r WHERE {_OURS}{every}"
    rest = "".join(f" AND {part.condition}" for part in parts if part is not found)
    if found.linked:
        row = f"SELECT FROM resource r WHERE r.rid = f.rid AND {_OURS}{rest} OFFSET 0"
        return f"SELECT f.rid FROM (SELECT DISTINCT d.rid FROM ({found.finds}) d) f CROSS JOIN LATERAL ({row}) r"
    if not rest and found.shape[0] == "terms":
        return f"SELECT DISTINCT d.rid FROM ({found.finds}) d WHERE $1::text IS NOT NULL"
    return f"SELECT r.rid FROM resource r WHERE {_OURS}{rest} AND r.rid IN ({found.finds})"
