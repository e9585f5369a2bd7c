"""The order of an answer in SQL, and what it means to come behind a cursor in it (keyset paging)."""

from dataclasses import dataclass

from shared.fhir.search.predicates import Bind
from shared.fhir.search.snapshot import Sight
from shared.store.indexing import EARLIEST, LATEST

PARAMETERS = {"date": ("bigint",), "string": ("bigint",), "quantity": ("bigint",), "reference": ("text[]", "text")}
"""Kind of a sort key -> the casts of what it binds (``Sort.arguments``)."""
VALUES = {
    "date": ("index_date", "low", ("high",)),
    "string": ("index_string", "value", ("exact",)),
    "quantity": ("index_quantity", "low", ("high", "units")),
}
"""Kind -> the table of its values, the column that it sorts by, and what tells two entries of the same value apart."""
_CASTS = {"updated": "timestamptz", "date": "bigint", "quantity": "numeric"}


@dataclass(frozen=True, slots=True)
class Order:
    """The order of the answer over a row ``r``: expressions, and the condition to be behind the cursor."""

    expressions: tuple[str, ...]
    descending: tuple[bool, ...]
    params: tuple[tuple[str, ...], ...]
    cursor: tuple[str, ...]
    sight: Sight | None = None
    """What the first page saw, where this is a later page in the order of lastUpdated."""

    def columns(self) -> str:
        """The sort values as columns s0, s1, ..."""
        return "".join(f", {expression} AS s{number}" for number, expression in enumerate(self.expressions))

    def by(self, *columns: str) -> str:
        """ORDER BY over the given column names (one per key, then the row number)."""
        flags = [*self.descending, self.descending[-1] if self.descending else False]
        return ", ".join(f"{column}{' DESC' if flag else ''}" for column, flag in zip(columns, flags, strict=True))

    def behind(self, *columns: str) -> str:
        """The condition to come behind the cursor, over the same column names."""
        if not self.cursor:
            return ""
        flags = [*self.descending, self.descending[-1] if self.descending else False]
        if len(set(flags)) == 1:
            sign = "<" if flags[0] else ">"
            return f" AND ({', '.join(columns)}) {sign} ({', '.join(self.cursor)})"
        choices = []
        for number, column in enumerate(columns):
            equal = [f"{columns[i]} = {self.cursor[i]}" for i in range(number)]
            choices.append(" AND ".join([*equal, f"{column} {'<' if flags[number] else '>'} {self.cursor[number]}"]))
        return f" AND ({' OR '.join(f'({choice})' for choice in choices)})"

    @property
    def names(self) -> tuple[str, ...]:
        """The output columns, row number last."""
        return (*(f"s{number}" for number in range(len(self.expressions))), "rid")


def order_of(keys: tuple[tuple[str, bool], ...], continued: bool, take: Bind) -> Order:
    """The order of the sort ``keys`` (kind, descending). ``take`` makes placeholders: parameters, then the cursor's."""
    params = tuple(tuple(take(cast) for cast in PARAMETERS.get(kind, ())) for kind, _ in keys)
    sight = Sight.taken(take) if continued and [kind for kind, _ in keys] == ["updated"] else None
    expressions, casts = [], []
    for (kind, descending), names in zip(keys, params, strict=True):
        expressions.append(sight.updated() if sight else expression_of(kind, descending, names))
        casts.append(_CASTS.get(kind, "text"))
    cursor = tuple(take(cast) for cast in [*casts, "bigint"]) if continued else ()
    return Order(tuple(expressions), tuple(descending for _, descending in keys), params, cursor, sight)


def expression_of(kind: str, descending: bool, names: tuple[str, ...]) -> str:
    """A sort value of the row ``r``, by the placeholders ``names``. Rows without a value come last both ways."""
    if kind == "updated":
        return "r.last_updated"
    if kind == "id":
        return "r.id"
    missing = missing_value(kind, descending)
    if kind == "reference":
        path, start = names
        return (
            "COALESCE((SELECT f.reference FROM (SELECT (convert_from(r.body, 'UTF8')::json #>> "
            f'{path}) COLLATE "C" AS reference) f WHERE starts_with(f.reference, {start})), {missing})'
        )
    table, column, _ = VALUES[kind]
    best = "max" if descending else "min"
    return (
        f"COALESCE((SELECT {best}(d.{column}) FROM {table} d WHERE d.rid = r.rid AND d.param = {names[0]}), {missing})"
    )


def missing_value(kind: str, descending: bool) -> str:
    """What stands for the value of a row that has none: behind all others."""
    if kind == "date":
        return f"{EARLIEST - 1}::bigint" if descending else f"{LATEST + 1}::bigint"
    if kind == "quantity":
        return "'-1e202'::numeric" if descending else "'1e202'::numeric"
    return "(''::text COLLATE \"C\")" if descending else "(U&'\\+10FFFF'::text COLLATE \"C\")"
