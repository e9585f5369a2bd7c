"""Walking through the rows in the order of the answer, until the page is full."""

from shared.fhir.search.order import VALUES, Order, missing_value
from shared.fhir.search.part import Part
from shared.fhir.search.snapshot import Sight

ROW = "r.rid, r.id, r.version, r.last_updated, r.body"
OURS = "r.type = $1::text AND NOT r.deleted"


def walk(sort: tuple[tuple[str, bool], ...], order: Order, parts: list[Part], found: list[Part]) -> str:
    """The rows in the order of the answer, from the cursor on, until the page is full."""
    every = "".join(f" AND {part.condition}" for part in parts)
    if not sort:
        single = next((part for part in found if part.single), None)
        if single is None:
            rows = f"SELECT {ROW} FROM resource r WHERE {OURS}{every}{order.behind('r.rid')}"
            return f"{rows} ORDER BY r.rid LIMIT $2::int"
        # other single terms are probed in the index before the row itself is fetched
        others = [part for part in found if part.single and part is not single]
        probes = "".join(f" AND EXISTS ({_probe(part)} AND e.rid = d.rid OFFSET 0)" for part in others)
        rest = "".join(f" AND {part.condition}" for part in parts if part is not single and part not in others)
        return _through(f"{single.finds}{probes}{order.behind('d.rid')} ORDER BY d.rid", "", rest, "w.rid")
    kind, descending = sort[0]
    if len(sort) == 1 and kind in VALUES:
        return _walk_values(kind, descending, order, every)
    if order.sight:
        return _walk_as_seen(order, order.sight, every)
    columns = (*order.expressions, "r.rid")
    if len(sort) == 1:
        return (
            f"SELECT {ROW}{order.columns()} FROM resource r WHERE {OURS}{every}{order.behind(*columns)}"
            f" ORDER BY {order.by(*columns)} LIMIT $2::int"
        )
    return (
        f"SELECT * FROM (SELECT {ROW}{order.columns()} FROM resource r WHERE {OURS}{every} OFFSET 0) every"
        f" WHERE true{order.behind(*order.names)} ORDER BY {order.by(*order.names)} LIMIT $2::int"
    )


def _walk_as_seen(order: Order, sight: Sight, every: str) -> str:
    """Through the rows by lastUpdated as the first page saw them; those that changed since are in their old places."""
    columns = ("r.last_updated", "r.rid")
    same = (
        f"SELECT {ROW}, r.last_updated AS s0 FROM resource r WHERE {OURS}{every} AND {sight.unchanged()}"
        f"{order.behind(*columns)} ORDER BY {order.by(*columns)} LIMIT $2::int"
    )
    changed = (
        f"SELECT * FROM (SELECT {ROW}, {sight.updated()} AS s0 FROM resource r WHERE {OURS}{every}"
        f" AND {sight.changed()} OFFSET 0) c WHERE true{order.behind('s0', 'rid')}"
    )
    return f"SELECT * FROM (({same}) UNION ALL ({changed})) u ORDER BY {order.by('s0', 'rid')} LIMIT $2::int"


def _probe(part: Part) -> str:
    """The SELECT of a single term under another alias, to be asked about one row."""
    return part.finds.replace("d.", "e.").replace(" d ", " e ")


def _through(source: str, columns: str, conditions: str, by: str) -> str:
    """Row by row through an ordered ``source`` of row numbers to the resources."""
    return (
        f"SELECT w.rid, r.id, r.version, r.last_updated, r.body{columns} FROM ({source}) w CROSS JOIN LATERAL"
        f" (SELECT {ROW} FROM resource r WHERE r.rid = w.rid AND {OURS}{conditions} OFFSET 0) r"
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
        f"SELECT {ROW}, {missing} AS s0 FROM resource r WHERE {OURS}{every}"
        f" AND NOT EXISTS (SELECT FROM {table} d WHERE d.rid = r.rid AND d.param = {param} OFFSET 0)"
        f"{order.behind(missing, 'r.rid')} AND (SELECT count(*) FROM valued) < $2::int"
        f" ORDER BY r.rid{' DESC' if descending else ''} LIMIT $2::int"
    )
    return (
        f"WITH valued AS MATERIALIZED ({with_value}) SELECT * FROM (SELECT * FROM valued UNION ALL ({without})) v"
        f" ORDER BY {order.by('s0', 'rid')} LIMIT $2::int"
    )
